"""NanoDet's output: score maps and, for each side of a box, a distribution over distances.

Three score maps ``(1, cells, classes)`` for the strides 8, 16 and 32, then three box maps
``(1, cells, 4 * bins)``. The expectation of a side's distribution, times the stride, is its distance from the
cell's centre. Generalized Focal Loss, Li et al. 2020, https://arxiv.org/abs/2006.04388
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.detections import Detections

STRIDES = (8, 16, 32)
IOU = 0.6
"""As in NanoDet's own configuration: at 0.5 people who walk side by side lose one of them."""

USUAL: Mapping[str, Any] = {
    "colour": "bgr",
    "mean": (103.53, 116.28, 123.675),
    "std": (57.375, 57.12, 58.395),
}


def decode(outputs: Sequence[NDArray[np.float32]], size: tuple[int, int], floor: float) -> Detections:
    """Detections of confidence ``floor`` or more, in pixels of an input of ``size`` (width, height)."""
    boxes, confidences, classes = [], [], []
    for level, stride in enumerate(STRIDES):
        scores, distances = outputs[level][0], outputs[level + len(STRIDES)][0]
        cells, class_ids = np.divmod(np.flatnonzero(scores >= floor), scores.shape[1])
        if len(cells) == 0:
            continue
        boxes.append(_boxes(cells, distances[cells], stride, size[0]))
        confidences.append(scores[cells, class_ids])
        classes.append(class_ids)
    if not boxes:
        return Detections.empty()
    return Detections(
        np.concatenate(boxes).astype(np.float32),
        np.clip(np.concatenate(confidences), 0, 1).astype(np.float32),
        np.concatenate(classes).astype(np.int64),
    )


def _boxes(
    cells: NDArray[np.int64], distances: NDArray[np.float32], stride: int, width: int
) -> NDArray[np.float32]:
    """(k, 4) x1 y1 x2 y2 of the chosen cells."""
    columns = -(-width // stride)
    x, y = (cells % columns + 0.5) * stride, (cells // columns + 0.5) * stride
    left, top, right, bottom = (expected_distances(distances) * stride).T
    return np.stack([x - left, y - top, x + right, y + bottom], axis=1)


def expected_distances(distances: NDArray[np.float32]) -> NDArray[np.float32]:
    """(k, 4) left, top, right and bottom in strides: the means of the distributions (k, 4 * bins)."""
    sides = distances.reshape(len(distances), 4, distances.shape[1] // 4)
    weights = np.exp(sides - sides.max(axis=2, keepdims=True))
    bins = np.arange(sides.shape[2], dtype=np.float32)
    means: NDArray[np.float32] = (weights @ bins) / weights.sum(axis=2)
    return means


def classes(outputs: Sequence[NDArray[np.float32]]) -> int:
    """How many classes there are scores for."""
    return int(outputs[0].shape[2])


def recognises(shapes: Sequence[tuple[int, ...]], size: tuple[int, int]) -> bool:
    """Three outputs of scores and three of distances, with a row for each cell."""
    cells = [-(-size[0] // stride) * -(-size[1] // stride) for stride in STRIDES]
    return len(shapes) == 6 and all(
        len(shape) == 3 and shape[1] == n for shape, n in zip(shapes, cells * 2, strict=True)
    )
