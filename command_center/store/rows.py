"""What is put into the store, and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from safecity.bus.port import TopicPartition
from safecity.event import Event, Trace
from safecity.status import Status


@dataclass(frozen=True)
class StoredEvent:
    """An event and what the store knows of it."""

    sequence: int
    """Rises with each row that is stored."""
    stored_at: datetime
    latency_ms: float | None
    """From the capture of the frame to the store; None for an event without a trace."""
    event: Event
    trace: Trace | None


@dataclass
class Batch:
    """What is stored in one transaction."""

    events: list[tuple[Event, Trace | None]] = field(default_factory=list)
    replayed: list[tuple[str, Event]] = field(default_factory=list)
    """Name of the run, event."""
    statuses: dict[str, Status] = field(default_factory=dict)
    takeovers: dict[tuple[str, int], datetime] = field(default_factory=dict)
    """Event time of the first frame that is a new owner's, by camera and epoch."""
    positions: dict[TopicPartition, int] = field(default_factory=dict)
    """The next offset to read, of each partition that something was read from."""
    known: Mapping[TopicPartition, int] = field(default_factory=dict)
    """Where the partitions stood in the store when they were read on from; missing: never read."""
    dead_letters: int = 0


@dataclass(frozen=True)
class Recorded:
    """What became of a batch."""

    stored: tuple[StoredEvent, ...]
    duplicates: int
    replayed: int = 0
    """Rows that replays added."""


@dataclass(frozen=True)
class Run:
    """A replay that the centre has."""

    name: str
    events: int
    """Revisions count each."""
    first: datetime
    last: datetime
    """Event time."""
    stored_at: datetime
    """When its newest row came."""


class Order(StrEnum):
    """Of a page of events, by event time."""

    NEWEST = "newest"
    OLDEST = "oldest"


@dataclass(frozen=True)
class Filter:
    """Which events are wanted; None: any."""

    camera_id: str | None = None
    kind: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    revisions: bool = False
    """All revisions of each event, not only the newest."""
    run: str | None = None
    """Of the replay of this name, instead of the live ones."""


@dataclass(frozen=True)
class Cursor:
    """Where a page ended."""

    occurred_at: int
    """Microseconds since 1970."""
    sequence: int


@dataclass(frozen=True)
class Totals:
    """Counts over everything in the store."""

    stored: int
    duplicates: int
    dead_letters: int
    by_kind: Mapping[str, int]
    by_camera: Mapping[str, int]
