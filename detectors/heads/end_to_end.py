"""Output that needs no suppression: ``(1, n, 6)`` rows of x1 y1 x2 y2 confidence class, as YOLO26 exports."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.detections import Detections

IOU = None
USUAL: Mapping[str, Any] = {"fit": "letterbox", "colour": "rgb", "std": (255.0, 255.0, 255.0)}


def decode(outputs: Sequence[NDArray[np.float32]], size: tuple[int, int], floor: float) -> Detections:
    """Detections of confidence ``floor`` or more; the boxes are in pixels of an input of ``size`` already."""
    rows = outputs[0][0]
    rows = rows[rows[:, 4] >= floor]
    return Detections(
        rows[:, :4].astype(np.float32),
        np.clip(rows[:, 4], 0, 1).astype(np.float32),
        rows[:, 5].astype(np.int64),
    )


def classes(outputs: Sequence[NDArray[np.float32]]) -> None:
    """The rows name a class, not how many there are."""


def recognises(shapes: Sequence[tuple[int, ...]], size: tuple[int, int]) -> bool:
    """One output with rows of six."""
    return len(shapes) == 1 and len(shapes[0]) == 3 and shapes[0][2] == 6
