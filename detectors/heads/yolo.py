"""The output of YOLOv8 to YOLO26 before suppression: ``(1, 4 + classes, n)``.

Columns of cx cy w h in pixels of the input, then a score for each class, 0 to 1.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.detections import Detections

IOU = 0.6
USUAL: Mapping[str, Any] = {"fit": "letterbox", "colour": "rgb", "std": (255.0, 255.0, 255.0)}
STRIDES = (8, 16, 32)


def decode(outputs: Sequence[NDArray[np.float32]], size: tuple[int, int], floor: float) -> Detections:
    """Detections of confidence ``floor`` or more, in pixels of an input of that ``size``."""
    scores = outputs[0][0, 4:]
    sure = np.flatnonzero(scores.max(axis=0) >= floor)
    chosen = scores[:, sure]
    x, y, width, height = outputs[0][0, :4, sure].T
    return Detections(
        np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=1).astype(np.float32),
        np.clip(chosen.max(axis=0), 0, 1).astype(np.float32),
        chosen.argmax(axis=0).astype(np.int64),
    )


def classes(outputs: Sequence[NDArray[np.float32]]) -> int:
    """How many classes there are scores for."""
    return int(outputs[0].shape[1] - 4)


def recognises(shapes: Sequence[tuple[int, ...]], size: tuple[int, int]) -> bool:
    """One output with a column for each cell of the three strides."""
    cells = sum((size[0] // stride) * (size[1] // stride) for stride in STRIDES)
    return len(shapes) == 1 and len(shapes[0]) == 3 and shapes[0][1] > 4 and shapes[0][2] == cells
