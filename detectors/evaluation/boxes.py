"""Numbered boxes of one picture: of the truth, or of a tracker."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


def no_boxes() -> NDArray[np.float64]:
    """(0, 4)."""
    return np.zeros((0, 4))


@dataclass(frozen=True, eq=False)
class Boxes:
    """Boxes of one picture; row i belongs to id i.

    Raises:
        ValueError: the arrays do not fit together, or an id is there twice.
    """

    ids: tuple[int, ...] = ()
    xyxy: NDArray[np.float64] = field(default_factory=no_boxes)
    """(n, 4) pixels."""

    def __post_init__(self) -> None:
        if self.xyxy.shape != (len(self.ids), 4):
            raise ValueError(f"xyxy has shape {self.xyxy.shape}, want {(len(self.ids), 4)}")
        if len(set(self.ids)) != len(self.ids):
            raise ValueError(f"an id is there twice: {sorted(self.ids)}")

    def __len__(self) -> int:
        return len(self.ids)


Pictures = Sequence[tuple[Boxes, Boxes]]
"""In order of time, the truth and what the tracker said."""

HIT = 0.5
"""Least overlap of a box with the one that it stands for."""
EXACT = float(np.finfo(float).eps)
"""Two boxes that overlap by a bound to the last digit reach it."""


def share(part: float, whole: float) -> float:
    """``part / whole``; nothing of nothing is 0."""
    return part / whole if whole else 0.0
