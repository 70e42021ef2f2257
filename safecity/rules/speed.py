"""speed: an object moves through a zone faster than it may. One event per stretch of being too fast.

The zone's ``world`` points say where parts of the picture lie on the ground, in metres; a homography takes
the foot point there. The speed is that of the straight line that fits the last ``window_seconds`` best, so
jitter evens out; it is not said before the object has gone ``min_metres`` in ``min_seconds``. The event is
opened when it has been above ``limit_kmh`` for ``persistence_seconds``, and closed when the object has left,
or has been below nine tenths of the limit for ``gap_seconds``. Expect 5 to 10 % from well measured points,
more far from them: it is no speed trap.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from safecity.event import Event, Severity
from safecity.message import Name
from safecity.observation import Observation, TrackState
from safecity.rules._zone import Stay, Zone
from safecity.rules.base import (
    FORGET_AFTER,
    Scene,
    TrackMemory,
    TrackRuleSettings,
    closed,
    foot_point,
    opened,
)

SLOW_SHARE = 0.9
"""Of the limit: below it an object is no longer too fast."""


class Settings(TrackRuleSettings):
    """What speed is configured with."""

    kind: Literal["speed"] = "speed"
    labels: tuple[str, ...] = Field(
        default=("car", "truck", "bus", "motorcycle"),
        min_length=1,
        description="classes of object that the rule looks at",
    )
    zone: Name = Field(description="where to measure; wants the zone's world points")
    limit_kmh: float = Field(gt=0.0, le=400.0, description="faster is too fast, kilometres an hour")
    window_seconds: float = Field(default=2.0, gt=0.0, le=30.0, description="what is averaged over")
    min_seconds: float = Field(default=1.0, gt=0.0, le=30.0, description="seen for so long before it is said")
    min_metres: float = Field(default=3.0, ge=0.0, le=1000.0, description="gone so far before it is said")
    gap_seconds: float = Field(
        default=2.0, ge=0.0, le=60.0, description="slow, out of the zone or of sight for so long ends it"
    )
    persistence_seconds: float = Field(
        default=0.4, ge=0.0, le=60.0, description="too fast for so long before it counts"
    )
    severity: Severity = Field(default=Severity.MEDIUM, description="how much an operator should care")

    @model_validator(mode="after")
    def _window_is_long_enough(self) -> Self:
        if self.min_seconds >= self.window_seconds:
            raise ValueError("min_seconds has to be less than window_seconds")
        return self

    def wants_ground(self) -> bool:
        """See :class:`safecity.rules.base.RuleSettings`."""
        return True


@dataclass
class _Drive(Stay):
    """``extend`` counts the time in which it was too fast."""

    places: deque[tuple[datetime, float, float]] = field(default_factory=deque)
    top_kmh: float = 0.0


class Speed:
    """The rule speed."""

    def __init__(self, settings: Settings, scene: Scene) -> None:
        self._settings = settings
        self._scene = scene
        self._zone = Zone(scene, settings.zone)
        self._ground = scene.grounds[settings.zone]
        self._gap = timedelta(seconds=settings.gap_seconds)
        self._persistence = timedelta(seconds=settings.persistence_seconds)
        self._drives = TrackMemory(_Drive, FORGET_AFTER + self._gap)

    def update(self, observation: Observation) -> list[Event]:
        """See :class:`safecity.rules.base.Rule`."""
        now = observation.captured_at
        events = []
        for track, inside in zip(observation.tracks, self._zone.holds(observation.tracks), strict=True):
            if not inside:
                continue
            drive = self._drives.seen(track.track_id, now)
            kmh = self._measure(drive, track, now)
            if kmh is None or kmh <= self._settings.limit_kmh * (SLOW_SHARE if drive.event else 1.0):
                continue
            drive.top_kmh = max(drive.top_kmh, kmh)
            if drive.extend(now, self._gap) >= self._persistence and not drive.reported:
                drive.reported, drive.event = True, self._begin(track, now, kmh)
                events.append(drive.event)
        for drive in self._drives.states():
            if drive.event is not None and drive.is_over(now, self._gap):
                events.append(closed(drive.event, now, attributes={"top_kmh": round(drive.top_kmh, 1)}))
                drive.event, drive.top_kmh = None, 0.0
        self._drives.forget_before(now)
        return events

    def _measure(self, drive: _Drive, track: TrackState, now: datetime) -> float | None:
        """Kilometres an hour over the last window, None when it is too early to say."""
        x, y = self._ground.metres(np.array([foot_point(track)]))[0]
        window = timedelta(seconds=self._settings.window_seconds)
        drive.places.append((now, float(x), float(y)))
        while now - drive.places[0][0] > window:
            drive.places.popleft()
        seconds = np.array([(at - now).total_seconds() for at, _, _ in drive.places])
        if -seconds[0] < self._settings.min_seconds:
            return None
        places = np.array([place[1:] for place in drive.places])
        centred = seconds - seconds.mean()
        velocity = centred @ (places - places.mean(axis=0)) / (centred @ centred)
        metres_a_second = float(np.hypot(*velocity))
        if metres_a_second * -seconds[0] < self._settings.min_metres:
            return None
        return 3.6 * metres_a_second

    def _begin(self, track: TrackState, now: datetime, kmh: float) -> Event:
        told = {"speed_kmh": round(kmh, 1), "limit_kmh": self._settings.limit_kmh}
        return opened(
            self._scene,
            self._settings,
            now,
            ordinal=track.track_id,
            tracks=(track,),
            zone=self._settings.zone,
            attributes=told,
        )


def build(settings: Settings, scene: Scene) -> Speed:
    """Plug-in entry: the rule for one scene."""
    return Speed(settings, scene)
