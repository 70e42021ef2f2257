"""NanoDet-Plus' output: ``(1, n, classes + 4 * bins)``, the cells of the strides 8, 16, 32 and 64 in a row.

As NanoDet's, but for one output, a fourth stride, and distances that are measured from a cell's corner.
RangiLyu/nanodet, ``nanodet/model/head/nanodet_plus_head.py``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.detections import Detections
from detectors.heads.nanodet import USUAL as NANODET
from detectors.heads.nanodet import expected_distances

STRIDES = (8, 16, 32, 64)
BINS = 8
"""``reg_max + 1`` in all its published configurations."""
IOU = 0.6
USUAL: Mapping[str, Any] = NANODET


def decode(outputs: Sequence[NDArray[np.float32]], size: tuple[int, int], floor: float) -> Detections:
    """Detections of confidence ``floor`` or more, in pixels of an input of ``size`` (width, height)."""
    rows = outputs[0][0]
    scores, distances = rows[:, : -4 * BINS], rows[:, -4 * BINS :]
    cells, class_ids = np.divmod(np.flatnonzero(scores >= floor), scores.shape[1])
    corners = _corners(size)[cells]
    reach = expected_distances(distances[cells]) * corners[:, 2:]
    return Detections(
        np.concatenate([corners[:, :2] - reach[:, :2], corners[:, :2] + reach[:, 2:]], axis=1).astype(
            np.float32
        ),
        np.clip(scores[cells, class_ids], 0, 1).astype(np.float32),
        class_ids.astype(np.int64),
    )


def _corners(size: tuple[int, int]) -> NDArray[np.float32]:
    """(n, 3) x, y and stride of every cell, in pixels."""
    levels = []
    for stride in STRIDES:
        columns, rows = -(-size[0] // stride), -(-size[1] // stride)
        y, x = np.divmod(np.arange(rows * columns), columns)
        levels.append(np.stack([x * stride, y * stride, np.full(len(x), stride)], axis=1))
    return np.concatenate(levels).astype(np.float32)


def classes(outputs: Sequence[NDArray[np.float32]]) -> int:
    """How many classes there are scores for."""
    return int(outputs[0].shape[2] - 4 * BINS)


def recognises(shapes: Sequence[tuple[int, ...]], size: tuple[int, int]) -> bool:
    """One output with a row for each cell of the four strides."""
    return (
        len(shapes) == 1
        and len(shapes[0]) == 3
        and shapes[0][1] == len(_corners(size))
        and shapes[0][2] > 4 * BINS
    )
