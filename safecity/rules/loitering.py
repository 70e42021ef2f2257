"""loitering: an object's foot point stays in a zone for longer than it should. One event per stay.

The event is opened when ``dwell_seconds`` are over, and closed when the object has been out of the zone or
of sight for more than ``gap_seconds``; for less it is the same stay.
"""

from datetime import datetime, timedelta
from typing import ClassVar, Literal

from pydantic import Field

from safecity.event import Event, Severity
from safecity.message import Name
from safecity.observation import Observation, TrackState
from safecity.rules._zone import Stay, Zone
from safecity.rules.base import FORGET_AFTER, Scene, TrackMemory, TrackRuleSettings, closed, opened


class Settings(TrackRuleSettings):
    """What loitering is configured with."""

    sleeps: ClassVar[bool] = True
    kind: Literal["loitering"] = "loitering"
    zone: Name = Field(description="the zone to watch")
    dwell_seconds: float = Field(default=60.0, gt=0.0, le=86_400.0, description="staying longer is loitering")
    gap_seconds: float = Field(
        default=3.0, ge=0.0, le=60.0, description="out of the zone or of sight for so long is the same stay"
    )
    severity: Severity = Field(default=Severity.MEDIUM, description="how much an operator should care")
    evidence: Literal["first", "best"] = Field(
        default="best",
        description="best: a better picture that comes later is sent in a revision of the event",
    )


class Loitering:
    """The rule loitering."""

    def __init__(self, settings: Settings, scene: Scene) -> None:
        self._settings = settings
        self._scene = scene
        self._zone = Zone(scene, settings.zone)
        self._gap = timedelta(seconds=settings.gap_seconds)
        self._dwell = timedelta(seconds=max(settings.dwell_seconds, settings.persistence_seconds))
        self._stays = TrackMemory(Stay, FORGET_AFTER + self._gap)

    def update(self, observation: Observation) -> list[Event]:
        """See :class:`safecity.rules.base.Rule`."""
        now = observation.captured_at
        ended = [self._end(stay, now) for stay in self._stays.states() if stay.is_over(now, self._gap)]
        events = [event for event in ended if event is not None]
        for track, inside in zip(observation.tracks, self._zone.holds(observation.tracks), strict=True):
            stay = self._stays.seen(track.track_id, now)
            if inside and stay.extend(now, self._gap) >= self._dwell and not stay.reported:
                stay.reported, stay.event = True, self._begin(stay, track, now)
                events.append(stay.event)
        self._stays.forget_before(now)
        return events

    def _begin(self, stay: Stay, track: TrackState, now: datetime) -> Event:
        return opened(
            self._scene,
            self._settings,
            now,
            ordinal=track.track_id,
            tracks=(track,),
            zone=self._settings.zone,
            attributes={"dwell_seconds": stay.seconds},
        )

    def _end(self, stay: Stay, now: datetime) -> Event | None:
        event, stay.event = stay.event, None
        return closed(event, now, attributes={"dwell_seconds": stay.seconds}) if event else None


def build(settings: Settings, scene: Scene) -> Loitering:
    """Plug-in entry: the rule for one scene."""
    return Loitering(settings, scene)
