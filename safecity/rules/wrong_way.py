"""wrong_way: an object moves through a zone against the direction that is given. Once per visit.

Counts when it has gone ``distance`` (in picture heights, as its foot point moves) from where it was furthest
along the right way, within ``tolerance_degrees`` of straight against it, for ``persistence_seconds``. Who
stands, sways or crosses the lane does not; one that turns is measured from where it turned::

    direction ──────►            ◄── A  goes against it: counts
                            ↖  B  within the tolerance: counts       ↑  C  crosses: does not
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
from pydantic import Field, field_validator

from safecity.event import Event, Severity
from safecity.geometry import Points
from safecity.message import Name
from safecity.observation import Observation, TrackState
from safecity.rules._zone import Stay, Zone
from safecity.rules.base import Scene, TrackMemory, TrackRuleSettings, foot_point, moment


class Settings(TrackRuleSettings):
    """What wrong_way is configured with."""

    kind: Literal["wrong_way"] = "wrong_way"
    labels: tuple[str, ...] = Field(
        default=("car", "truck", "bus", "motorcycle"),
        min_length=1,
        description="classes of object that the rule looks at",
    )
    zone: Name = Field(description="the lane to watch")
    direction: tuple[float, float] = Field(
        description="the right way through it: x to the right, y down, relative to the picture, any length"
    )
    tolerance_degrees: float = Field(
        default=50.0, gt=0.0, lt=90.0, description="so far from straight against it still counts"
    )
    distance: float = Field(
        default=0.08, gt=0.0, le=2.0, description="the wrong way for so far, in picture heights, counts"
    )
    gap_seconds: float = Field(
        default=3.0, ge=0.0, le=60.0, description="out of the zone or of sight for so long is the same visit"
    )
    persistence_seconds: float = Field(
        default=0.4, ge=0.0, le=60.0, description="the wrong way for so long counts"
    )
    severity: Severity = Field(default=Severity.HIGH, description="how much an operator should care")

    @field_validator("direction")
    @classmethod
    def _has_length(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not all(map(math.isfinite, value)) or value == (0.0, 0.0):
            raise ValueError("want a direction x y that is not zero, e.g. [1.0, 0.0] for to the right")
        return value


@dataclass
class _Way(Stay):
    turned_at: datetime | None = None
    turned: Points | None = None
    """Where it was furthest along the right way, in picture heights."""


class WrongWay:
    """The rule wrong_way."""

    def __init__(self, settings: Settings, scene: Scene) -> None:
        self._settings = settings
        self._scene = scene
        self._zone = Zone(scene, settings.zone)
        self._gap = timedelta(seconds=settings.gap_seconds)
        self._persistence = timedelta(seconds=settings.persistence_seconds)
        self._least_cosine = math.cos(math.radians(settings.tolerance_degrees))
        self._ways = TrackMemory(_Way)

    def update(self, observation: Observation) -> list[Event]:
        """See :class:`safecity.rules.base.Rule`."""
        now = observation.captured_at
        shape = np.array([observation.width / observation.height, 1.0])
        events = []
        for track, inside in zip(observation.tracks, self._zone.holds(observation.tracks), strict=True):
            way = self._ways.seen(track.track_id, now)
            if inside and self._is_wrong(way, track, shape, now):
                way.reported = True
                events.append(moment(self._scene, self._settings, track, now, zone=self._settings.zone))
        self._ways.forget_before(now)
        return events

    def _is_wrong(self, way: _Way, track: TrackState, shape: Points, now: datetime) -> bool:
        right = np.array(self._settings.direction) * shape
        right /= np.linalg.norm(right)
        point = np.array(foot_point(track)) * shape
        begins = way.extend(now, self._gap) == timedelta(0)
        if begins or way.turned is None or way.turned_at is None or (point - way.turned) @ right >= 0:
            way.turned, way.turned_at = point, now
            return False
        moved = point - way.turned
        distance = float(np.linalg.norm(moved))
        against = -float(moved @ right)
        return (
            not way.reported
            and distance >= self._settings.distance
            and against >= self._least_cosine * distance
            and now - way.turned_at >= self._persistence
        )


def build(settings: Settings, scene: Scene) -> WrongWay:
    """Plug-in entry: the rule for one scene."""
    return WrongWay(settings, scene)
