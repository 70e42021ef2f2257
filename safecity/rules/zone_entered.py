"""zone_entered: an object's foot point comes into a zone and stays there for a moment. Once per visit.

An object that is first seen inside counts as entering. One that leaves and comes back within
``reentry_seconds`` is still the same visit.
"""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from safecity.event import Event
from safecity.message import Name
from safecity.observation import Observation
from safecity.rules._zone import Stay, Zone
from safecity.rules.base import FORGET_AFTER, Scene, TrackMemory, TrackRuleSettings, moment


class Settings(TrackRuleSettings):
    """What zone_entered is configured with."""

    kind: Literal["zone_entered"] = "zone_entered"
    zone: Name = Field(description="the zone to watch")
    persistence_seconds: float = Field(
        default=0.4, ge=0.0, le=60.0, description="inside for so long before it counts"
    )
    reentry_seconds: float = Field(
        default=3.0, ge=0.0, le=3600.0, description="outside for so long before coming back counts again"
    )


class ZoneEntered:
    """The rule zone_entered."""

    def __init__(self, settings: Settings, scene: Scene) -> None:
        self._settings = settings
        self._scene = scene
        self._zone = Zone(scene, settings.zone)
        self._reentry = timedelta(seconds=settings.reentry_seconds)
        self._persistence = timedelta(seconds=settings.persistence_seconds)
        self._visits = TrackMemory(Stay, max(FORGET_AFTER, self._reentry))

    def update(self, observation: Observation) -> list[Event]:
        """See :class:`safecity.rules.base.Rule`."""
        now = observation.captured_at
        events = []
        for track, inside in zip(observation.tracks, self._zone.holds(observation.tracks), strict=True):
            visit = self._visits.seen(track.track_id, now)
            if not inside or visit.extend(now, self._reentry) < self._persistence or visit.reported:
                continue
            visit.reported = True
            events.append(moment(self._scene, self._settings, track, now, zone=self._settings.zone))
        self._visits.forget_before(now)
        return events


def build(settings: Settings, scene: Scene) -> ZoneEntered:
    """Plug-in entry: the rule for one scene."""
    return ZoneEntered(settings, scene)
