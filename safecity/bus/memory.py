"""The bus of one process, for tests: same rules as the embedded one, nothing on disk."""

import threading
import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from safecity.bus._bus import LogBus
from safecity.bus._log import LEASE_SECONDS, PARTITIONS, TOMBSTONE_MS, Attendance, Entry, place_of
from safecity.bus._share import settle
from safecity.bus.port import BusUnavailableError, Cleanup, Record, TopicPartition, TopicSpec
from safecity.settings import Site

_logs: dict[Path, "MemoryLog"] = defaultdict(lambda: MemoryLog())


def build(site: Site) -> LogBus:
    """The bus of this process for ``site.data_dir``: the same log every time."""
    log = log_of(site)
    return LogBus(lambda: log)


def log_of(site: Site) -> "MemoryLog":
    """The log behind :func:`build`, for tests that take it away or look into it."""
    return _logs[site.data_dir.resolve()]


class _Group:
    def __init__(self) -> None:
        self.topics: dict[str, frozenset[str]] = {}
        self.heard_at: dict[str, float] = {}
        self.leases: dict[TopicPartition, str] = {}
        self.positions: dict[TopicPartition, int] = {}

    def leave(self, member: str) -> None:
        self.topics.pop(member, None)
        self.heard_at.pop(member, None)
        self.leases = {source: holder for source, holder in self.leases.items() if holder != member}


class MemoryLog:
    """See :class:`safecity.bus._log.Log`. Safe to share between threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._version = 0
        self._topics: dict[str, TopicSpec] = {}
        self._records: dict[TopicPartition, list[Record]] = {}
        self._ends: dict[TopicPartition, int] = {}
        self._groups: dict[str, _Group] = defaultdict(_Group)
        self.available = True
        """Set to False, everything fails as if the bus were away."""

    def _reach(self) -> None:
        if not self.available:
            raise BusUnavailableError("the bus in memory has been made unavailable")

    def ensure(self, specs: Sequence[TopicSpec]) -> None:
        """Create the topics that are missing."""
        with self._changed:
            self._reach()
            for spec in specs:
                self._topics.setdefault(spec.name, spec)
                for number in range(PARTITIONS):
                    self._records.setdefault(TopicPartition(spec.name, number), [])
                    self._ends.setdefault(TopicPartition(spec.name, number), 0)

    def partitions(self, topics: Collection[str]) -> list[TopicPartition]:
        """The partitions of those topics that exist."""
        with self._changed:
            self._reach()
            return [source for source in self._records if source.topic in topics]

    def append(self, entries: Sequence[Entry]) -> None:
        """Append all of them or none."""
        with self._changed:
            self._reach()
            for entry in entries:
                if entry.topic not in self._topics:
                    raise BusUnavailableError(f"there is no topic {entry.topic} on the bus yet")
            for entry in entries:
                source = TopicPartition(entry.topic, place_of(entry, PARTITIONS))
                self._records[source].append(
                    Record(
                        *source,
                        self._ends[source],
                        entry.timestamp_ms,
                        entry.key,
                        entry.value,
                        entry.headers,
                    )
                )
                self._ends[source] += 1
            self._version += 1
            self._changed.notify_all()

    def read(self, source: TopicPartition, offset: int, max_records: int, max_bytes: int) -> list[Record]:
        """Records from ``offset`` on, at least one if there is one."""
        found: list[Record] = []
        with self._changed:
            self._reach()
            for record in self._records[source]:
                if record.offset < offset:
                    continue
                if len(found) >= max_records or sum(len(r.value or b"") for r in found) >= max_bytes:
                    break
                found.append(record)
        return found

    def bounds(self, source: TopicPartition) -> tuple[int, int]:
        """The oldest offset that is there, and the next to be written."""
        with self._changed:
            self._reach()
            records, end = self._records[source], self._ends[source]
            return (records[0].offset if records else end), end

    def version(self) -> int:
        """How often something was appended."""
        with self._changed:
            self._reach()
            return self._version

    def wait(self, version: int, timeout: float) -> None:
        """Until something is appended."""
        with self._changed:
            self._changed.wait_for(lambda: self._version != version, timeout)

    def committed(self, group: str, source: TopicPartition) -> int | None:
        """The position of the group."""
        with self._changed:
            self._reach()
            return self._groups[group].positions.get(source)

    def commit(self, group: str, member: str, positions: Mapping[TopicPartition, int]) -> None:
        """Keep positions of partitions that the member holds."""
        with self._changed:
            self._reach()
            for source in positions:
                if self._groups[group].leases.get(source) != member:
                    raise BusUnavailableError(
                        f"{source.topic}/{source.partition} is no longer held by this member of {group}"
                    )
            self._groups[group].positions.update(positions)

    def attend(self, group: str, member: str, topics: Collection[str]) -> Attendance:
        """Join or stay."""
        sources = self.partitions(topics)
        with self._changed:
            state, now = self._groups[group], time.monotonic()
            state.topics[member] = frozenset(topics)
            state.heard_at[member] = now
            for name in [n for n, at in state.heard_at.items() if now - at > LEASE_SECONDS]:
                state.leave(name)
            standing = settle(member, state.topics, sources, state.leases)
            state.leases.update(dict.fromkeys(standing.held, member))
            return standing

    def beat(self, group: str, member: str) -> None:
        """Say that the member lives."""
        with self._changed:
            self._reach()
            if member in self._groups[group].heard_at:
                self._groups[group].heard_at[member] = time.monotonic()

    def release(self, group: str, member: str, sources: Collection[TopicPartition]) -> None:
        """Give partitions back."""
        with self._changed:
            self._reach()
            leases = self._groups[group].leases
            for source in sources:
                if leases.get(source) == member:
                    del leases[source]

    def leave(self, group: str, member: str) -> None:
        """Give everything back and go."""
        with self._changed:
            self._reach()
            self._groups[group].leave(member)

    def prune(self, now_ms: int) -> int:
        """Delete what is no longer kept."""
        deleted = 0
        with self._changed:
            self._reach()
            for source, records in self._records.items():
                kept = _kept(self._topics[source.topic], records, now_ms)
                deleted += len(records) - len(kept)
                self._records[source] = kept
        return deleted

    def close(self) -> None:
        """Nothing: others read on."""


def _kept(spec: TopicSpec, records: Sequence[Record], now_ms: int) -> list[Record]:
    if spec.cleanup is Cleanup.DELETE:
        return [r for r in records if r.timestamp_ms >= now_ms - spec.retention_seconds * 1000]
    newest = {record.key: record.offset for record in records}
    return [
        r
        for r in records
        if r.offset == newest[r.key] and (r.value is not None or r.timestamp_ms >= now_ms - TOMBSTONE_MS)
    ]
