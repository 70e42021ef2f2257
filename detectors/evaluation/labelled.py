"""Labelled pictures, whatever format they come in."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detectors.evaluation.detection import Truth


@dataclass(frozen=True, eq=False)
class LabelledPicture:
    """A picture's file and the objects in it; row i of each array is object i."""

    path: Path
    labels: tuple[str, ...]
    xyxy: NDArray[np.float64]
    """(m, 4), pixels or shares of the picture."""
    crowd: NDArray[np.bool_]
    """(m,)"""
    area: NDArray[np.float64] | None = None
    """(m,) square pixels of the outlines, where they are known."""
    relative: bool = False
    """Whether the boxes are shares of the picture."""

    def truth(self, label: str, width: int, height: int) -> Truth:
        """The objects of one class in a picture of ``width`` x ``height`` pixels."""
        which = np.array([own == label for own in self.labels], bool)
        xyxy = self.xyxy[which]
        if self.relative:
            xyxy = xyxy * np.array([width, height] * 2)
        if self.area is None:
            return Truth.of_boxes(xyxy, self.crowd[which])
        return Truth(xyxy, self.area[which], self.crowd[which])


@dataclass(frozen=True)
class Dataset:
    """Labelled pictures and the classes that were labelled in them."""

    kind: str
    labels: tuple[str, ...]
    pictures: tuple[LabelledPicture, ...]
