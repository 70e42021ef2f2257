"""loitering: an object's foot point stays in a zone for longer than it should. Once per stay.

Being lost from sight or outside for up to ``gap_seconds`` does not interrupt a stay.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
from pydantic import Field

from safecity.event import Event, Severity
from safecity.geometry import points_in_polygon
from safecity.message import Name
from safecity.observation import Observation
from safecity.rules.base import RuleSettings, Scene, TrackMemory, foot_point, moment


class Settings(RuleSettings):
    """What loitering is configured with."""

    kind: Literal["loitering"] = "loitering"
    zone: Name = Field(description="the zone to watch")
    dwell_seconds: float = Field(default=60.0, gt=0.0, le=86_400.0, description="staying longer is loitering")
    gap_seconds: float = Field(
        default=3.0, ge=0.0, le=60.0, description="out of the zone or of sight for so long is the same stay"
    )
    severity: Severity = Field(default=Severity.MEDIUM, description="how much an operator should care")


@dataclass
class _Stay:
    since: datetime | None = None
    last_inside: datetime | None = None
    reported: bool = False


class Loitering:
    """The rule loitering."""

    def __init__(self, settings: Settings, scene: Scene) -> None:
        self._settings = settings
        self._scene = scene
        self._polygon = scene.zones[settings.zone]
        self._stays = TrackMemory(_Stay)

    def update(self, observation: Observation) -> list[Event]:
        """See :class:`safecity.rules.base.Rule`."""
        now = observation.captured_at
        tracks = [t for t in observation.tracks if t.label in self._settings.labels]
        if not tracks:
            return []
        inside = points_in_polygon(np.stack([foot_point(t) for t in tracks]), self._polygon)
        events = []
        for track, is_inside in zip(tracks, inside, strict=True):
            stay = self._stays.seen(track.track_id, now)
            if not is_inside:
                continue
            dwell = self._dwell(stay, now)
            if dwell >= timedelta(seconds=self._settings.dwell_seconds) and not stay.reported:
                stay.reported = True
                seconds = round(dwell.total_seconds(), 3)
                events.append(
                    moment(
                        self._scene,
                        self._settings,
                        track,
                        now,
                        zone=self._settings.zone,
                        attributes={"dwell_seconds": seconds},
                    )
                )
        self._stays.forget_before(now)
        return events

    def _dwell(self, stay: _Stay, now: datetime) -> timedelta:
        gap = timedelta(seconds=self._settings.gap_seconds)
        if stay.since is None or stay.last_inside is None or now - stay.last_inside > gap:
            stay.since, stay.reported = now, False
        stay.last_inside = now
        return now - stay.since


def build(settings: Settings, scene: Scene) -> Loitering:
    """Plug-in entry: the rule for one scene."""
    return Loitering(settings, scene)
