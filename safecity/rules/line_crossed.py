"""line_crossed: an object's foot point goes over a line. Once per track and direction.

A crossing counts when the point was clearly on one side (further than ``margin``), is clearly on the
other, and its path between the two met the line: jitter on the line is no crossing.
"""

from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from safecity.event import Event
from safecity.geometry import Points, segments_intersect, signed_distance
from safecity.message import Name
from safecity.observation import Observation, TrackState
from safecity.rules.base import RuleSettings, Scene, TrackMemory, foot_point, moment


class Settings(RuleSettings):
    """What line_crossed is configured with."""

    kind: Literal["line_crossed"] = "line_crossed"
    line: Name = Field(description="the line to watch")
    direction: Literal["any", "left_to_right", "right_to_left"] = Field(
        default="any", description="as seen when looking along the line from its start to its end"
    )
    margin: float = Field(
        default=0.01, ge=0.0, le=0.2, description="a point nearer to the line than this is on neither side"
    )


@dataclass
class _Path:
    side: float = 0.0
    from_point: Points | None = None
    reported: set[str] = field(default_factory=set)


class LineCrossed:
    """The rule line_crossed."""

    def __init__(self, settings: Settings, scene: Scene) -> None:
        self._settings = settings
        self._scene = scene
        self._start, self._end = scene.lines[settings.line]
        self._paths = TrackMemory(_Path)

    def update(self, observation: Observation) -> list[Event]:
        """See :class:`safecity.rules.base.Rule`."""
        now = observation.captured_at
        events = []
        for track in observation.tracks:
            if track.label not in self._settings.labels:
                continue
            direction = self._crossing(self._paths.seen(track.track_id, now), track)
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

    def _crossing(self, path: _Path, track: TrackState) -> str | None:
        point = foot_point(track)
        distance = float(signed_distance(point[None], self._start, self._end)[0])
        if abs(distance) <= self._settings.margin:
            return None
        side, before, last = distance, path.side, path.from_point
        path.side, path.from_point = side, point
        if last is None or before * side >= 0 or not segments_intersect(last, point, self._start, self._end):
            return None
        direction = "left_to_right" if side > 0 else "right_to_left"
        if direction in path.reported or self._settings.direction not in ("any", direction):
            return None
        path.reported.add(direction)
        return direction


def build(settings: Settings, scene: Scene) -> LineCrossed:
    """Plug-in entry: the rule for one scene."""
    return LineCrossed(settings, scene)
