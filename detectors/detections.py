"""Detections: what a detector saw in one picture, as a struct of arrays."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Detections:
    """Objects in one picture; row i of each array is object i.

    Raises:
        ValueError: the arrays do not fit together.
    """

    xyxy: NDArray[np.float32]
    """(n, 4) pixels, x1 y1 x2 y2."""
    confidence: NDArray[np.float32]
    """(n,) 0 to 1."""
    class_id: NDArray[np.int64]
    """(n,) index into the detector's labels."""

    def __post_init__(self) -> None:
        n = len(self.xyxy)
        for name, array, shape in (
            ("xyxy", self.xyxy, (n, 4)),
            ("confidence", self.confidence, (n,)),
            ("class_id", self.class_id, (n,)),
        ):
            if array.shape != shape:
                raise ValueError(f"{name} has shape {array.shape}, want {shape}")
        if not np.isfinite(self.xyxy).all():
            raise ValueError("xyxy holds a value that is not finite")
        if n and not (self.confidence.min() >= 0 and self.confidence.max() <= 1):
            raise ValueError("confidence lies outside 0 to 1")

    def __len__(self) -> int:
        return len(self.xyxy)

    @classmethod
    def empty(cls) -> Self:
        """Nothing seen."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))

    def select(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> Self:
        """The objects that a mask (n,) or indices choose."""
        return type(self)(self.xyxy[which], self.confidence[which], self.class_id[which])
