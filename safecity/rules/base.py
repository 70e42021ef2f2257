"""The port of a rule: what it is told, and what it may say."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from safecity.event import Event, Phase, Severity, TrackEvidence, derive_event_id
from safecity.geometry import Points
from safecity.homography import Homography
from safecity.message import Box, Name, Share
from safecity.observation import Observation, TrackState
from safecity.schedule import parse_hours

State = TypeVar("State")
Attributes = Mapping[str, str | int | float | bool]


class RuleSettings(BaseModel):
    """What every rule is configured with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sleeps: ClassVar[bool] = False
    """Whether the rule sees nothing outside its schedule, so that what it waits for begins with the schedule.
    Else it watches always and only says nothing: what was inside before the hours begin has not entered."""
    needs_changes: ClassVar[bool] = False
    """Whether the rule looks at the picture's own changes (:attr:`Observation.changes`)."""

    kind: str = Field(description="the kind of rule: the name of its module in safecity/rules/")
    name: Name = Field(description="unique within the camera")
    severity: Severity = Field(default=Severity.LOW, description="how much an operator should care")
    schedule: tuple[str, ...] = Field(
        default=(),
        description='hours in which it holds, in the site\'s time zone: "mon-fri 22:00-06:00", "sat,sun"; '
        "always when empty",
    )
    cool_down_seconds: float = Field(
        default=0.0, ge=0.0, le=86_400.0, description="after an event, no new one of this rule for so long"
    )
    silent: bool = Field(default=False, description="only for combinations: its own events are not published")

    def wants_ground(self) -> bool:
        """Whether the rule's zone has to have points whose place in metres is known."""
        return False

    @field_validator("schedule", mode="before")
    @classmethod
    def _one_entry_is_a_list(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("schedule", mode="after")
    @classmethod
    def _entries_are_hours(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for entry in value:
            parse_hours(entry)
        return value


class TrackRuleSettings(RuleSettings):
    """What every rule about tracked objects is configured with."""

    labels: tuple[str, ...] = Field(
        default=("person",), min_length=1, description="classes of object that the rule looks at"
    )
    min_confidence: Share = Field(
        default=0.0, description="an object counts from when it was once seen so surely"
    )
    persistence_seconds: float = Field(
        default=0.0, ge=0.0, le=3600.0, description="what is decided has to last so long before it counts"
    )
    evidence: Literal["first", "best"] = Field(
        default="first",
        description="best: when the object is seen better later (larger, surer, whole), "
        "a revision of the event brings that picture",
    )


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
    grounds: Mapping[str, Homography] = field(default_factory=dict)
    """Name of a zone whose place in the world is known → from picture to metres."""
    timezone: str = "UTC"
    """IANA name of the wall clock of schedules."""


class Rule(Protocol):
    """A rule is pure: values in, values out, event time from the observation, no clock."""

    def update(self, observation: Observation) -> Sequence[Event]:
        """What the next observation makes happen; observations come in order of event time."""
        ...


def foot_point(track: TrackState) -> tuple[float, float]:
    """Where an object stands: the middle of its box's lower edge, x y, relative."""
    x1, _, x2, y2 = track.box
    return (x1 + x2) / 2, y2


FORGET_AFTER = timedelta(seconds=60)
"""A track unseen for so long is gone for good."""
SWEEP = timedelta(seconds=5)


class TrackMemory(Generic[State]):
    """What a rule remembers of each track; what has not been seen for a while is forgotten.

    Args:
        new: makes the state of a track that is not known.
        forget_after: how long a track may be unseen.
    """

    def __init__(self, new: Callable[[], State], forget_after: timedelta = FORGET_AFTER) -> None:
        self._new = new
        self._forget_after = forget_after
        self._states: dict[int, tuple[State, datetime]] = {}
        self._swept_at: datetime | None = None

    def __len__(self) -> int:
        """How many tracks are remembered."""
        return len(self._states)

    def seen(self, track_id: int, at: datetime) -> State:
        """The track's state, new when it was unknown, now seen at ``at``."""
        state, _ = self._states.get(track_id) or (self._new(), at)
        self._states[track_id] = (state, at)
        return state

    def states(self) -> list[State]:
        """What is remembered, by the order in which the tracks were first seen."""
        return [state for state, _ in self._states.values()]

    def forget_before(self, now: datetime) -> None:
        """Drop the tracks that were not seen for so long; looks for them every few seconds of event time."""
        if self._swept_at is not None and timedelta(0) <= now - self._swept_at < SWEEP:
            return
        self._swept_at = now
        gone = [k for k, (_, at) in self._states.items() if now - at > self._forget_after]
        for track_id in gone:
            del self._states[track_id]


def evidence_of(track: TrackState) -> TrackEvidence:
    """A track as it takes part in an event."""
    return TrackEvidence(
        track_id=track.track_id, label=track.label, confidence=track.confidence, box=track.box
    )


def moment(
    scene: Scene,
    settings: RuleSettings,
    track: TrackState,
    at: datetime,
    *,
    zone: str | None = None,
    line: str | None = None,
    attributes: Attributes | None = None,
) -> Event:
    """The event that one track caused at one moment: published once, closed as it opens."""
    event = opened(
        scene,
        settings,
        at,
        ordinal=track.track_id,
        tracks=(track,),
        zone=zone,
        line=line,
        attributes=attributes,
    )
    return event.model_copy(update={"phase": Phase.CLOSED, "closed_at": event.opened_at})


def opened(
    scene: Scene,
    settings: RuleSettings,
    at: datetime,
    *,
    ordinal: int,
    tracks: Sequence[TrackState] = (),
    zone: str | None = None,
    line: str | None = None,
    box: Box | None = None,
    attributes: Attributes | None = None,
) -> Event:
    """The first revision of an event that lasts.

    Args:
        scene: of the camera.
        settings: of the rule.
        at: event time.
        ordinal: tells events of the same rule and time apart: the number of the track, where there is one.
        tracks: what takes part.
        zone: the zone that the rule watches.
        line: the line that the rule watches.
        box: the region of the picture; the box of a single track when not given.
        attributes: what only this kind of event has.
    """
    if box is None and len(tracks) == 1:
        box = tracks[0].box
    return Event(
        event_id=derive_event_id(scene.camera_id, settings.name, scene.config, at, ordinal),
        phase=Phase.OPENED,
        camera_id=scene.camera_id,
        kind=settings.kind,
        rule=settings.name,
        severity=settings.severity,
        occurred_at=at,
        opened_at=at,
        tracks=tuple(evidence_of(track) for track in tracks),
        zone=zone,
        line=line,
        box=box,
        attributes=dict(attributes or {}),
        config=scene.config,
    )


def updated(
    event: Event,
    at: datetime,
    *,
    tracks: Sequence[TrackState] | None = None,
    attributes: Attributes | None = None,
) -> Event:
    """The next revision of an event that goes on; ``attributes`` are added to those it has."""
    changes: dict[str, object] = {
        "revision": event.revision + 1,
        "phase": Phase.UPDATED,
        "occurred_at": at,
        "attributes": {**event.attributes, **(attributes or {})},
    }
    if tracks is not None:
        changes["tracks"] = tuple(evidence_of(track) for track in tracks)
    return event.model_copy(update=changes)


def closed(event: Event, at: datetime, *, attributes: Attributes | None = None) -> Event:
    """The last revision of an event, which ended at ``at``."""
    last = updated(event, at, attributes=attributes)
    return last.model_copy(update={"phase": Phase.CLOSED, "closed_at": at})
