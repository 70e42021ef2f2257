"""zone_entered: an object's foot point comes into a zone and stays there for a moment.

An object that is first seen inside counts as entering. One that leaves and comes back within
``reentry_seconds`` is still the same visit.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
from pydantic import Field

from safecity.event import Event
from safecity.geometry import points_in_polygon
from safecity.message import Name
from safecity.observation import Observation
from safecity.rules.base import RuleSettings, Scene, TrackMemory, foot_point, moment


class Settings(RuleSettings):
    """What zone_entered is configured with."""

    kind: Literal["zone_entered"] = "zone_entered"
    zone: Name = Field(description="the zone to watch")
    persistence_seconds: float = Field(
        default=0.4, ge=0.0, le=60.0, description="inside for so long before it counts"
    )
    reentry_seconds: float = Field(
        default=3.0, ge=0.0, le=3600.0, description="outside for so long before coming back counts again"
    )


@dataclass
class _Visit:
    since: datetime | None = None
    last_inside: datetime | None = None
    reported: bool = False


class ZoneEntered:
    """The rule zone_entered."""

    def __init__(self, settings: Settings, scene: Scene) -> None:
        self._settings = settings
        self._scene = scene
        self._polygon = scene.zones[settings.zone]
        self._visits = TrackMemory(_Visit)

    def update(self, observation: Observation) -> list[Event]:
        """See :class:`safecity.rules.base.Rule`."""
        now = observation.captured_at
        tracks = [t for t in observation.tracks if t.label in self._settings.labels]
        if not tracks:
            return []
        inside = points_in_polygon(np.stack([foot_point(t) for t in tracks]), self._polygon)
        events = []
        for track, is_inside in zip(tracks, inside, strict=True):
            visit = self._visits.seen(track.track_id, now)
            if is_inside and self._counts(visit, now):
                events.append(moment(self._scene, self._settings, track, now, zone=self._settings.zone))
        self._visits.forget_before(now)
        return events

    def _counts(self, visit: _Visit, now: datetime) -> bool:
        reentry = timedelta(seconds=self._settings.reentry_seconds)
        if visit.last_inside is None or now - visit.last_inside > reentry:
            visit.since, visit.reported = now, False
        visit.last_inside = now
        stayed = now - (visit.since or now)
        if visit.reported or stayed < timedelta(seconds=self._settings.persistence_seconds):
            return False
        visit.reported = True
        return True


def build(settings: Settings, scene: Scene) -> ZoneEntered:
    """Plug-in entry: the rule for one scene."""
    return ZoneEntered(settings, scene)
