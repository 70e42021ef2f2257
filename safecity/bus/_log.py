"""What a log must do so that :mod:`safecity.bus._producer` and :mod:`safecity.bus._consumer` can use it."""

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from safecity.bus.port import BusError, Headers, Record, RecordTooLargeError, TopicPartition, TopicSpec

MAX_RECORD_BYTES = 5 * 1024 * 1024
"""Of key, value and headers together; the same on every bus."""

PARTITIONS = 4
"""Of a topic on one machine."""

LEASE_SECONDS = 6.0
"""A member that has not been heard of for so long has left."""

TOMBSTONE_MS = 86_400_000
"""How long a compacted topic keeps a tombstone, so that slow readers see it."""


class Entry(NamedTuple):
    """A record on its way into a log."""

    topic: str
    key: str
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    timestamp_ms: int
    partition: int | None = None
    """The key's own when None."""

    @property
    def size(self) -> int:
        """Bytes of key, value and headers."""
        headers = sum(len(name.encode()) + len(value) for name, value in self.headers)
        return len(self.key.encode()) + len(self.value or b"") + headers


@dataclass(frozen=True)
class Attendance:
    """How a member stands in its group."""

    held: frozenset[TopicPartition]
    """What it holds now, newly taken ones included."""
    surplus: frozenset[TopicPartition]
    """Of these, the ones that another member waits for."""


class Log(Protocol):
    """Ordered partitions, positions of groups and leases of members.

    Every method may raise BusUnavailableError. One instance belongs to one thread, unless it says otherwise.
    """

    def ensure(self, specs: Sequence[TopicSpec]) -> None:
        """Create the topics that are missing."""
        ...

    def partitions(self, topics: Collection[str]) -> list[TopicPartition]:
        """The partitions of those topics that exist."""
        ...

    def append(self, entries: Sequence[Entry]) -> None:
        """Append all of them or none; on disk when it returns, where there is one."""
        ...

    def read(self, source: TopicPartition, offset: int, max_records: int, max_bytes: int) -> list[Record]:
        """Records from ``offset`` on, at least one if there is one."""
        ...

    def bounds(self, source: TopicPartition) -> tuple[int, int]:
        """The oldest offset that is there, and the next to be written."""
        ...

    def version(self) -> int:
        """A number that changes when somebody else has written."""
        ...

    def wait(self, version: int, timeout: float) -> None:
        """Wait a little, for at most ``timeout`` seconds, or until :meth:`version` changes."""
        ...

    def committed(self, group: str, source: TopicPartition) -> int | None:
        """The position of the group."""
        ...

    def commit(self, group: str, member: str, positions: Mapping[TopicPartition, int]) -> None:
        """Keep positions; BusUnavailableError when the member no longer holds one of them."""
        ...

    def attend(self, group: str, member: str, topics: Collection[str]) -> Attendance:
        """Join or stay: refresh the member, expire dead ones, take free partitions up to the fair share."""
        ...

    def beat(self, group: str, member: str) -> None:
        """Say that the member lives, if it is still known."""
        ...

    def release(self, group: str, member: str, sources: Collection[TopicPartition]) -> None:
        """Give partitions back."""
        ...

    def leave(self, group: str, member: str) -> None:
        """Give everything back and go."""
        ...

    def prune(self, now_ms: int) -> int:
        """Delete some of the records that retention or compaction no longer keeps; how many."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


def partition_of(key: str, partitions: int) -> int:
    """The partition of a key: the same in every process and for ever."""
    return zlib.crc32(key.encode()) % partitions


def place_of(entry: Entry, partitions: int) -> int:
    """The partition that an entry goes into.

    Raises:
        BusError: it names one that there is not.
    """
    if entry.partition is None:
        return partition_of(entry.key, partitions)
    if not 0 <= entry.partition < partitions:
        raise BusError(f"{entry.topic} has partitions 0 to {partitions - 1}, not {entry.partition}")
    return entry.partition


def make_entry(
    topic: str,
    key: str,
    value: bytes | None,
    headers: Headers,
    timestamp_ms: int,
    partition: int | None = None,
) -> Entry:
    """An entry of a size that every bus takes.

    Raises:
        RecordTooLargeError: it is larger.
    """
    entry = Entry(topic, key, value, tuple(headers), timestamp_ms, partition)
    if entry.size > MAX_RECORD_BYTES:
        raise RecordTooLargeError(
            f"a record of {entry.size:,} bytes for {topic}, but the bus takes {MAX_RECORD_BYTES:,} at most"
        )
    return entry
