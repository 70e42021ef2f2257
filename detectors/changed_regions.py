"""Regions of a scene that have changed and stay so; the edges of their borders say what happened."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

REPORT_SECONDS = 3.0
"""What has stayed for less is not reported."""
LEAST_AREA = 14
"""Pixels of the small picture."""
LEAST_EDGE = 7.0
"""Grey levels a pixel: mean gradient along a border that is one."""
CLEARER = 1.6
"""One border is so many times clearer than the other: that side has the thing."""


@dataclass(frozen=True)
class ChangedRegion:
    """A region that has changed and stays as it is now."""

    box: tuple[float, float, float, float]
    """x1 y1 x2 y2, relative to the picture."""
    since_seconds: float
    kind: Literal["appeared", "vanished", "unknown"]


def find_regions(stayed: Floats, settled: Floats, slow: Floats) -> list[ChangedRegion]:
    """The regions of a scene that have changed.

    Args:
        stayed: (h, w) seconds for which each pixel has been other than the background, and unchanged.
        settled: (h, w) grey levels, the scene as it is now.
        slow: (h, w) grey levels, the background.
    """
    stays = (stayed >= REPORT_SECONDS).astype(np.uint8)
    if np.count_nonzero(stays) < LEAST_AREA:
        return []
    joined = cv2.morphologyEx(stays, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    number, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    return [
        _region(np.asarray(labels == index, np.uint8), stats[index], stayed, settled, slow)
        for index in range(1, number)
        if stats[index, cv2.CC_STAT_AREA] >= LEAST_AREA
    ]


def _region(
    region: NDArray[np.uint8], stats: NDArray[np.int32], stayed: Floats, settled: Floats, slow: Floats
) -> ChangedRegion:
    left, top, width, height = (int(v) for v in stats[:4])
    rows, columns = slow.shape
    around = (
        slice(max(0, top - 3), min(rows, top + height + 3)),
        slice(max(0, left - 3), min(columns, left + width + 3)),
    )
    mask = region[around]
    stayed = stayed[around][mask > 0]
    border = cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    now = _edge(settled[around], border)
    before = _edge(slow[around], border)
    kind: Literal["appeared", "vanished", "unknown"] = "unknown"
    if now >= LEAST_EDGE and now >= CLEARER * before:
        kind = "appeared"
    elif before >= LEAST_EDGE and before >= CLEARER * now:
        kind = "vanished"
    box = (
        round(left / columns, 6),
        round(top / rows, 6),
        round((left + width) / columns, 6),
        round((top + height) / rows, 6),
    )
    return ChangedRegion(box, round(float(np.median(stayed[stayed > 0])), 3), kind)


def _edge(picture: Floats, border: NDArray[np.bool_]) -> float:
    """Mean gradient of ``picture`` along ``border``, grey levels a pixel."""
    across = cv2.Sobel(picture, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(picture, cv2.CV_32F, 0, 1, scale=1 / 8)
    return float(np.hypot(across, down)[border].mean())
