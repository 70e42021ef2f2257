"""CLEAR MOT: what is missed, what is seen that is not there, and how often an identity changes.

Bernardin and Stiefelhagen 2008, https://doi.org/10.1155/2008/246309. A pair of the picture before stays a
pair while it can; an identity has changed when an object is paired with another track than the last time,
however long ago that was, as the MOTChallenge counts it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from detectors.evaluation.boxes import EXACT, HIT, Boxes, Pictures
from safecity.geometry import iou

FAITHFUL = 1000.0
"""Worth of a pair that was one before: more than any overlap."""


@dataclass(frozen=True)
class ClearMot:
    """How well a tracker sees."""

    mota: float
    """1 - (misses + false alarms + id switches) / truths; may be below 0."""
    misses: int
    false_alarms: int
    id_switches: int
    fragmentations: int
    """How often an object that was followed is followed again after a gap."""
    truths: int
    """Boxes of the truth."""


def clear_mot(pictures: Pictures) -> ClearMot:
    """MOTA and what it is made of."""
    misses = false_alarms = switches = fragmentations = 0
    before: dict[int, int] = {}
    last: dict[int, int] = {}
    for truth, said in pictures:
        pairs = _pairs(truth, said, before)
        misses += len(truth) - len(pairs)
        false_alarms += len(said) - len(pairs)
        switches += sum(last.get(true_id, said_id) != said_id for true_id, said_id in pairs.items())
        fragmentations += sum(true_id in last and true_id not in before for true_id in pairs)
        last.update(pairs)
        before = pairs
    truths = sum(len(truth) for truth, _ in pictures)
    return ClearMot(
        mota=1 - (misses + false_alarms + switches) / max(truths, 1),
        misses=misses,
        false_alarms=false_alarms,
        id_switches=switches,
        fragmentations=fragmentations,
        truths=truths,
    )


def _pairs(truth: Boxes, said: Boxes, before: dict[int, int]) -> dict[int, int]:
    """Said id by true id in this picture."""
    overlap = iou(truth.xyxy, said.xyxy)
    worth: NDArray[np.float64] = overlap + FAITHFUL * np.array(
        [[before.get(t) == s for s in said.ids] for t in truth.ids], bool
    ).reshape(overlap.shape)
    worth[overlap < HIT - EXACT] = 0.0
    rows, columns = linear_sum_assignment(-worth)
    return {truth.ids[r]: said.ids[c] for r, c in zip(rows, columns, strict=True) if worth[r, c] > 0}
