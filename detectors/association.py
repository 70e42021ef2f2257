"""Which detection is which target: buffered overlap and the best assignment as a whole."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from detectors.detections import Detections
from detectors.target import Target
from safecity.geometry import iou

BUFFER = 0.1
BUFFER_PER_SECOND = 0.6
MOST_BUFFER = 0.6
"""Boxes are widened by such a share of their size before they are compared: the longer unseen, the surer is
it that the object went on otherwise than predicted. Buffered IoU, Yang et al. 2023,
https://arxiv.org/abs/2211.14317"""
LEAST_LIKE_HEIGHT = 0.6
"""An object's height does not change by more than this from one sight to the next."""


def associate(
    targets: Sequence[Target],
    detections: Detections,
    groups: NDArray[np.int64],
    least: float,
) -> list[tuple[int, int]]:
    """Pairs (index of target, index of detection) that belong together, each at most once.

    Args:
        targets: where they are predicted to be.
        detections: what was seen.
        groups: (n,) the group of each detection's class; only targets of the same group fit.
        least: the least buffered overlap of a pair.
    """
    if not targets or len(detections) == 0:
        return []
    likeness = np.where(
        np.array([t.group for t in targets])[:, None] == groups[None, :], _likeness(targets, detections), 0.0
    )
    likeness[likeness < least] = 0.0
    rows, columns = linear_sum_assignment(-likeness)
    return [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if likeness[r, c] > 0]


def _likeness(targets: Sequence[Target], detections: Detections) -> NDArray[np.float64]:
    """(n, m) buffered overlap, less for a box much higher or lower."""
    boxes = np.stack([t.filter.xyxy for t in targets])
    seen = detections.xyxy.astype(np.float64)
    unseen = np.array([t.unseen_seconds for t in targets])
    share = np.minimum(BUFFER + BUFFER_PER_SECOND * unseen, MOST_BUFFER)
    overlap = np.stack(
        [iou(_widened(boxes[i][None], share[i]), _widened(seen, share[i]))[0] for i in range(len(targets))]
    )
    high_a, high_b = (boxes[:, 3] - boxes[:, 1])[:, None], (seen[:, 3] - seen[:, 1])[None, :]
    ratio = np.minimum(high_a, high_b) / np.maximum(np.maximum(high_a, high_b), 1e-6)
    return np.where(ratio >= LEAST_LIKE_HEIGHT, overlap * np.sqrt(ratio), 0.0)


def _widened(boxes: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    margin = (boxes[:, 2:] - boxes[:, :2]) * share
    return np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + margin], axis=1)
