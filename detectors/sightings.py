"""Sightings: detections of one picture with what the tracker needs to know besides."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from detectors.detections import Detections
from safecity.geometry import iou

CLEAR = 0.2
"""One that overlaps another by less is seen by itself: its colours are its own."""


@dataclass(frozen=True, eq=False)
class Sightings:
    """Row i of each array is sighting i."""

    xyxy: NDArray[np.float64]
    """(n, 4) pixels."""
    confidence: NDArray[np.float64]
    """(n,) 0 to 1."""
    class_id: NDArray[np.int64]
    """(n,)"""
    group: NDArray[np.int64]
    """(n,) classes of one group are taken for each other."""
    colours: NDArray[np.float32] | None
    """(n, d), or nothing is known."""
    clear: NDArray[np.bool_]
    """(n,) whether nothing else lies over it."""

    @classmethod
    def of(
        cls, detections: Detections, group: NDArray[np.int64], colours: NDArray[np.float32] | None
    ) -> Self:
        """The sightings that detections are."""
        xyxy = detections.xyxy.astype(np.float64)
        overlap = iou(xyxy, xyxy)
        np.fill_diagonal(overlap, 0.0)
        clear = np.asarray(overlap.max(axis=1, initial=0.0) < CLEAR, bool)
        return cls(xyxy, detections.confidence.astype(np.float64), detections.class_id, group, colours, clear)

    def __len__(self) -> int:
        return len(self.xyxy)

    def select(self, which: NDArray[np.bool_]) -> Self:
        """Those that a mask (n,) chooses."""
        colours = None if self.colours is None else self.colours[which]
        return type(self)(
            self.xyxy[which],
            self.confidence[which],
            self.class_id[which],
            self.group[which],
            colours,
            self.clear[which],
        )
