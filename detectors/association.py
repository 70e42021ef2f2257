"""Which detection is which target: buffered overlap and the best assignment as a whole."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from detectors.sightings import Sightings
from detectors.target import Target

BUFFER = 0.1
BUFFER_PER_SECOND = 0.6
MOST_BUFFER = 0.6
"""Boxes are widened by such a share of their size before they are compared: the longer unseen, the surer is
it that the object went on otherwise than predicted, unless it stood still. Buffered IoU, Yang et al. 2023,
https://arxiv.org/abs/2211.14317"""
LEAST_LIKE_HEIGHT = 0.6
"""An object's height does not change by more than this from one sight to the next."""


LEAST_COLOURS, LIKE_COLOURS = 0.90, 0.965
"""Two in other clothes are less alike than the first, two sights of one object more than the second."""
COLOUR_WEIGHT = 0.8
"""What other colours take from a pair's likeness: shade and people in front change them too."""


def associate(
    targets: Sequence[Target],
    seen: Sightings,
    least: float,
) -> list[tuple[int, int]]:
    """Pairs (index of target, index of sighting) that belong together, each at most once.

    Args:
        targets: where they are predicted to be.
        seen: what was seen; only targets of the same group fit.
        least: the least likeness of a pair: buffered overlap, less for another height or other colours.
    """
    if not targets or len(seen) == 0:
        return []
    fits = np.array([t.group for t in targets])[:, None] == seen.group[None, :]
    likeness = np.where(fits, _likeness(targets, seen.xyxy), 0.0)
    if seen.colours is not None:
        likeness *= _alike(targets, seen.colours)
    likeness[likeness < least] = 0.0
    rows, columns = linear_sum_assignment(-likeness)
    return [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if likeness[r, c] > 0]


def _likeness(targets: Sequence[Target], seen: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, m) buffered overlap, less for a box much higher or lower."""
    boxes = np.stack([t.filter.xyxy for t in targets])
    unseen = np.array([t.unseen_seconds for t in targets])
    unseen[[t.stationary for t in targets]] = 0.0
    overlap = _buffered_iou(boxes, seen, np.minimum(BUFFER + BUFFER_PER_SECOND * unseen, MOST_BUFFER))
    high_a, high_b = (boxes[:, 3] - boxes[:, 1])[:, None], (seen[:, 3] - seen[:, 1])[None, :]
    ratio = np.minimum(high_a, high_b) / np.maximum(np.maximum(high_a, high_b), 1e-6)
    return np.where(ratio >= LEAST_LIKE_HEIGHT, overlap * np.sqrt(ratio), 0.0)


def _buffered_iou(
    a: NDArray[np.float64], b: NDArray[np.float64], shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n, m) overlap when both are widened at each side by ``shares`` (n,) of their own sizes."""
    size_a, size_b = a[:, 2:] - a[:, :2], b[:, 2:] - b[:, :2]
    margin_a = (size_a * shares[:, None])[:, None, :]
    margin_b = size_b[None, :, :] * shares[:, None, None]
    low = np.maximum(a[:, None, :2] - margin_a, b[None, :, :2] - margin_b)
    high = np.minimum(a[:, None, 2:] + margin_a, b[None, :, 2:] + margin_b)
    sides = np.clip(high - low, 0, None)
    overlap = sides[:, :, 0] * sides[:, :, 1]
    growth = (1 + 2 * shares) ** 2
    area_a, area_b = size_a[:, 0] * size_a[:, 1] * growth, growth[:, None] * (size_b[:, 0] * size_b[:, 1])
    union = area_a[:, None] + area_b - overlap
    shared: NDArray[np.float64] = np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)
    return shared


def _alike(targets: Sequence[Target], colours: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n, m) 1 where the colours may be the same, less where they are others."""
    alike = np.ones((len(targets), len(colours)))
    described = colours.any(axis=1)
    for row, target in enumerate(targets):
        if target.colours is not None:
            likeness = colours @ target.colours
            other = np.clip((LIKE_COLOURS - likeness) / (LIKE_COLOURS - LEAST_COLOURS), 0.0, 1.0)
            alike[row] = np.where(described, 1.0 - COLOUR_WEIGHT * other, 1.0)
    return alike
