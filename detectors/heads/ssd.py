"""The output of TensorFlow's SSD before suppression: boxes and scores of every anchor.

Boxes ``(1, n, 4)`` or ``(1, n, 1, 4)`` of y1 x1 y2 x2, shares of the input; scores ``(1, n, classes)``,
0 to 1, without a background class. Liu et al. 2016, https://arxiv.org/abs/1512.02325
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.detections import Detections

IOU = 0.6
USUAL: Mapping[str, Any] = {"colour": "rgb"}


def decode(outputs: Sequence[NDArray[np.float32]], size: tuple[int, int], floor: float) -> Detections:
    """Detections of confidence ``floor`` or more, in pixels of an input of ``size`` (width, height)."""
    boxes, scores = outputs[0].reshape(-1, 4), outputs[1][0]
    anchors, class_ids = np.divmod(np.flatnonzero(scores >= floor), scores.shape[1])
    scale = np.array([*size, *size], np.float32)
    return Detections(
        (boxes[anchors][:, [1, 0, 3, 2]] * scale).astype(np.float32),
        np.clip(scores[anchors, class_ids], 0, 1).astype(np.float32),
        class_ids.astype(np.int64),
    )


def classes(outputs: Sequence[NDArray[np.float32]]) -> int:
    """How many classes there are scores for."""
    return int(outputs[1].shape[2])


def recognises(shapes: Sequence[tuple[int, ...]], size: tuple[int, int]) -> bool:
    """Two outputs, four numbers an anchor and some scores an anchor."""
    if len(shapes) != 2 or len(shapes[1]) != 3:
        return False
    boxes, scores = shapes
    return boxes[-1] == 4 and boxes[1] == scores[1] and int(np.prod(boxes)) == 4 * scores[1]
