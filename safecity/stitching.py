"""Stitching: fragments of one object's track become one track, so that one person is one event.

A step between tracker and rules; pure. A track that begins near where and when one that has ended would have
gone on, of the same kind and size, is taken for it: rules see it under the number of the first fragment.
Something that stood still and begins again on the same place is the same for longer; a parked vehicle for an
hour, since what hides it or is wrong about it passes. Stored observations keep the tracker's own numbers.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from safecity.geometry import iou
from safecity.labels import VEHICLES, group_of
from safecity.observation import Observation, TrackState

MOVING_SECONDS = 5.0
STANDING_SECONDS = 30.0
PARKED_SECONDS = 3600.0
"""How long after its end a track is gone on with: of what moved, stood, or is a vehicle that stood."""
COAST_SECONDS = 1.5
"""An object goes on as it went for so long; further ahead nothing is known."""
REACH = 0.4
REACH_PER_SECOND = 0.35
"""Of the object's height: how far from the expected place it may begin again."""
LIKE_HEIGHT = 0.65
"""The smaller of two heights of one object, as a share of the larger."""
SAME_PLACE = 0.5
"""Overlap of two boxes of something that stood still."""
FRAGMENT_SECONDS = 60.0
"""No tracker brings a track back that it has not seen for so long."""
SWEEP = timedelta(seconds=1)
"""So often what is long gone is looked for."""
NEW_SECONDS = 3.0
"""Older tracks have not just begun: the tracker knew them before this step did."""


@dataclass
class _Identity:
    number: int
    """What rules see."""
    carrier: int
    """The tracker's number of its newest fragment."""
    track: TrackState
    first_seen: datetime
    last_seen: datetime

    @property
    def kept_seconds(self) -> float:
        """How long after its end it may be gone on with."""
        if not self.track.stationary:
            return MOVING_SECONDS
        return PARKED_SECONDS if self.track.label in VEHICLES else STANDING_SECONDS


class Stitcher:
    """One camera's stitching."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        """The tracker's number → the number that rules see."""
        self._last_seen: dict[int, datetime] = {}
        """Of each of the tracker's numbers."""
        self._identities: dict[int, _Identity] = {}
        self._swept_at = datetime.min.replace(tzinfo=UTC)

    def update(self, observation: Observation) -> Observation:
        """The observation as the rules are to see it."""
        now = observation.captured_at
        shape = observation.width / observation.height
        ids = {track.track_id for track in observation.tracks}
        self._part_those_who_are_two(ids)
        present = {self._numbers[i] for i in ids if i in self._numbers}
        for track in observation.tracks:
            if track.track_id not in self._numbers:
                number = self._number(track, now, shape, present)
                self._numbers[track.track_id] = number
                present.add(number)
        tracks = tuple(self._seen(track, now) for track in observation.tracks)
        if now - self._swept_at >= SWEEP:
            self._swept_at = now
            self._forget(now)
        as_it_is = all(a is b for a, b in zip(tracks, observation.tracks, strict=True))
        return observation if as_it_is else observation.changed(tracks=tracks)

    def _part_those_who_are_two(self, ids: set[int]) -> None:
        """A fragment that was gone on with by another is back beside it: they are not one object."""
        for track_id in sorted(ids & self._numbers.keys()):
            identity = self._identities.get(self._numbers[track_id])
            if identity is not None and identity.carrier != track_id and identity.carrier in ids:
                self._numbers[track_id] = self._free_number(track_id, identity.number)

    def _free_number(self, track_id: int, shared: int) -> int:
        """One of the numbers of the fragments that were taken for one: there are as many as fragments."""
        fragments = sorted(k for k, number in self._numbers.items() if number == shared)
        return next(number for number in (track_id, *fragments) if number not in self._identities)

    def _number(self, track: TrackState, now: datetime, shape: float, present: set[int]) -> int:
        """The number of the object whose track this goes on with; its own when there is none."""
        if track.age_seconds > NEW_SECONDS:
            return track.track_id
        ended = [i for i in self._identities.values() if i.number not in present]
        costs = [(cost, i.number) for i in ended if (cost := _misfit(i, track, now, shape)) is not None]
        return min(costs)[1] if costs else track.track_id

    def _seen(self, track: TrackState, now: datetime) -> TrackState:
        number = self._numbers[track.track_id]
        identity = self._identities.get(number)
        if identity is None:
            began = now - timedelta(seconds=track.age_seconds)
            identity = self._identities[number] = _Identity(number, track.track_id, track, began, now)
        identity.track, identity.carrier, identity.last_seen = track, track.track_id, now
        self._last_seen[track.track_id] = now
        if number == track.track_id:
            return track
        age = max(0.0, round((now - identity.first_seen).total_seconds(), 3))
        return track.changed(track_id=number, age_seconds=age)

    def _forget(self, now: datetime) -> None:
        for number, identity in list(self._identities.items()):
            if (now - identity.last_seen).total_seconds() > identity.kept_seconds:
                del self._identities[number]
        for track_id, last_seen in list(self._last_seen.items()):
            if (now - last_seen).total_seconds() > FRAGMENT_SECONDS:
                del self._last_seen[track_id], self._numbers[track_id]


def _misfit(ended: _Identity, track: TrackState, now: datetime, shape: float) -> float | None:
    """How far ``track`` is from where ``ended`` would be, in its heights; None when it is another object."""
    gap, last = (now - ended.last_seen).total_seconds(), ended.track
    if gap <= 0 or group_of(last.label) != group_of(track.label):
        return None
    if last.stationary and gap <= ended.kept_seconds and _overlap(last, track) >= SAME_PLACE:
        return 0.0
    height, other = last.box[3] - last.box[1], track.box[3] - track.box[1]
    if gap > MOVING_SECONDS or min(height, other) < LIKE_HEIGHT * max(height, other):
        return None
    coast = min(gap, COAST_SECONDS)
    (x, y), (left, top) = _centre(track), _centre(last)
    off_x = x - left - last.velocity[0] * coast
    off_y = y - top - last.velocity[1] * coast
    distance = math.hypot(off_x * shape, off_y) / max(height, other, 1e-6)
    return distance if distance <= REACH + REACH_PER_SECOND * gap else None


def _centre(track: TrackState) -> tuple[float, float]:
    x1, y1, x2, y2 = track.box
    return (x1 + x2) / 2, (y1 + y2) / 2


def _overlap(a: TrackState, b: TrackState) -> float:
    return float(iou(np.array([a.box]), np.array([b.box]))[0, 0])
