"""A tracker in the manner of ByteTrack: confident detections first, faint ones to keep what is known.

ByteTrack, Zhang et al. 2022, https://arxiv.org/abs/2110.06864. The motion model is a Kalman filter with
constant velocity and the real time between pictures; all spans are seconds, so that the tracker is the same
at any analysed rate. A track is reported only while a detection supports it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.association import associate
from detectors.detections import Detections
from detectors.sightings import Sightings
from detectors.target import Target, Track
from detectors.tracker_state import TrackerState
from safecity.geometry import iou
from safecity.labels import GROUPS

__all__ = ["Track", "Tracker"]

FAINT_SHARE = 0.4
"""Of the confidence that starts a track: fainter detections are noise and keep nothing alive."""
FAINT_SECONDS = 0.7
"""Faint detections keep a track, but do not bring one back that has been lost for longer."""
LEAST_OVERLAP = 0.1
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
        self,
        detections: Detections,
        seconds: float,
        *,
        looked_at: NDArray[np.float64] | None = None,
        colours: NDArray[np.float32] | None = None,
    ) -> list[Track]:
        """Take in what was seen at event time ``seconds``; the tracks that it supports, by id.

        Args:
            detections: faint ones too.
            seconds: event time.
            looked_at: (n, 4) pixels: the regions that were looked at, None for the whole picture. What was
                seen elsewhere before stays where it was.
            colours: (n, d) of the detections, from ``detectors.appearance``; they tell apart those who meet.
        """
        elapsed = self._advance(seconds)
        seen_anew = self._lie_in(looked_at)
        for target, anew in zip(self._targets, seen_anew, strict=True):
            if anew or not target.supported:
                target.predict(elapsed)
            else:
                target.rest(self._now)
        self._targets = [t for t in self._targets if t.lives(self._now)]
        seen = Sightings.of(detections, self._group[detections.class_id], colours)
        sure = seen.select(seen.confidence >= self._start)
        faint = seen.select((seen.confidence < self._start) & (seen.confidence >= FAINT_SHARE * self._start))
        confirmed = [t for t in self._targets if t.confirmed]
        sure = self._match(confirmed, sure, LEAST_OVERLAP)
        recent = [t for t in confirmed if not t.supported and t.unseen_seconds <= FAINT_SECONDS + elapsed]
        self._match(recent, faint, LEAST_FAINT_OVERLAP)
        sure = self._match([t for t in self._targets if not t.confirmed], sure, LEAST_OVERLAP)
        self._start_tracks(sure)
        self._targets = [t for t in self._without_doubles() if t.lives(self._now)]
        self._number()
        return self._report()

    def held(self, seconds: float) -> list[Track]:
        """Nothing moves at event time ``seconds``: every track is where it was."""
        self._advance(seconds)
        for target in self._targets:
            target.rest(self._now)
        return self._report()

    def expected(self, seconds: float) -> NDArray[np.float64]:
        """(n, 4) pixels: where at event time ``seconds`` what may move and is not lost should be."""
        elapsed = max(0.0, seconds - self._seconds)
        boxes = [
            target.filter.xyxy + np.tile(target.filter.velocity * elapsed, 2)
            for target in self._targets
            if not target.stationary and target.unseen_seconds <= FAINT_SECONDS
        ]
        return np.array(boxes).reshape(-1, 4)

    def state(self) -> dict[str, Any]:
        """What has to be known to go on after a restart, as values that JSON can hold."""
        targets = tuple(target.state(self._labels) for target in self._targets if target.track_id)
        state = TrackerState(next_id=self._next_id, now=self._now, targets=targets)
        return state.model_dump(mode="json")

    def restore(self, state: dict[str, Any], seconds: float, skipped_ids: int = 0) -> None:
        """Go on where another tracker was when ``state`` was taken; before the first ``update``.

        Objects are waited for as if the camera had been covered; none is reported before it is seen.

        Args:
            state: of ``Tracker.state``.
            seconds: event time at which it was taken, by the clock of this tracker's updates.
            skipped_ids: so many are left out, where some may have been given out after ``state`` was taken.

        Raises:
            ValueError: it is no such state.
        """
        known = TrackerState.model_validate(state)
        self._next_id = max(known.next_id, *(t.track_id + 1 for t in known.targets), 1) + skipped_ids
        self._now, self._seconds = known.now, seconds
        self._targets = []
        for target in known.targets:
            votes = {self._labels.index(k): v for k, v in target.votes.items() if k in self._labels}
            if votes:
                group = int(self._group[max(votes, key=votes.__getitem__)])
                self._targets.append(Target.restored(target, votes, group))

    def _advance(self, seconds: float) -> float:
        """Seconds gone by. A camera's clock that is set back stops the tracker's own for one picture."""
        elapsed = max(0.0, seconds - self._seconds)
        self._seconds = seconds
        self._now += elapsed
        return elapsed

    def _match(self, targets: list[Target], seen: Sightings, least: float) -> Sightings:
        """Take in the sightings that belong to ``targets``; those that are left."""
        left = np.ones(len(seen), bool)
        for row, column in associate(targets, seen, least):
            target = targets[row]
            target.see(
                seen.xyxy[column], int(seen.class_id[column]), float(seen.confidence[column]), self._now
            )
            if seen.colours is not None and seen.clear[column] and seen.colours[column].any():
                target.wear(seen.colours[column])
            left[column] = False
        return seen.select(left)

    def _start_tracks(self, seen: Sightings) -> None:
        """A target for each sighting that is no second box on something that is tracked already."""
        known = [t for t in self._targets if t.supported]
        for box, class_id, confidence, group in zip(
            seen.xyxy, seen.class_id, seen.confidence, seen.group, strict=True
        ):
            same = [t.filter.xyxy for t in known if t.group == group]
            if not same or float(iou(np.stack(same), box[None]).max()) < SAME_OBJECT:
                known.append(Target(box, int(class_id), float(confidence), int(group), self._now))
                self._targets.append(known[-1])

    def _without_doubles(self) -> list[Target]:
        """Of two targets that are supported and lie on one another, the older one."""
        ordered = sorted(self._targets, key=lambda t: (not t.confirmed, t.born))
        boxes = _boxes_of(ordered)
        overlaps = iou(boxes, boxes) > DOUBLE
        kept: list[int] = []
        for index, target in enumerate(ordered):
            older = [ordered[k] for k in kept if overlaps[index, k]] if target.supported else []
            if not any(rival.supported and rival.group == target.group for rival in older):
                kept.append(index)
        return [ordered[index] for index in kept]

    def _lie_in(self, regions: NDArray[np.float64] | None) -> NDArray[np.bool_]:
        """(n,) of which targets one of ``regions`` (m, 4) holds nearly all; None holds everything."""
        if regions is None:
            return np.ones(len(self._targets), bool)
        boxes = _boxes_of(self._targets)
        low = np.maximum(boxes[:, None, :2], regions[None, :, :2])
        high = np.minimum(boxes[:, None, 2:], regions[None, :, 2:])
        inside = np.prod(np.clip(high - low, 0, None), axis=2).max(axis=1, initial=0.0)
        return np.asarray(inside >= LOOKED_AT * np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), np.bool_)

    def _number(self) -> None:
        for target in self._targets:
            if target.confirmed and target.track_id is None:
                target.track_id, self._next_id = self._next_id, self._next_id + 1

    def _report(self) -> list[Track]:
        tracks = [t.track(self._labels, self._now) for t in self._targets if t.track_id and t.supported]
        return sorted(tracks, key=lambda track: track.track_id)


def _boxes_of(targets: Sequence[Target]) -> NDArray[np.float64]:
    """(n, 4) pixels."""
    return np.array([target.filter.xyxy for target in targets], np.float64).reshape(-1, 4)


def _group_of(index: int, label: str) -> int:
    for number, group in enumerate(GROUPS):
        if label in group:
            return -1 - number
    return index
