"""How alike two models see the same pictures: a quantised one and its original, a new one and the old."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from detectors.detections import Detections
from safecity.geometry import iou

OVERLAP = 0.5
FAINTER = 0.5
"""A detection counts as confirmed when the other model sees it with at least this share of the confidence
asked for: else each one that crosses the threshold by a hair would count as a difference."""


@dataclass(frozen=True)
class Agreement:
    """Over all pictures."""

    pictures: int
    first: int
    """Detections of the first model with the confidence asked for."""
    second: int
    matched_share: float
    """Of both models' detections, those that the other one has too; 1 when neither sees anything."""
    confidence_difference: float
    """Mean of second minus first over the matched ones: below 0 the second is less sure."""

    @property
    def empty(self) -> bool:
        """Neither model saw anything, so nothing was compared."""
        return self.first + self.second == 0

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        return {key: round(value, 4) for key, value in asdict(self).items()}


def agreement(first: Sequence[Detections], second: Sequence[Detections], confidence: float) -> Agreement:
    """Compare two models' detections, picture by picture; both down to FAINTER times ``confidence``."""
    matched = sure_first = sure_second = 0
    differences: list[float] = []
    for one, other in zip(first, second, strict=True):
        pairs = _pairs(one, other)
        sure_one, sure_other = one.confidence >= confidence, other.confidence >= confidence
        sure_first += int(sure_one.sum())
        sure_second += int(sure_other.sum())
        least = FAINTER * confidence
        for row, column in pairs:
            if min(one.confidence[row], other.confidence[column]) < least:
                continue
            matched += int(sure_one[row]) + int(sure_other[column])
            if sure_one[row] or sure_other[column]:
                differences.append(float(other.confidence[column] - one.confidence[row]))
    total = sure_first + sure_second
    return Agreement(
        pictures=len(first),
        first=sure_first,
        second=sure_second,
        matched_share=matched / total if total else 1.0,
        confidence_difference=float(np.mean(differences)) if differences else 0.0,
    )


def _pairs(one: Detections, other: Detections) -> list[tuple[int, int]]:
    """Detections of the same class that overlap, each in one pair at most, the most confident first."""
    overlap = iou(one.xyxy, other.xyxy)
    overlap[one.class_id[:, None] != other.class_id[None, :]] = 0.0
    pairs = []
    for row in np.argsort(-one.confidence, kind="stable"):
        if overlap.shape[1] == 0:
            break
        column = int(np.argmax(overlap[row]))
        if overlap[row, column] >= OVERLAP:
            pairs.append((int(row), column))
            overlap[:, column] = 0.0
    return pairs
