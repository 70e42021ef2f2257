"""A tracker in the manner of ByteTrack: confident detections first, faint ones to keep what is known.

ByteTrack, Zhang et al. 2022, https://arxiv.org/abs/2110.06864. The motion model is a Kalman filter with
constant velocity and the real time between pictures; all spans are seconds, so that the tracker is the same
at any analysed rate. A track is reported only while a detection supports it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.association import associate
from detectors.detections import Detections
from detectors.target import Target, Track
from safecity.geometry import iou
from safecity.labels import GROUPS

__all__ = ["Track", "Tracker"]

FAINT_SHARE = 0.7
"""Of the confidence that starts a track: fainter detections are noise and keep nothing alive."""
FAINT_SECONDS = 0.7
"""Faint detections keep a track, but do not bring one back that has been lost for longer."""
LOST_SECONDS = 3.0
"""A track unseen for so long has ended."""
SUSPICION_SECONDS = 0.5
"""What is not confirmed and unseen for so long was nothing."""
LEAST_OVERLAP = 0.15
"""Of buffered boxes. Low, since the assignment as a whole sorts out who is who."""
LEAST_FAINT_OVERLAP = 0.6
"""Faint detections are many: only one that lies where the track was expected is taken."""
SAME_OBJECT = 0.6
"""Overlap of two boxes that are one object, as in the suppression of detections."""
DOUBLE = 0.75
"""Two tracks that overlap by more follow one object; people who pass each other overlap by less."""
LOOKED_AT = 0.8
"""Share of its box that has to lie in a region for an object to be missed there."""


class Tracker:
    """One camera's tracker.

    Args:
        labels: the detector's class names.
        start_confidence: fainter detections do not start a track.
    """

    def __init__(self, labels: Sequence[str], start_confidence: float = 0.5) -> None:
        self._labels = labels
        self._start = start_confidence
        self._group = np.array([_group_of(index, label) for index, label in enumerate(labels)])
        self._targets: list[Target] = []
        self._next_id = 1
        self._seconds = 0.0
        self._now = 0.0

    def update(
        self, detections: Detections, seconds: float, looked_at: NDArray[np.float64] | None = None
    ) -> list[Track]:
        """Take in what was seen at event time ``seconds``; the tracks that it supports, by id.

        Args:
            detections: what was seen.
            seconds: event time.
            looked_at: (n, 4) pixels: the regions that were looked at, None for the whole picture. What lies
                elsewhere stays where it was.
        """
        elapsed = self._advance(seconds)
        for target in self._targets:
            if looked_at is None or _lies_in(target.filter.xyxy, looked_at):
                target.predict(elapsed)
            else:
                target.rest(self._now)
        self._targets = [t for t in self._targets if t.unseen_seconds <= LOST_SECONDS]
        sure = detections.select(detections.confidence >= self._start)
        faint = detections.select(
            (detections.confidence < self._start) & (detections.confidence >= FAINT_SHARE * self._start)
        )
        confirmed = [t for t in self._targets if t.confirmed]
        sure = self._match(confirmed, sure, LEAST_OVERLAP)
        recent = [t for t in confirmed if not t.supported and t.unseen_seconds <= FAINT_SECONDS + elapsed]
        self._match(recent, faint, LEAST_FAINT_OVERLAP)
        sure = self._match([t for t in self._targets if not t.confirmed], sure, LEAST_OVERLAP)
        self._start_tracks(sure)
        self._targets = [t for t in self._without_doubles() if self._lives(t)]
        self._number()
        return self._report()

    def held(self, seconds: float) -> list[Track]:
        """Nothing moves at event time ``seconds``: every track is where it was."""
        self._advance(seconds)
        for target in self._targets:
            target.rest(self._now)
        return self._report()

    def expected(self, seconds: float) -> NDArray[np.float64]:
        """(n, 4) pixels: where at event time ``seconds`` the objects should be that may move."""
        elapsed = max(0.0, seconds - self._seconds)
        boxes = [
            target.filter.xyxy + np.tile(target.filter.velocity * elapsed, 2)
            for target in self._targets
            if not target.stationary
        ]
        return np.array(boxes).reshape(-1, 4)

    def _advance(self, seconds: float) -> float:
        """Seconds gone by. A camera's clock that is set back stops the tracker's own for one picture."""
        elapsed = max(0.0, seconds - self._seconds)
        self._seconds = seconds
        self._now += elapsed
        return elapsed

    def _match(self, targets: list[Target], seen: Detections, least: float) -> Detections:
        """Take in the detections that belong to ``targets``; those that are left."""
        left = np.ones(len(seen), bool)
        for row, column in associate(targets, seen, self._groups(seen), least):
            targets[row].see(
                seen.xyxy[column].astype(np.float64),
                int(seen.class_id[column]),
                float(seen.confidence[column]),
                self._now,
            )
            left[column] = False
        return seen.select(left)

    def _start_tracks(self, seen: Detections) -> None:
        """A target for each detection that is no second box on something that is tracked already."""
        known = [t for t in self._targets if t.supported]
        for box, class_id, confidence, group in zip(
            seen.xyxy.astype(np.float64), seen.class_id, seen.confidence, self._groups(seen), strict=True
        ):
            same = [t.filter.xyxy for t in known if t.group == group]
            if not same or float(iou(np.stack(same), box[None]).max()) < SAME_OBJECT:
                known.append(Target(box, int(class_id), float(confidence), int(group), self._now))
                self._targets.append(known[-1])

    def _without_doubles(self) -> list[Target]:
        """Of two targets that are supported and lie on one another, the older one."""
        kept: list[Target] = []
        for target in sorted(self._targets, key=lambda t: (not t.confirmed, t.born)):
            rivals = [k.filter.xyxy for k in kept if k.group == target.group and k.supported]
            double = (
                target.supported
                and rivals
                and float(iou(np.stack(rivals), target.filter.xyxy[None]).max()) > DOUBLE
            )
            if not double:
                kept.append(target)
        return kept

    def _lives(self, target: Target) -> bool:
        return target.unseen_seconds <= (LOST_SECONDS if target.confirmed else SUSPICION_SECONDS)

    def _number(self) -> None:
        for target in self._targets:
            if target.confirmed and target.track_id is None:
                target.track_id, self._next_id = self._next_id, self._next_id + 1

    def _groups(self, seen: Detections) -> NDArray[np.int64]:
        groups: NDArray[np.int64] = self._group[seen.class_id]
        return groups

    def _report(self) -> list[Track]:
        tracks = [t.track(self._labels, self._now) for t in self._targets if t.track_id and t.supported]
        return sorted(tracks, key=lambda track: track.track_id)


def _lies_in(box: NDArray[np.float64], regions: NDArray[np.float64]) -> bool:
    """Whether one of ``regions`` (n, 4) holds nearly all of ``box`` (4,)."""
    sides = np.minimum(box[2:], regions[:, 2:]) - np.maximum(box[:2], regions[:, :2])
    overlap = np.prod(np.clip(sides, 0, None), axis=1)
    return bool(overlap.max(initial=0.0) >= LOOKED_AT * np.prod(box[2:] - box[:2]))


def _group_of(index: int, label: str) -> int:
    for number, group in enumerate(GROUPS):
        if label in group:
            return -1 - number
    return index
