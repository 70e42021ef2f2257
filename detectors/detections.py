"""Detections: what a detector saw in one picture, as a struct of arrays."""

from collections.abc import Sequence
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

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """All objects of all parts."""
        if not parts:
            return cls.empty()
        return cls(
            np.concatenate([part.xyxy for part in parts]),
            np.concatenate([part.confidence for part in parts]),
            np.concatenate([part.class_id for part in parts]),
        )

    def moved(self, right: float, down: float) -> Self:
        """The same objects so many pixels further right and down."""
        return type(self)(self.xyxy + np.array([right, down] * 2, np.float32), self.confidence, self.class_id)

    def select(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> Self:
        """The objects that a mask (n,) or indices choose."""
        return type(self)(self.xyxy[which], self.confidence[which], self.class_id[which])
