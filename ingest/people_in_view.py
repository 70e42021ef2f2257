"""Where people are in a camera's view, each place as of the last look at it, for the pictures that are kept.

A look at some regions leaves the rest of the picture unseen, but nothing moved there since it was looked at:
whom the last look at a place found, however faintly, is still there. So no picture costs a look of its own.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.detections import Detections

PEOPLE = ("person",)
FROM_CONFIDENCE = 0.2
"""A person too faint to be tracked is still made unrecognisable in a stored picture."""

Boxes = NDArray[np.float64]
"""(n, 4) x1 y1 x2 y2, relative to the picture, 0 to 1."""


class PeopleInView:
    """One camera's people.

    Args:
        labels: the detector's.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._people = [labels.index(label) for label in PEOPLE if label in labels]
        self._boxes: Boxes = np.zeros((0, 4))

    @property
    def boxes(self) -> Boxes:
        """Where they are."""
        return self._boxes

    def saw(self, found: Detections, size: tuple[int, int], regions: NDArray[np.float64] | None) -> None:
        """Take in what a look found.

        Args:
            found: in pixels of the picture.
            size: the picture's width and height.
            regions: (n, 4) pixels, the parts that were looked at; None: all of it.
        """
        scale = np.array([*size, *size], np.float64)
        seen = self.among(found) / scale
        if regions is not None:
            seen = np.concatenate([self._boxes[~_inside(self._boxes, regions / scale)], seen])
        self._boxes = seen

    def among(self, found: Detections) -> NDArray[np.float64]:
        """The boxes (n, 4) of people among some detections, in the same pixels."""
        wanted = np.isin(found.class_id, self._people) & (found.confidence >= FROM_CONFIDENCE)
        return found.xyxy[wanted].astype(np.float64)


def _inside(boxes: Boxes, regions: Boxes) -> NDArray[np.bool_]:
    """(n,) which boxes lie whole in one of the regions: what is cut by an edge was not seen anew."""
    low = np.all(boxes[:, None, :2] >= regions[None, :, :2], axis=2)
    high = np.all(boxes[:, None, 2:] <= regions[None, :, 2:], axis=2)
    return np.asarray(np.any(low & high, axis=1), np.bool_)
