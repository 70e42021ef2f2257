"""Plane geometry over many points at once. Coordinates are relative, 0 to 1, y grows downwards."""

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""(n, 2) x y."""


def points_in_polygon(points: Points, polygon: Points) -> NDArray[np.bool_]:
    """Which of ``points`` (n, 2) lie inside ``polygon`` (m, 2), even-odd rule. Returns (n,) bool."""
    x, y = points[:, 0, None], points[:, 1, None]
    x1, y1 = polygon[:, 0], polygon[:, 1]
    x2, y2 = np.roll(x1, -1), np.roll(y1, -1)
    straddles = (y1 > y) != (y2 > y)
    rise = np.where(y2 == y1, 1.0, y2 - y1)
    crossing_x = x1 + (y - y1) * (x2 - x1) / rise
    inside: NDArray[np.bool_] = np.count_nonzero(straddles & (x < crossing_x), axis=1) % 2 == 1
    return inside


class Region:
    """A polygon, prepared for one point at a time: ten times quicker than an array of a few points.

    Args:
        polygon: corners (m, 2).
    """

    def __init__(self, polygon: Points) -> None:
        corners = [(float(x), float(y)) for x, y in polygon]
        self._edges = list(zip(corners, [*corners[1:], corners[0]], strict=True))

    def holds(self, x: float, y: float) -> bool:
        """Whether the point lies inside, as :func:`points_in_polygon` says."""
        inside = False
        for (x1, y1), (x2, y2) in self._edges:
            if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
                inside = not inside
        return inside


def signed_distance(points: Points, start: Points, end: Points) -> NDArray[np.float64]:
    """Distance of ``points`` (n, 2) to the infinite line from ``start`` to ``end`` (2,).

    Positive to the right of the direction start → end as one sees it in the picture::

        start ───────► end
               (+)
    """
    direction = end - start
    length = float(np.hypot(direction[0], direction[1]))
    relative = points - start
    cross: NDArray[np.float64] = (direction[0] * relative[:, 1] - direction[1] * relative[:, 0]) / length
    return cross


def segments_intersect(a1: Points, a2: Points, b1: Points, b2: Points) -> bool:
    """Whether segment ``a1``-``a2`` meets segment ``b1``-``b2`` (each (2,)); touching counts."""
    side_b = signed_distance(np.stack([b1, b2]), a1, a2) if not np.array_equal(a1, a2) else np.zeros(2)
    side_a = signed_distance(np.stack([a1, a2]), b1, b2)
    return bool(side_a[0] * side_a[1] <= 0 and side_b[0] * side_b[1] <= 0)


def iou(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """Intersection over union of boxes ``a`` (n, 4) and ``b`` (m, 4), x1 y1 x2 y2. Returns (n, m)."""
    # One plane for each side is three times as fast as (n, m, 2) of them.
    width = np.minimum(a[:, None, 2], b[None, :, 2]) - np.maximum(a[:, None, 0], b[None, :, 0])
    height = np.minimum(a[:, None, 3], b[None, :, 3]) - np.maximum(a[:, None, 1], b[None, :, 1])
    np.clip(width, 0, None, out=width)
    np.clip(height, 0, None, out=height)
    overlap = np.multiply(width, height, dtype=np.float64)
    area_a = np.multiply(a[:, 2] - a[:, 0], a[:, 3] - a[:, 1], dtype=np.float64)
    area_b = np.multiply(b[:, 2] - b[:, 0], b[:, 3] - b[:, 1], dtype=np.float64)
    union = area_a[:, None] + area_b[None, :] - overlap
    share: NDArray[np.float64] = np.divide(overlap, union, out=np.zeros_like(overlap), where=overlap > 0)
    return share
