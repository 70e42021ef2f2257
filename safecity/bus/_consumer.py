"""A consumer over a log: positions, group membership and the callbacks, for every bus that has a log."""

import os
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Mapping, Sequence

import structlog

from safecity.bus._log import Log
from safecity.bus.port import (
    BusError,
    BusUnavailableError,
    OnAssigned,
    OnRevoked,
    Record,
    TopicPartition,
)

ATTEND_SECONDS = 0.5
BEAT_SECONDS = 1.5
STUCK_SECONDS = 300.0
"""A member that has not polled for so long stops saying that it lives."""
POLL_BYTES = 16 * 1024 * 1024
PAUSE_SECONDS = 0.025

_log = structlog.get_logger()


class LogConsumer:
    """See :class:`safecity.bus.port.Consumer`.

    Args:
        open_log: called for this consumer and for the thread that keeps its lease.
        topics: to read.
        group: whom to share them with, or None.
        from_start: where a partition begins that the group has never committed.
        on_assigned: see the port.
        on_revoked: see the port.
    """

    def __init__(
        self,
        open_log: Callable[[], Log],
        topics: Sequence[str],
        group: str | None,
        from_start: bool,
        on_assigned: OnAssigned | None,
        on_revoked: OnRevoked | None,
    ) -> None:
        self._store = open_log()
        self._topics = tuple(topics)
        self._group = group
        self._from_start = from_start
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._member = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        self._positions: dict[TopicPartition, int] = {}
        self._order: list[TopicPartition] = []
        self._attended_at = float("-inf")
        self._seen: int | None = None
        self._closed = threading.Event()
        self.polled_at = time.monotonic()
        if group is not None:
            threading.Thread(
                target=_keep_lease,
                args=(weakref.ref(self), open_log, group, self._member, self._closed),
                name=f"bus-lease-{group}",
                daemon=True,
            ).start()

    def poll(self, timeout: float, max_records: int = 500) -> list[Record]:
        """The next records; see the port."""
        deadline = time.monotonic() + timeout
        while True:
            self.polled_at = time.monotonic()
            if self.polled_at - self._attended_at >= ATTEND_SECONDS:
                self._attend()
                self._attended_at = self.polled_at
            version = self._store.version()
            if version != self._seen:
                if records := self._read(max_records):
                    self._seen = None
                    return records
                self._seen = version
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return []
            self._store.wait(version, min(remaining, PAUSE_SECONDS))

    def commit(self, positions: Mapping[TopicPartition, int]) -> None:
        """Keep positions for the group; see the port."""
        if self._group is None:
            raise BusError("a consumer without a group has nowhere to keep positions")
        if positions:
            self._store.commit(self._group, self._member, positions)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Read on from ``offset``; see the port."""
        if partition not in self._positions:
            raise BusError(f"{partition.topic}/{partition.partition} is not assigned to this consumer")
        self._positions[partition] = offset
        self._seen = None

    def assignment(self) -> Sequence[TopicPartition]:
        """The partitions that this member holds now."""
        return sorted(self._positions)

    def lag(self) -> Mapping[TopicPartition, int]:
        """Records behind the end, by partition."""
        return {
            source: max(self._store.bounds(source)[1] - position, 0)
            for source, position in self._positions.items()
        }

    def ends(self) -> Mapping[TopicPartition, int]:
        """The ends of all partitions of the topics; see the port."""
        return {source: self._store.bounds(source)[1] for source in self._store.partitions(self._topics)}

    def close(self) -> None:
        """Leave the group."""
        if self._closed.is_set():
            return
        self._closed.set()
        try:
            if self._group is not None:
                self._store.leave(self._group, self._member)
        except BusUnavailableError as error:
            _log.warning("bus: left without a word, the lease will expire", error=str(error))
        finally:
            self._store.close()

    def _attend(self) -> None:
        if self._group is None:
            self._change(set(self._store.partitions(self._topics)))
            return
        attendance = self._store.attend(self._group, self._member, self._topics)
        self._change(set(attendance.held))
        if attendance.surplus:
            self._change(set(attendance.held - attendance.surplus))
            self._store.release(self._group, self._member, attendance.surplus)

    def _change(self, held: set[TopicPartition]) -> None:
        gone = sorted(self._positions.keys() - held)
        new = sorted(held - self._positions.keys())
        if gone:
            try:
                if self._on_revoked is not None:
                    self._on_revoked(gone)
            except BusUnavailableError as error:
                _log.warning("bus: positions not kept, records will come again", error=str(error))
            for source in gone:
                del self._positions[source]
        if new:
            chosen = (self._on_assigned(new) if self._on_assigned is not None else None) or {}
            for source in new:
                self._positions[source] = chosen[source] if source in chosen else self._start(source)
        if gone or new:
            self._order = sorted(self._positions)
            self._seen = None

    def _start(self, source: TopicPartition) -> int:
        position = self._store.committed(self._group, source) if self._group is not None else None
        if position is not None:
            return position
        oldest, end = self._store.bounds(source)
        return oldest if self._from_start else end

    def _read(self, max_records: int) -> list[Record]:
        records: list[Record] = []
        size = 0
        for source in list(self._order):
            if len(records) >= max_records or size >= POLL_BYTES:
                break
            position = self._within(source)
            found = self._store.read(source, position, max_records - len(records), POLL_BYTES - size)
            if found:
                self._positions[source] = found[-1].offset + 1
                records += found
                size += sum(len(record.value or b"") for record in found)
        if self._order:  # another partition is first next time
            self._order.append(self._order.pop(0))
        return records

    def _within(self, source: TopicPartition) -> int:
        position = self._positions[source]
        oldest, end = self._store.bounds(source)
        if position <= end:
            return position
        _log.warning("bus: the log is shorter than the position, reading what there is", position=position)
        self._positions[source] = oldest if self._from_start else end
        return self._positions[source]


def _keep_lease(
    consumer: "weakref.ref[LogConsumer]",
    open_log: Callable[[], Log],
    group: str,
    member: str,
    closed: threading.Event,
) -> None:
    store: Log | None = None
    while not closed.wait(BEAT_SECONDS):
        alive = consumer()
        if alive is None:
            break
        stuck = time.monotonic() - alive.polled_at > STUCK_SECONDS
        del alive
        if stuck:
            continue
        try:
            store = store or open_log()
            store.beat(group, member)
        except BusUnavailableError as error:
            _log.warning("bus: the lease could not be kept", group=group, error=str(error))
    if store is not None:
        store.close()
