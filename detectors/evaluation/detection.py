"""Average precision as COCO defines it: 101 points of recall, overlaps 0.50 to 0.95, objects by size.

https://cocodataset.org/#detection-eval. Detections are given to objects greedily, the most confident first.
What is found of a crowd, or of an object outside the range of sizes, is neither right nor wrong.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detectors.evaluation.boxes import no_boxes
from safecity.geometry import iou

OVERLAPS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0.0, 1.0, 101)
MOST_DETECTIONS = 100
"""Of one class in one picture."""
AREAS = {
    "all": (0.0, math.inf),
    "small": (0.0, 32.0**2),
    "medium": (32.0**2, 96.0**2),
    "large": (96.0**2, math.inf),
}
"""Square pixels of an object, both bounds included."""


def _zeros() -> NDArray[np.float64]:
    return np.zeros(0)


@dataclass(frozen=True, eq=False)
class Truth:
    """The objects of one class in one picture."""

    xyxy: NDArray[np.float64] = field(default_factory=no_boxes)
    """(m, 4) pixels."""
    area: NDArray[np.float64] = field(default_factory=_zeros)
    """(m,) square pixels: of the outline where there is one, else of the box."""
    crowd: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    """(m,) a group in one box, or something else that does not count."""

    @classmethod
    def of_boxes(cls, xyxy: NDArray[np.float64], crowd: NDArray[np.bool_] | None = None) -> "Truth":
        """Objects that are known by their boxes only."""
        area = np.prod(xyxy[:, 2:] - xyxy[:, :2], axis=1)
        return cls(xyxy, area, np.zeros(len(xyxy), bool) if crowd is None else crowd)


@dataclass(frozen=True, eq=False)
class Look:
    """One class in one picture: what is there, and what was seen."""

    truth: Truth
    xyxy: NDArray[np.float64]
    """(n, 4) pixels, of the detections."""
    confidence: NDArray[np.float64]
    """(n,) 0 to 1."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Precision of one class over recall."""

    precision: NDArray[np.float64]
    """(10 overlaps, 101 recalls); the best that is reached at that recall or a higher one."""
    truths: int
    hits: NDArray[np.bool_]
    """(n,) at an overlap of 0.5, of the detections that count, the most confident first."""
    confidence: NDArray[np.float64]
    """(n,) of the same."""

    @property
    def ap50(self) -> float | None:
        """Average precision at an overlap of 0.5; None where there is nothing to find."""
        return float(self.precision[0].mean()) if self.truths else None

    @property
    def ap50_95(self) -> float | None:
        """Mean average precision over overlaps of 0.50 to 0.95; None where there is nothing to find."""
        return float(self.precision.mean()) if self.truths else None

    def counts(self, least: float) -> tuple[int, int, int]:
        """Right, false and missed at a confidence of ``least`` or more and an overlap of 0.5."""
        right = self.hits[self.confidence >= least]
        found = int(right.sum())
        return found, len(right) - found, self.truths - found


def precision_curve(looks: Sequence[Look], area: str = "all") -> Curve:
    """The precision of one class over all pictures, of objects in one of AREAS."""
    low, high = AREAS[area]
    matched = [_match(look, low, high) for look in looks]
    confidence = np.concatenate([_zeros(), *(m.confidence for m in matched)])
    order = np.argsort(-confidence, kind="stable")
    width = (len(OVERLAPS), 0)
    hits = np.concatenate([np.zeros(width, bool), *(m.hits for m in matched)], axis=1)[:, order]
    counts = np.concatenate([np.zeros(width, bool), *(m.counts for m in matched)], axis=1)[:, order]
    truths = sum(m.truths for m in matched)
    precision = np.stack([_interpolated(h[c], truths) for h, c in zip(hits, counts, strict=True)])
    return Curve(precision, truths, hits[0][counts[0]], confidence[order][counts[0]])


@dataclass(frozen=True, eq=False)
class _Matched:
    """One picture: row t of each array is at OVERLAPS[t], column i is detection i."""

    hits: NDArray[np.bool_]
    counts: NDArray[np.bool_]
    confidence: NDArray[np.float64]
    truths: int


def _match(look: Look, low: float, high: float) -> _Matched:
    order = np.argsort(-look.confidence, kind="stable")[:MOST_DETECTIONS]
    boxes, truth = look.xyxy[order], look.truth
    ignored = truth.crowd | (truth.area < low) | (truth.area > high)
    overlap = _overlaps(boxes, truth)
    taken = np.zeros((len(OVERLAPS), len(ignored)), bool)
    hits = np.zeros((len(OVERLAPS), len(boxes)), bool)
    forgiven = np.zeros_like(hits)
    for index in range(len(boxes)):
        fits = (overlap[index] >= OVERLAPS[:, None] - 1e-10) & (~taken | truth.crowd)
        for allowed, marks in ((fits & ~ignored, hits), (fits & ignored, forgiven)):
            best = _best(np.where(allowed, overlap[index], -1.0))
            levels = np.flatnonzero(allowed.any(axis=1) & ~hits[:, index])
            marks[levels, index] = True
            taken[levels, best[levels]] = True
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    outside = (area < low) | (area > high)
    counts = hits | ~(forgiven | outside[None, :])
    return _Matched(hits, counts, look.confidence[order], int((~ignored).sum()))


def _best(overlap: NDArray[np.float64]) -> NDArray[np.int64]:
    """(t,) the column of the greatest in each row; of equals the last, as in COCO's own programme."""
    if overlap.shape[1] == 0:
        return np.zeros(len(overlap), np.int64)
    return np.asarray(overlap.shape[1] - 1 - np.argmax(overlap[:, ::-1], axis=1), np.int64)


def _overlaps(boxes: NDArray[np.float64], truth: Truth) -> NDArray[np.float64]:
    """(n, m); with a crowd it is the share of the detection that lies in it."""
    overlap = iou(boxes, truth.xyxy)
    if truth.crowd.any():
        crowds = truth.xyxy[truth.crowd]
        sides = np.minimum(boxes[:, None, 2:], crowds[None, :, 2:]) - np.maximum(
            boxes[:, None, :2], crowds[None, :, :2]
        )
        area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
        overlap[:, truth.crowd] = np.prod(np.clip(sides, 0, None), axis=2) / np.maximum(area, 1e-9)[:, None]
    return overlap


def _interpolated(hits: NDArray[np.bool_], truths: int) -> NDArray[np.float64]:
    """(101,) for each of RECALLS the best precision at it or at a higher one."""
    found = np.cumsum(hits)
    precision, recall = found / np.arange(1, len(hits) + 1), found / max(truths, 1)
    best_after = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    interpolated: NDArray[np.float64] = best_after[np.searchsorted(recall, RECALLS, side="left")]
    return interpolated
