"""Where to look: around what moves, at the size at which the detector sees it well.

The whole picture shrunk to the model's input spends most of its pixels on an empty street and makes a distant
person a few pixels high. A region is cut out of the picture at its own resolution and brought to the size at
which an object in it is about OBJECT_PIXELS high, so small objects are enlarged, large ones cost little, and
all together never cost more than the whole picture would.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.model_input import ModelInput

Boxes = NDArray[np.float64]
"""(n, 4) x1 y1 x2 y2, pixels of the picture."""

OBJECT_PIXELS = 48.0
"""Height in the model's input at which an object is seen well."""
LEAST_PIXELS = 32.0
"""Height at which the smallest of several in one region is still found."""
LEAST_OF_WHOLE = 0.7
"""Of the whole picture's scale: what is large may be shrunk further, but not so far that something small
which turns up beside it is lost."""
MOST_SCALE = 2.5
"""Enlarging a picture further adds nothing that is in it."""
MARGIN = 0.4
"""Of the longer side of what moves: legs move more than the body above them, and context helps a detector."""
LEAST_MARGIN = 12.0
"""Pixels of the picture."""
MOST_REGIONS = 6
MOST_SHARE = 0.9
"""Of the whole picture's cost: beyond it the whole picture is the better buy."""
CALL_PIXELS = 2500
"""What one more call of the model costs, in pixels of its input."""
EDGE_PIXELS = 2.0
"""A box that ends so near to a region's edge is cut by it."""


@dataclass(frozen=True)
class Region:
    """A part of the picture and the input size that it is brought to."""

    left: int
    top: int
    width: int
    height: int
    size: tuple[int, int]
    """Width and height of the model's input."""

    @property
    def xyxy(self) -> tuple[int, int, int, int]:
        """As a box."""
        return self.left, self.top, self.left + self.width, self.top + self.height


def plan_regions(
    moving: Boxes, tracked: Boxes, picture: tuple[int, int], model: ModelInput
) -> tuple[Region, ...] | None:
    """Regions that hold all of it, or None when the whole picture is the better buy.

    Args:
        moving: what the motion gate saw move.
        tracked: where tracked objects that may move are expected.
        picture: its width and height.
        model: the input of the model; its size has to be free.
    """
    seeds = np.concatenate([moving, tracked])
    if not model.free or len(seeds) == 0:
        return None
    whole = model.size_for(*picture)
    shrunk = min(whole[0] / picture[0], whole[1] / picture[1])
    regions = []
    for members in _together(_widened(seeds, picture)):
        heights = np.maximum(seeds[members, 3] - seeds[members, 1], 1.0)
        scale = _scale(heights, heights[members >= len(moving)], shrunk)
        around = _widened(seeds[members], picture)
        box = np.concatenate([around[:, :2].min(0), around[:, 2:].max(0)])
        regions.append(_fitted(box, scale, picture, model.free))
    cost = sum(r.size[0] * r.size[1] + CALL_PIXELS for r in regions)
    if len(regions) > MOST_REGIONS or cost > MOST_SHARE * whole[0] * whole[1]:
        return None
    return tuple(regions)


def uncut(xyxy: NDArray[np.float32], region: Region, picture: tuple[int, int]) -> NDArray[np.bool_]:
    """Which boxes (n, 4), in pixels of the picture, the region's edge does not cut. The picture's own may."""
    x1, y1, x2, y2 = region.xyxy
    inside = [
        (xyxy[:, 0] > x1 + EDGE_PIXELS) | (x1 <= 0),
        (xyxy[:, 1] > y1 + EDGE_PIXELS) | (y1 <= 0),
        (xyxy[:, 2] < x2 - EDGE_PIXELS) | (x2 >= picture[0]),
        (xyxy[:, 3] < y2 - EDGE_PIXELS) | (y2 >= picture[1]),
    ]
    whole: NDArray[np.bool_] = np.logical_and.reduce(inside)
    return whole


def _scale(heights: NDArray[np.float64], tracked: NDArray[np.float64], shrunk: float) -> float:
    """Of a region, from the heights of what is in it; ``shrunk`` is that of the whole picture."""
    wanted = OBJECT_PIXELS / np.median(heights)
    if len(tracked) == 0:  # what moves may be a part of something, or several things
        return float(np.clip(wanted, shrunk, MOST_SCALE))
    least = max(LEAST_OF_WHOLE * shrunk, min(shrunk, LEAST_PIXELS / tracked.min()))
    return float(np.clip(wanted, least, MOST_SCALE))


def _widened(boxes: Boxes, picture: tuple[int, int]) -> Boxes:
    longer = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    margin = np.maximum(longer * MARGIN, LEAST_MARGIN)[:, None]
    wide = np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + margin], axis=1)
    clipped: Boxes = np.clip(wide, 0, np.array([*picture, *picture], np.float64))
    return clipped


def _together(boxes: Boxes) -> Sequence[NDArray[np.int64]]:
    """Indices of boxes whose hulls meet, group by group, until no two hulls do."""
    groups = [np.array([index]) for index in range(len(boxes))]
    hulls = list(boxes)
    index = 0
    while index < len(groups):
        other = next((k for k in range(index + 1, len(groups)) if _meet(hulls[index], hulls[k])), None)
        if other is None:
            index += 1
            continue
        groups[index] = np.concatenate([groups[index], groups.pop(other)])
        hull = hulls.pop(other)
        hulls[index] = np.concatenate(
            [np.minimum(hulls[index][:2], hull[:2]), np.maximum(hulls[index][2:], hull[2:])]
        )
        index = 0
    return groups


def _meet(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    return bool(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3])


def _fitted(box: NDArray[np.float64], scale: float, picture: tuple[int, int], step: int) -> Region:
    """The region around ``box`` whose size in the model is a whole number of steps, at about ``scale``."""
    spans = []
    sizes = []
    for low, high, limit in ((box[0], box[2], picture[0]), (box[1], box[3], picture[1])):
        size = max(2, int(np.ceil((high - low) * scale / step))) * step
        span = min(int(np.ceil(size / scale)), limit)
        begin = int(np.clip(round((low + high - span) / 2), 0, limit - span))
        spans.append((begin, span))
        sizes.append(size)
    (left, width), (top, height) = spans
    return Region(left, top, width, height, (sizes[0], sizes[1]))
