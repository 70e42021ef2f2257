"""All measures of a tracker together."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from detectors.evaluation.boxes import EXACT, HIT, Boxes, Pictures
from detectors.evaluation.clear_mot import clear_mot
from detectors.evaluation.hota import hota
from detectors.evaluation.identity import idf1
from safecity.geometry import iou


@dataclass(frozen=True)
class TrackingScore:
    """How well a tracker did; shares are 0 to 1 (MOTA may be negative)."""

    mota: float
    idf1: float
    hota: float
    deta: float
    assa: float
    id_switches: int
    fragmentations: int
    misses: int
    false_alarms: int
    truths: int
    """Boxes of the truth."""


def score_tracks(pictures: Pictures) -> TrackingScore:
    """MOTA, IDF1 and HOTA of what a tracker said."""
    clear, whole = clear_mot(pictures), hota(pictures)
    return TrackingScore(
        mota=clear.mota,
        idf1=idf1(pictures),
        hota=float(whole.hota.mean()),
        deta=float(whole.deta.mean()),
        assa=float(whole.assa.mean()),
        id_switches=clear.id_switches,
        fragmentations=clear.fragmentations,
        misses=clear.misses,
        false_alarms=clear.false_alarms,
        truths=clear.truths,
    )


def without_ignored(said: Boxes, truth: Boxes, ignored: Boxes) -> Boxes:
    """What was said of objects that count; what stands for an ignored one is neither right nor wrong."""
    overlap = iou(np.concatenate([truth.xyxy, ignored.xyxy]), said.xyxy)
    overlap[overlap < HIT - EXACT] = 0.0
    rows, columns = linear_sum_assignment(-overlap)
    taken = (overlap[rows, columns] > 0) & (rows >= len(truth))
    keep = np.setdiff1d(np.arange(len(said)), columns[taken])
    return Boxes(tuple(said.ids[index] for index in keep), said.xyxy[keep])
