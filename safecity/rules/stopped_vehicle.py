"""stopped_vehicle: a vehicle stands in a zone for longer than it may. One event per stop, however long it
lasts.

A vehicle stands while its box stays on the place where it stopped. The event is opened after
``dwell_seconds`` and closed when it has moved away, or has not been seen for ``lost_seconds``; being hidden
by what passes, or missed by the detector, does not end a stop. A vehicle that stood there when the camera
began to look counts after ``dwell_seconds``, too. Seen again on the same place, it is the same stop: a
parked car is one event, not one every hour.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from safecity.event import Event, Severity
from safecity.geometry import iou
from safecity.message import Box, Name
from safecity.observation import Observation, TrackState
from safecity.rules._zone import Zone
from safecity.rules.base import Scene, TrackMemory, TrackRuleSettings, closed, opened

SAME_PLACE = 0.5
"""Overlap of two boxes of a vehicle that has not moved."""
MOVED_SECONDS = 2.0
"""Off its place for so long, a vehicle has moved; for less its box was wrong."""
FORGET_AFTER = timedelta(hours=2)


class Settings(TrackRuleSettings):
    """What stopped_vehicle is configured with."""

    sleeps: ClassVar[bool] = True
    kind: Literal["stopped_vehicle"] = "stopped_vehicle"
    labels: tuple[str, ...] = Field(
        default=("car", "truck", "bus", "motorcycle"),
        min_length=1,
        description="classes of object that the rule looks at",
    )
    zone: Name = Field(description="where no vehicle should stand")
    dwell_seconds: float = Field(default=60.0, gt=0.0, le=86_400.0, description="standing longer counts")
    lost_seconds: float = Field(
        default=600.0, ge=0.0, le=3600.0, description="not seen for so long, it is taken to have gone"
    )
    severity: Severity = Field(default=Severity.MEDIUM, description="how much an operator should care")
    evidence: Literal["first", "best"] = Field(
        default="best",
        description="best: a better picture that comes later is sent in a revision of the event",
    )


@dataclass
class _Stop:
    place: Box | None = None
    since: datetime | None = None
    last_there: datetime | None = None
    off_since: datetime | None = None
    reported: bool = False
    event: Event | None = None


class StoppedVehicle:
    """The rule stopped_vehicle."""

    def __init__(self, settings: Settings, scene: Scene) -> None:
        self._settings = settings
        self._scene = scene
        self._zone = Zone(scene, settings.zone)
        self._dwell = timedelta(seconds=max(settings.dwell_seconds, settings.persistence_seconds))
        self._lost = timedelta(seconds=settings.lost_seconds)
        self._stops = TrackMemory(_Stop, FORGET_AFTER)

    def update(self, observation: Observation) -> list[Event]:
        """See :class:`safecity.rules.base.Rule`."""
        now = observation.captured_at
        events = []
        for track, inside in zip(observation.tracks, self._zone.holds(observation.tracks), strict=True):
            stop = self._stops.seen(track.track_id, now)
            if self._has_moved(stop, track, now):
                events += self._end(stop, now)
                stop.place, stop.since, stop.reported = track.box, now, False
            if stop.off_since is None:
                stop.last_there = now
                if inside and not stop.reported and now - (stop.since or now) >= self._dwell:
                    stop.reported, stop.event = True, self._begin(stop, track, now)
                    events.append(stop.event)
        for stop in self._stops.states():
            if stop.last_there is not None and now - stop.last_there > self._lost:
                events += self._end(stop, now)
        self._stops.forget_before(now)
        return events

    def _has_moved(self, stop: _Stop, track: TrackState, now: datetime) -> bool:
        if stop.place is None:
            return True
        if float(iou(np.array([stop.place]), np.array([track.box]))[0, 0]) >= SAME_PLACE:
            stop.off_since = None
            return False
        stop.off_since = stop.off_since or now
        if now - stop.off_since < timedelta(seconds=MOVED_SECONDS):
            return False
        stop.off_since = None
        return True

    def _begin(self, stop: _Stop, track: TrackState, now: datetime) -> Event:
        return opened(
            self._scene,
            self._settings,
            now,
            ordinal=track.track_id,
            tracks=(track,),
            zone=self._settings.zone,
            attributes={"dwell_seconds": _seconds(stop)},
        )

    def _end(self, stop: _Stop, now: datetime) -> list[Event]:
        event, stop.event = stop.event, None
        return [closed(event, now, attributes={"dwell_seconds": _seconds(stop)})] if event else []


def _seconds(stop: _Stop) -> float:
    if stop.since is None or stop.last_there is None:
        return 0.0
    return round((stop.last_there - stop.since).total_seconds(), 3)


def build(settings: Settings, scene: Scene) -> StoppedVehicle:
    """Plug-in entry: the rule for one scene."""
    return StoppedVehicle(settings, scene)
