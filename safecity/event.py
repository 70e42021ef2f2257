"""Event: what a rule decided. Only what the footage and the configuration determine."""

import hashlib
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from safecity.message import Box, Message, Name, Share, UtcTime, VersionOne, format_utc

EVENT_VERSION: Final = 1

EventId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class Severity(StrEnum):
    """How much an operator should care, least first."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Phase(StrEnum):
    """Where in its life an event is. A moment (a line crossed) is published once, as ``closed``."""

    OPENED = "opened"
    UPDATED = "updated"
    CLOSED = "closed"


class TrackEvidence(Message):
    """A track that took part in an event."""

    track_id: int = Field(ge=0, description="number of the track, unique within the camera and its run")
    label: str = Field(description="class name, e.g. person")
    confidence: Share = Field(description="the detector's confidence at the time of the event")
    box: Box = Field(description="where it was: x1 y1 x2 y2, relative to the picture")


class Event(Message):
    """What a rule decided about one camera's picture."""

    schema_version: VersionOne = 1
    event_id: EventId = Field(description="derived from camera, rule, configuration, opening time and track")
    revision: int = Field(default=1, ge=1, description="rises with each message about the same event")
    phase: Phase = Field(description="opened, updated or closed; a moment is published once, as closed")
    camera_id: Name = Field(description="the camera, also the key on the bus")
    kind: Name = Field(description="what happened: the rule's kind, e.g. zone_entered")
    rule: Name = Field(description="the rule's name in the camera's configuration")
    severity: Severity = Field(default=Severity.LOW, description="how much an operator should care")
    occurred_at: UtcTime = Field(description="event time of this revision, from the footage")
    opened_at: UtcTime = Field(description="event time at which it began")
    closed_at: UtcTime | None = Field(default=None, description="event time at which it ended")
    tracks: tuple[TrackEvidence, ...] = Field(default=(), description="the objects that took part")
    zone: Name | None = Field(default=None, description="the zone that the rule watches")
    line: Name | None = Field(default=None, description="the line that the rule watches")
    box: Box | None = Field(default=None, description="the region of the picture that it is about")
    attributes: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="what only this kind of event has: direction, dwell_seconds, …"
    )
    snapshot: str | None = Field(default=None, description="name of the picture in the media store")
    config: str = Field(description="fingerprint of the model and the camera's configuration")


def derive_event_id(camera_id: str, rule: str, config: str, opened_at: datetime, track_ordinal: int) -> str:
    """The id of an event: the same footage under the same configuration gives the same id."""
    parts = "\n".join((camera_id, rule, config, format_utc(opened_at), str(track_ordinal)))
    return hashlib.sha256(parts.encode()).hexdigest()[:32]


class Trace(Message):
    """What the clock determined about one event. Travels beside it in the ``safecity-trace`` header."""

    captured_at: UtcTime = Field(description="event time of the frame, as the camera or the footage says")
    received_at: UtcTime = Field(description="wall clock when the frame reached the worker")
    decided_at: UtcTime = Field(description="wall clock when the rule decided")
    published_at: UtcTime | None = Field(
        default=None, description="wall clock when it was last handed to the bus, from the outbox"
    )
    worker: str = Field(description="the worker and shard that decided")
    epoch: int = Field(default=0, ge=0, description="rises with each take-over of the camera")
