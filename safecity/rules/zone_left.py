"""zone_left: an object that was in a zone has gone out of it, and stays out. Once per visit.

It has to have been inside for ``persistence_seconds``; seen outside for ``gap_seconds``, it has left. One
that is lost from sight inside counts after ``lost_seconds``, with ``seen_outside = false``: it may have gone
through a door; ``when_lost = false`` leaves those out. The event's time is when that is certain, and its
picture is of then; ``dwell_seconds`` says how long it was inside.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from safecity.event import Event
from safecity.message import Name
from safecity.observation import Observation, TrackState
from safecity.rules._zone import Stay, Zone
from safecity.rules.base import FORGET_AFTER, Scene, TrackMemory, TrackRuleSettings, moment


class Settings(TrackRuleSettings):
    """What zone_left is configured with."""

    kind: Literal["zone_left"] = "zone_left"
    zone: Name = Field(description="the zone to watch")
    persistence_seconds: float = Field(
        default=0.4, ge=0.0, le=3600.0, description="inside for so long before its leaving counts"
    )
    gap_seconds: float = Field(
        default=2.0, ge=0.0, le=60.0, description="seen outside for so long: it has left"
    )
    lost_seconds: float = Field(
        default=10.0, ge=0.0, le=3600.0, description="lost from sight inside for so long: it has left"
    )
    when_lost: bool = Field(default=True, description="whether one that is lost from sight inside counts")


@dataclass
class _Visit(Stay):
    last: TrackState | None = None
    seen_outside: bool = False


class ZoneLeft:
    """The rule zone_left."""

    def __init__(self, settings: Settings, scene: Scene) -> None:
        self._settings = settings
        self._scene = scene
        self._zone = Zone(scene, settings.zone)
        self._gap = timedelta(seconds=settings.gap_seconds)
        self._lost = timedelta(seconds=settings.lost_seconds)
        self._visits = TrackMemory(_Visit, FORGET_AFTER + self._lost)

    def update(self, observation: Observation) -> list[Event]:
        """See :class:`safecity.rules.base.Rule`."""
        now = observation.captured_at
        for track, inside in zip(observation.tracks, self._zone.holds(observation.tracks), strict=True):
            visit = self._visits.seen(track.track_id, now)
            visit.last, visit.seen_outside = track, not inside
            if inside:
                visit.extend(now, self._lost + FORGET_AFTER)
        events = [event for visit in self._visits.states() if (event := self._leaving(visit, now))]
        self._visits.forget_before(now)
        return events

    def _leaving(self, visit: _Visit, now: datetime) -> Event | None:
        if visit.last is None or not visit.is_over(now, self._gap if visit.seen_outside else self._lost):
            return None
        seconds, visit.since, visit.last_inside = visit.seconds, None, None
        if seconds < self._settings.persistence_seconds:
            return None
        if not visit.seen_outside and not self._settings.when_lost:
            return None
        told = {"dwell_seconds": seconds, "seen_outside": visit.seen_outside}
        return moment(self._scene, self._settings, visit.last, now, zone=self._settings.zone, attributes=told)


def build(settings: Settings, scene: Scene) -> ZoneLeft:
    """Plug-in entry: the rule for one scene."""
    return ZoneLeft(settings, scene)
