"""How good detections and tracks are, against a truth that people have drawn.

Average precision as in COCO at one overlap (101 recall points); MOTA from CLEAR MOT (Bernardin and
Stiefelhagen 2008, https://doi.org/10.1155/2008/246309); IDF1 from Ristani et al. 2016, https://arxiv.org/abs/1609.01775
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from safecity.geometry import iou

HIT = 0.5
"""Least overlap of a box with the one that it stands for."""


@dataclass(frozen=True)
class Boxes:
    """Numbered boxes in one picture: of the truth, or of a tracker."""

    ids: tuple[int, ...]
    xyxy: NDArray[np.float64]
    """(n, 4) pixels."""


@dataclass(frozen=True)
class TrackingScore:
    """How well a tracker did."""

    mota: float
    idf1: float
    misses: int
    false_alarms: int
    switches: int
    truths: int
    """Boxes of the truth."""


def read_mot(path: Path) -> dict[int, Boxes]:
    """A truth in the MOT format (``frame,id,left,top,width,height,…``), by frame, the first being 1.

    Raises:
        ValueError: a line is not in that format.
    """
    rows: dict[int, list[tuple[float, ...]]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            frame, identity, left, top, width, height = (float(field) for field in line.split(",")[:6])
        except ValueError:
            raise ValueError(f"{path}:{number}: want frame,id,left,top,width,height: {line[:80]!r}") from None
        rows.setdefault(int(frame), []).append((identity, left, top, left + width, top + height))
    return {
        frame: Boxes(tuple(int(box[0]) for box in boxes), np.array([box[1:] for box in boxes]))
        for frame, boxes in rows.items()
    }


def average_precision(
    pictures: Sequence[tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.floating]]],
) -> float:
    """Average precision of one class at an overlap of HIT.

    Args:
        pictures: for each the detected boxes (n, 4), their confidences (n,) and the true boxes (m, 4).
    """
    confidences: list[float] = []
    hits: list[bool] = []
    for boxes, confidence, truth in pictures:
        overlap = iou(boxes, truth)
        for index in np.argsort(-confidence, kind="stable"):
            best = int(np.argmax(overlap[index])) if len(truth) else 0
            hit = bool(len(truth)) and overlap[index, best] >= HIT
            if hit:
                overlap[:, best] = 0.0
            confidences.append(float(confidence[index]))
            hits.append(hit)
    truths = sum(len(truth) for _, _, truth in pictures)
    if truths == 0 or not hits:
        return 0.0
    found = np.cumsum(np.array(hits)[np.argsort(-np.array(confidences), kind="stable")])
    precision, recall = found / np.arange(1, len(found) + 1), found / truths
    best_after = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    return float(best_after[np.searchsorted(recall, np.linspace(0, 1, 101), side="left")].mean())


def score_tracks(pictures: Sequence[tuple[Boxes, Boxes]]) -> TrackingScore:
    """MOTA and IDF1 of a tracker.

    Args:
        pictures: in order of time, the truth and what the tracker said.
    """
    misses = false_alarms = switches = 0
    known: dict[int, int] = {}
    together: Counter[tuple[int, int]] = Counter()
    for truth, said in pictures:
        overlap = iou(truth.xyxy.reshape(-1, 4), said.xyxy.reshape(-1, 4))
        together.update((truth.ids[row], said.ids[column]) for row, column in np.argwhere(overlap >= HIT))
        pairs = _pairs(truth, said, overlap, known)
        misses += len(truth.ids) - len(pairs)
        false_alarms += len(said.ids) - len(pairs)
        switches += sum(known.get(true_id, said_id) != said_id for true_id, said_id in pairs)
        known.update(pairs)
    truths = sum(len(truth.ids) for truth, _ in pictures)
    saids = sum(len(said.ids) for _, said in pictures)
    return TrackingScore(
        mota=1 - (misses + false_alarms + switches) / max(truths, 1),
        idf1=2 * _identity_hits(together) / max(truths + saids, 1),
        misses=misses,
        false_alarms=false_alarms,
        switches=switches,
        truths=truths,
    )


def _pairs(
    truth: Boxes, said: Boxes, overlap: NDArray[np.float64], known: dict[int, int]
) -> list[tuple[int, int]]:
    """(true id, said id) of this picture; a pair that was one before stays one while it can."""
    gain = np.where(overlap >= HIT, overlap, 0.0)
    kept = np.array([[known.get(t) == s for s in said.ids] for t in truth.ids], bool).reshape(gain.shape)
    rows, columns = linear_sum_assignment(-(gain + 10.0 * (kept & (gain > 0))))
    return [(truth.ids[r], said.ids[c]) for r, c in zip(rows, columns, strict=True) if gain[r, c] > 0]


def _identity_hits(together: Counter[tuple[int, int]]) -> int:
    """Boxes that are right when each true object is given the one track that serves it best as a whole."""
    true_ids = sorted({pair[0] for pair in together})
    said_ids = sorted({pair[1] for pair in together})
    table = np.array([[together[t, s] for s in said_ids] for t in true_ids]).reshape(
        len(true_ids), len(said_ids)
    )
    rows, columns = linear_sum_assignment(-table)
    return int(table[rows, columns].sum())
