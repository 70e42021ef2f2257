"""line_crossed: an object's foot point goes over a line.

A crossing counts when the point was clearly on one side (further than ``margin``, and than a tenth of the
object's own height: so much a foot point jitters), is clearly on the other, and its path between the two met
the line: jitter on the line is no crossing, and going round the line's end is none.

Each track counts once in each direction: someone who paces to and fro over a line is one crossing there and
one back, not an alarm at every turn. With ``count = "every"`` there and back and there again are three, so
that those counted in less those counted out are those inside.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
from pydantic import Field

from safecity.event import Event
from safecity.geometry import segments_intersect
from safecity.message import Name
from safecity.observation import Observation, TrackState
from safecity.rules.base import Scene, TrackMemory, TrackRuleSettings, foot_point, moment

JITTER_SHARE = 0.1
"""Of its height: how far an object's foot point may jump while it stands."""


class Settings(TrackRuleSettings):
    """What line_crossed is configured with."""

    kind: Literal["line_crossed"] = "line_crossed"
    line: Name = Field(description="the line to watch")
    direction: Literal["any", "left_to_right", "right_to_left"] = Field(
        default="any", description="as seen when looking along the line from its start to its end"
    )
    margin: float = Field(
        default=0.01, ge=0.0, le=0.2, description="a point nearer to the line than this is on neither side"
    )
    count: Literal["once", "every"] = Field(
        default="once", description="once: each track once in each direction; every: each time, for occupancy"
    )


@dataclass
class _Path:
    side: float = 0.0
    from_point: tuple[float, float] | None = None
    to_point: tuple[float, float] | None = None
    """Where it came clear of the line on the other side."""
    since: datetime | None = None
    """When it did."""
    reported: set[str] = field(default_factory=set)


class LineCrossed:
    """The rule line_crossed."""

    def __init__(self, settings: Settings, scene: Scene) -> None:
        self._settings = settings
        self._scene = scene
        self._start, self._end = scene.lines[settings.line]
        self._origin = float(self._start[0]), float(self._start[1])
        along = self._end - self._start
        length = float(np.hypot(*along))
        self._along = float(along[0]) / length, float(along[1]) / length
        self._persistence = timedelta(seconds=settings.persistence_seconds)
        self._paths = TrackMemory(_Path)

    def update(self, observation: Observation) -> list[Event]:
        """See :class:`safecity.rules.base.Rule`."""
        now = observation.captured_at
        events = []
        for track in observation.tracks:
            direction = self._crossing(self._paths.seen(track.track_id, now), track, now)
            if direction is not None:
                events.append(
                    moment(
                        self._scene,
                        self._settings,
                        track,
                        now,
                        line=self._settings.line,
                        attributes={"direction": direction},
                    )
                )
        self._paths.forget_before(now)
        return events

    def _crossing(self, path: _Path, track: TrackState, now: datetime) -> str | None:
        point = foot_point(track)
        distance = self._distance(*point)
        if abs(distance) <= max(self._settings.margin, JITTER_SHARE * (track.box[3] - track.box[1])):
            return None
        if path.from_point is None or path.side * distance > 0:
            path.side, path.from_point, path.since = distance, point, None
            return None
        if path.since is None or path.to_point is None:
            path.since, path.to_point = now, point
        if now - path.since < self._persistence:
            return None
        path_from, path_to = np.array(path.from_point), np.array(path.to_point)
        met = segments_intersect(path_from, path_to, self._start, self._end)
        path.side, path.from_point, path.since = distance, point, None
        direction = "left_to_right" if distance > 0 else "right_to_left"
        return direction if met and self._counts(path, direction) else None

    def _distance(self, x: float, y: float) -> float:
        """From the line, as :func:`~safecity.geometry.signed_distance`, for one point."""
        return self._along[0] * (y - self._origin[1]) - self._along[1] * (x - self._origin[0])

    def _counts(self, path: _Path, direction: str) -> bool:
        if self._settings.direction not in ("any", direction):
            return False
        if self._settings.count == "once" and direction in path.reported:
            return False
        path.reported.add(direction)
        return True


def build(settings: Settings, scene: Scene) -> LineCrossed:
    """Plug-in entry: the rule for one scene."""
    return LineCrossed(settings, scene)
