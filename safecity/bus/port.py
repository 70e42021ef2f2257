"""The port of the bus: an ordered, durable log of keyed records, read by groups.

The terms are Kafka's: a record's order is kept per key, a group shares the partitions of its topics, and
what a member has not committed is delivered again to the one that takes its partition over.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol, Self

Headers = Sequence[tuple[str, bytes]]


class BusError(Exception):
    """The bus could not do it; the message says why and what to do, without secrets."""


class BusUnavailableError(BusError):
    """The bus cannot be reached now; try again later."""


class BusAccessError(BusError):
    """The bus does not let us: wrong certificate, wrong user or password, or a permission that is missing.

    Somebody has to mend that, in the site file or at the bus; until then trying again does not help.
    """


class RecordTooLargeError(BusError):
    """The record is larger than the bus takes; trying again does not help."""


class TopicPartition(NamedTuple):
    """A partition of a topic; the topic without the site's prefix."""

    topic: str
    partition: int


@dataclass(frozen=True)
class Record:
    """A record as a consumer gets it."""

    topic: str
    """Without the site's prefix."""
    partition: int
    offset: int
    timestamp_ms: int
    key: str | None
    value: bytes | None
    """None is a tombstone."""
    headers: tuple[tuple[str, bytes], ...]

    @property
    def source(self) -> TopicPartition:
        """The partition that it was read from."""
        return TopicPartition(self.topic, self.partition)

    def header(self, name: str) -> bytes | None:
        """The last header of that name."""
        return next((value for key, value in reversed(self.headers) if key == name), None)


class Cleanup(StrEnum):
    """What happens to old records."""

    DELETE = "delete"
    COMPACT = "compact"


@dataclass(frozen=True)
class TopicSpec:
    """A topic as it should be."""

    name: str
    """Without the site's prefix."""
    cleanup: Cleanup
    retention_seconds: int
    """Of no meaning for a compacted topic."""


DAY = 86_400
TOPICS = {
    spec.name: spec
    for spec in (
        TopicSpec("cameras", Cleanup.COMPACT, 0),
        TopicSpec("owners", Cleanup.COMPACT, 0),
        TopicSpec("events", Cleanup.DELETE, 7 * DAY),
        TopicSpec("snapshots", Cleanup.DELETE, 7 * DAY),
        TopicSpec("replays", Cleanup.DELETE, 7 * DAY),
        TopicSpec("observations", Cleanup.DELETE, DAY),
        TopicSpec("status", Cleanup.COMPACT, 0),
        TopicSpec("previews", Cleanup.DELETE, 600),
        TopicSpec("dead-letter", Cleanup.DELETE, 30 * DAY),
    )
}
"""Every topic of safecity, by name."""

Acknowledge = Callable[[BusError | None], None]
"""Called once a record is safe (None) or given up (the error); from a thread of the bus's own."""


class Producer(Protocol):
    """Appends records. One producer's records of one key keep their order."""

    def publish(
        self,
        topic: str,
        *,
        key: str,
        value: bytes | None,
        headers: Headers = (),
        timestamp_ms: int | None = None,
        acknowledge: Acknowledge | None = None,
        partition: int | None = None,
    ) -> None:
        """Send one record; returns before it is safe.

        ``partition`` is the key's own when not given. Who gives one keeps the order of that key alone.

        Raises:
            BusUnavailableError: not taken, the bus is away or the buffer full.
            RecordTooLargeError: not taken, larger than the bus allows.
        """
        ...

    def flush(self, timeout: float) -> None:
        """Wait until all that was published is acknowledged.

        Raises:
            BusUnavailableError: not all of it was within ``timeout`` seconds.
        """
        ...

    def close(self, timeout: float = 5.0) -> None:
        """Flush for up to ``timeout`` seconds and let go."""
        ...


OnAssigned = Callable[[Sequence[TopicPartition]], Mapping[TopicPartition, int] | None]
"""Called from ``poll`` with newly assigned partitions; may return offsets to start from, by partition."""
OnRevoked = Callable[[Sequence[TopicPartition]], None]
"""Called from ``poll`` before partitions go: the last moment to commit for them."""


class Consumer(Protocol):
    """A member of a group. Not safe to share between threads."""

    def poll(self, timeout: float, max_records: int = 500) -> list[Record]:
        """The next records, in order per partition; empty after ``timeout`` seconds without any.

        Raises:
            BusUnavailableError: the bus is away; polling again is right.
        """
        ...

    def commit(self, positions: Mapping[TopicPartition, int]) -> None:
        """Keep for the group: the next offset to read, by partition.

        Raises:
            BusUnavailableError: not kept; the records may come again.
        """
        ...

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Read on from ``offset``; the partition must be assigned."""
        ...

    def assignment(self) -> Sequence[TopicPartition]:
        """The partitions that this member holds now."""
        ...

    def lag(self) -> Mapping[TopicPartition, int]:
        """Records behind the end, by assigned partition."""
        ...

    def ends(self) -> Mapping[TopicPartition, int]:
        """The next offset to be written, of every partition of the topics: held here or not."""
        ...

    def close(self) -> None:
        """Leave the group; what was not committed goes to another member."""
        ...


class Bus(Protocol):
    """A way to the log."""

    def producer(self, client_id: str) -> Producer:
        """A new producer.

        Raises:
            BusUnavailableError: the bus is away.
        """
        ...

    def consumer(
        self,
        topics: Sequence[str],
        *,
        group: str | None,
        from_start: bool = True,
        on_assigned: OnAssigned | None = None,
        on_revoked: OnRevoked | None = None,
    ) -> Consumer:
        """A new member of ``group``; without a group: all partitions, nothing committed.

        ``from_start`` says where a partition begins that the group has never committed: at the oldest
        record, or at the end.

        Raises:
            BusUnavailableError: the bus is away.
        """
        ...

    def ensure_topics(self, specs: Sequence[TopicSpec] = tuple(TOPICS.values())) -> None:
        """Create the topics that are missing; leave those there are.

        Raises:
            BusUnavailableError: the bus is away.
        """
        ...

    def check(self, writes: Sequence[str] = (), reads: Sequence[str] = ()) -> Sequence[str]:
        """Whether the bus answers, takes us, and lets us write and read these topics; changes nothing.

        Returns:
            The topics among them that are missing.

        Raises:
            BusUnavailableError: the bus is away.
            BusAccessError: it does not take us, or permissions are missing; the message says which.
        """
        ...

    def close(self) -> None:
        """Let go of everything that the bus itself holds."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
