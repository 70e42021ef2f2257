"""A tracker in the manner of ByteTrack: confident detections first, faint ones to keep what is known.

ByteTrack, Zhang et al. 2022, https://arxiv.org/abs/2110.06864. The motion model is a Kalman filter with
constant velocity for each of centre x, centre y, width and height, with the real time between pictures.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from detectors.detections import Detections
from detectors.kalman import BoxFilter
from safecity.geometry import iou

LOST_SECONDS = 3.0
"""A track unseen for so long has ended."""
COAST_SECONDS = 0.5
"""A confirmed track is reported on for so long without being seen."""
CONFIRM_HITS = 3
FIRST_GATE = 0.15
SECOND_GATE = 0.35
STATIONARY_SECONDS = 3.0
STATIONARY_SHARE = 0.25
"""Of its own height: an object that has moved less in STATIONARY_SECONDS stays where it is."""
GROUPS = (frozenset({"car", "truck", "bus"}), frozenset({"bicycle", "motorcycle"}))
"""Classes that a detector mistakes for each other from one picture to the next."""


@dataclass(frozen=True)
class Track:
    """One object, as it is now."""

    track_id: int
    label: str
    confidence: float
    xyxy: NDArray[np.float64]
    """(4,) pixels."""
    velocity: NDArray[np.float64]
    """(2,) of the centre, pixels a second."""
    stationary: bool
    age_seconds: float


@dataclass
class _Target:
    filter: BoxFilter
    group: int
    born: float
    last_seen: float
    confidence: float
    hits: int = 1
    track_id: int | None = None
    votes: Counter[int] = field(default_factory=Counter)
    anchor: tuple[float, float, float] = (0.0, 0.0, 0.0)
    stationary: bool = False


class Tracker:
    """One camera's tracker.

    Args:
        labels: the detector's class names.
        start_confidence: fainter detections do not start a track.
    """

    def __init__(self, labels: Sequence[str], start_confidence: float = 0.4) -> None:
        self._labels = labels
        self._start = start_confidence
        self._group = np.array([_group_of(index, label) for index, label in enumerate(labels)])
        self._targets: list[_Target] = []
        self._next_id = 1
        self._now = 0.0

    def update(self, detections: Detections, seconds: float) -> list[Track]:
        """Take in what was seen at event time ``seconds``; the confirmed tracks, by id."""
        self._advance(seconds)
        high = np.nonzero(detections.confidence >= self._start)[0]
        faint = np.nonzero(detections.confidence < self._start)[0]
        free, high = self._associate(self._targets, detections, high, FIRST_GATE)
        free, _ = self._associate([t for t in free if t.hits >= CONFIRM_HITS], detections, faint, SECOND_GATE)
        self._targets += [
            self._born(detections, int(index)) for index in high if self._is_new(detections, int(index))
        ]
        self._targets = [t for t in self._targets if self._lives(t)]
        return self._report()

    def held(self, seconds: float) -> list[Track]:
        """Nothing moves at event time ``seconds``: every track is where it was."""
        elapsed, self._now = seconds - self._now, seconds
        for target in self._targets:
            target.last_seen += elapsed
            target.filter.rest()
        self._settle()
        return self._report()

    def _advance(self, seconds: float) -> None:
        elapsed, self._now = seconds - self._now, seconds
        for target in self._targets:
            target.filter.predict(max(0.0, elapsed))

    def _associate(
        self, targets: list[_Target], detections: Detections, chosen: NDArray[np.int64], gate: float
    ) -> tuple[list[_Target], NDArray[np.int64]]:
        """Match; the targets and detections that are left."""
        if not targets or len(chosen) == 0:
            return targets, chosen
        boxes = np.stack([target.filter.xyxy for target in targets])
        overlap = iou(boxes, detections.xyxy[chosen])
        groups = np.array([target.group for target in targets])
        same = groups[:, None] == self._group[detections.class_id[chosen]][None, :]
        # A long unseen target may have gone on otherwise: nearness counts beside overlap.
        likeness = np.where(same, np.maximum(overlap, self._nearness(targets, detections, chosen)), 0.0)
        rows, columns = linear_sum_assignment(-likeness)
        good = likeness[rows, columns] >= gate
        for row, column in zip(rows[good], columns[good], strict=True):
            self._seen(targets[row], detections, int(chosen[column]))
        left = [t for i, t in enumerate(targets) if i not in set(rows[good])]
        return left, np.delete(chosen, columns[good])

    def _nearness(
        self, targets: list[_Target], detections: Detections, chosen: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """(n, m) 0 to 0.5: foot points near each other, boxes of a like height."""
        boxes, seen = np.stack([t.filter.xyxy for t in targets]), detections.xyxy[chosen].astype(np.float64)
        height_a, height_b = boxes[:, 3] - boxes[:, 1], seen[:, 3] - seen[:, 1]
        feet_a = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1)
        feet_b = np.stack([(seen[:, 0] + seen[:, 2]) / 2, seen[:, 3]], axis=1)
        distance = np.linalg.norm(feet_a[:, None] - feet_b[None], axis=2)
        unseen = np.array([self._now - t.last_seen for t in targets])
        reach = np.maximum(height_a, 1.0) * (0.35 + 0.35 * np.clip(unseen, 0, 2))
        ratio = np.minimum(height_a[:, None], height_b[None]) / np.maximum(
            np.maximum(height_a[:, None], height_b[None]), 1e-6
        )
        near = np.clip(1 - distance / reach[:, None], 0, 1)
        return np.where(ratio > 0.6, 0.5 * near * ratio, 0.0)

    def _seen(self, target: _Target, detections: Detections, index: int) -> None:
        target.filter.correct(detections.xyxy[index].astype(np.float64))
        target.confidence = float(detections.confidence[index])
        target.votes[int(detections.class_id[index])] += 1
        target.last_seen = self._now
        target.hits += 1
        if target.hits >= CONFIRM_HITS and target.track_id is None:
            target.track_id, self._next_id = self._next_id, self._next_id + 1
        self._watch(target)

    def _is_new(self, detections: Detections, index: int) -> bool:
        """Not a second box on an object that is tracked already."""
        group = self._group[detections.class_id[index]]
        seen = [t.filter.xyxy for t in self._targets if t.last_seen == self._now and t.group == group]
        return not seen or float(iou(np.stack(seen), detections.xyxy[index][None]).max()) < 0.6

    def _born(self, detections: Detections, index: int) -> _Target:
        class_id = int(detections.class_id[index])
        target = _Target(
            BoxFilter(detections.xyxy[index].astype(np.float64)),
            int(self._group[class_id]),
            self._now,
            self._now,
            float(detections.confidence[index]),
            votes=Counter([class_id]),
        )
        self._watch(target)
        return target

    def _lives(self, target: _Target) -> bool:
        unseen = self._now - target.last_seen
        return unseen <= LOST_SECONDS if target.hits >= CONFIRM_HITS else unseen <= COAST_SECONDS

    def _watch(self, target: _Target) -> None:
        """Is it staying where it is?"""
        x1, y1, x2, y2 = target.filter.xyxy
        x, y, since = target.anchor
        moved = np.hypot((x1 + x2) / 2 - x, y2 - y)
        if since == 0.0 or moved > STATIONARY_SHARE * (y2 - y1):
            target.anchor, target.stationary = ((x1 + x2) / 2, y2, self._now), False
        elif self._now - since >= STATIONARY_SECONDS:
            target.stationary = True

    def _settle(self) -> None:
        for target in self._targets:
            self._watch(target)

    def _report(self) -> list[Track]:
        return [
            Track(
                track_id=target.track_id,
                label=self._labels[target.votes.most_common(1)[0][0]],
                confidence=target.confidence,
                xyxy=target.filter.xyxy,
                velocity=target.filter.velocity,
                stationary=target.stationary,
                age_seconds=self._now - target.born,
            )
            for target in sorted(self._targets, key=lambda t: t.track_id or 0)
            if target.track_id is not None and self._now - target.last_seen <= COAST_SECONDS
        ]


def _group_of(index: int, label: str) -> int:
    for number, group in enumerate(GROUPS):
        if label in group:
            return -1 - number
    return index
