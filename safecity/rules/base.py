"""The port of a rule: what it is told, and what it may say."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from safecity.event import Event, Phase, Severity, TrackEvidence, derive_event_id
from safecity.geometry import Points
from safecity.message import Name
from safecity.observation import Observation, TrackState

State = TypeVar("State")


class RuleSettings(BaseModel):
    """What every rule is configured with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str = Field(description="the kind of rule: the name of its module in safecity/rules/")
    name: Name = Field(description="unique within the camera")
    labels: tuple[str, ...] = Field(
        default=("person",), min_length=1, description="classes of object that the rule looks at"
    )
    severity: Severity = Field(default=Severity.LOW, description="how much an operator should care")


@dataclass(frozen=True)
class Scene:
    """What a rule knows of its camera before the first observation."""

    camera_id: str
    config: str
    """Fingerprint of model and configuration, part of every event."""
    zones: Mapping[str, Points]
    """Name → polygon (n, 2), relative."""
    lines: Mapping[str, Points]
    """Name → start and end (2, 2), relative."""


class Rule(Protocol):
    """A rule is pure: values in, values out, event time from the observation, no clock."""

    def update(self, observation: Observation) -> Sequence[Event]:
        """What the next observation makes happen; observations come in order of event time."""
        ...


def foot_point(track: TrackState) -> Points:
    """Where an object stands: the middle of its box's lower edge, (2,), relative."""
    x1, _, x2, y2 = track.box
    return np.array([(x1 + x2) / 2, y2])


FORGET_AFTER = timedelta(seconds=60)
"""A track unseen for so long is gone for good."""


class TrackMemory(Generic[State]):
    """What a rule remembers of each track; what has not been seen for a while is forgotten."""

    def __init__(self, new: Callable[[], State]) -> None:
        self._new = new
        self._states: dict[int, tuple[State, datetime]] = {}

    def __len__(self) -> int:
        """How many tracks are remembered."""
        return len(self._states)

    def seen(self, track_id: int, at: datetime) -> State:
        """The track's state, new when it was unknown, now seen at ``at``."""
        state, _ = self._states.get(track_id) or (self._new(), at)
        self._states[track_id] = (state, at)
        return state

    def forget_before(self, now: datetime) -> None:
        """Drop the tracks that were not seen for :data:`FORGET_AFTER`."""
        gone = [k for k, (_, at) in self._states.items() if now - at > FORGET_AFTER]
        for track_id in gone:
            del self._states[track_id]


def moment(
    scene: Scene,
    settings: RuleSettings,
    track: TrackState,
    at: datetime,
    *,
    zone: str | None = None,
    line: str | None = None,
    attributes: Mapping[str, str | int | float | bool] | None = None,
) -> Event:
    """The event that one track caused at one moment: published once, closed as it opens."""
    return Event(
        event_id=derive_event_id(scene.camera_id, settings.name, scene.config, at, track.track_id),
        phase=Phase.CLOSED,
        camera_id=scene.camera_id,
        kind=settings.kind,
        rule=settings.name,
        severity=settings.severity,
        occurred_at=at,
        opened_at=at,
        closed_at=at,
        tracks=(
            TrackEvidence(
                track_id=track.track_id, label=track.label, confidence=track.confidence, box=track.box
            ),
        ),
        zone=zone,
        line=line,
        box=track.box,
        attributes=dict(attributes or {}),
        config=scene.config,
    )
