"""A consumer on Kafka: commits only when told, reads only what is committed, shares cooperatively."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import structlog
from kafka import ConsumerRebalanceListener, OffsetAndMetadata
from kafka import KafkaConsumer as Client
from kafka import TopicPartition as KafkaPartition
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import KafkaError

from safecity.bus._kafka_assignor import SamePartitionsAssignor
from safecity.bus._kafka_errors import bus_error, check_access, check_reachable
from safecity.bus._kafka_servers import Servers
from safecity.bus._log import MAX_RECORD_BYTES
from safecity.bus.port import (
    BusError,
    BusUnavailableError,
    OnAssigned,
    OnRevoked,
    Record,
    TopicPartition,
)

SESSION_MS = 6_000
HEARTBEAT_MS = 1_000
CALL_MS = 5_000
CLOSE_MS = 2_000
LOOK_SECONDS = 5.0
"""How often a consumer that gets nothing looks whether there is a broker at all."""

_log = structlog.get_logger()


class _RebalancedError(Exception):
    """Ends kafka-python's poll, so that ours can call back from the caller's own thread."""


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    # kafka-python calls listeners on its I/O loop, where neither commit nor seek may be called and
    # where the caller's database connection is in the wrong thread. It lets a listener's exception
    # out of poll before it fetches or joins again: the very moment to call back.

    def __init__(self) -> None:
        self.revoked: set[KafkaPartition] = set()
        self.assigned: set[KafkaPartition] = set()
        self.closing = False

    def on_partitions_revoked(self, revoked: Iterable[KafkaPartition]) -> None:
        """Note, and end the poll."""
        self.revoked |= set(revoked)
        self._end_poll()

    def on_partitions_assigned(self, assigned: Iterable[KafkaPartition]) -> None:
        """Note, and end the poll."""
        self.assigned |= set(assigned)
        self._end_poll()

    def _end_poll(self) -> None:
        if not self.closing:
            raise _RebalancedError


class KafkaConsumer:
    """See :class:`safecity.bus.port.Consumer`.

    Args:
        servers: the brokers, and how to reach them.
        prefix: put before every topic's name.
        topics: to read, without the prefix.
        group: whom to share them with, or None.
        from_start: where a partition begins that the group has never committed.
        on_assigned: see the port.
        on_revoked: see the port.

    Raises:
        BusUnavailableError: no broker answers.
        BusAccessError: it does not take us.
    """

    def __init__(
        self,
        servers: Servers,
        prefix: str,
        topics: Sequence[str],
        group: str | None,
        from_start: bool,
        on_assigned: OnAssigned | None,
        on_revoked: OnRevoked | None,
    ) -> None:
        self._servers = servers
        self._prefix = prefix
        self._topics = [prefix + topic for topic in topics]
        self._group = group
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._held: set[TopicPartition] = set()
        self._listener = _Listener()
        self._looked_at = time.monotonic()
        self._closed = False
        check_access(self._servers)
        try:
            self._client = Client(
                **servers.connection(),
                group_id=group,
                auto_offset_reset="earliest" if from_start else "latest",
                enable_auto_commit=False,
                isolation_level="read_committed",
                # The second is for members of a version that does not know the first.
                partition_assignment_strategy=[SamePartitionsAssignor, CooperativeStickyAssignor],
                session_timeout_ms=SESSION_MS,
                heartbeat_interval_ms=HEARTBEAT_MS,
                max_partition_fetch_bytes=2 * MAX_RECORD_BYTES,
                fetch_max_wait_ms=250,
                metadata_max_age_ms=30_000,
                allow_auto_create_topics=False,
            )
            if group is not None:
                # Known partitions before joining: a leader that does not know them hands out none, and
                # kafka-python does not always get over that.
                for topic in self._topics:
                    self._client.partitions_for_topic(topic)
                self._client.subscribe(topics=self._topics, listener=self._listener)
        except (KafkaError, OSError) as error:
            raise bus_error(self._servers, "connecting", error) from error

    def poll(self, timeout: float, max_records: int = 500) -> list[Record]:
        """The next records; see the port."""
        deadline = time.monotonic() + timeout
        while True:
            if self._group is None:
                self._assign_all()
            else:
                self._finish_joining()
            remaining = max(deadline - time.monotonic(), 0.0)
            try:
                batches = self._client.poll(timeout_ms=int(remaining * 1000), max_records=max_records)
            except KafkaError as error:
                if not isinstance(error.__cause__, _RebalancedError):
                    raise bus_error(self._servers, "reading", error) from error
                self._call_back()
                batches = {}
            if batches:
                self._looked_at = time.monotonic()
                return [self._record(item) for batch in batches.values() for item in batch]
            self._look_for_broker()
            if time.monotonic() >= deadline:
                return []

    def commit(self, positions: Mapping[TopicPartition, int]) -> None:
        """Keep positions for the group; see the port."""
        if self._group is None:
            raise BusError("a consumer without a group has nowhere to keep positions")
        offsets = {self._theirs(tp): OffsetAndMetadata(offset, "", -1) for tp, offset in positions.items()}
        if not offsets:
            return
        try:
            self._client.commit(offsets, timeout_ms=CALL_MS)
        except KafkaError as error:
            raise bus_error(self._servers, "committing", error) from error

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Read on from ``offset``; see the port."""
        if partition not in self._held:
            raise BusError(f"{partition.topic}/{partition.partition} is not assigned to this consumer")
        self._client.seek(self._theirs(partition), offset)

    def assignment(self) -> Sequence[TopicPartition]:
        """The partitions that this member holds now."""
        return sorted(self._held)

    def lag(self) -> Mapping[TopicPartition, int]:
        """Records behind the end, by partition."""
        held = {source: self._theirs(source) for source in self._held}
        if not held:
            return {}
        try:
            ends = self._client.end_offsets(list(held.values()), timeout_ms=CALL_MS)
            positions = {s: self._client.position(theirs, timeout_ms=CALL_MS) for s, theirs in held.items()}
        except KafkaError as error:
            raise bus_error(self._servers, "asking for the lag", error) from error
        return {
            source: max(ends[theirs] - position, 0)
            for source, theirs in held.items()
            if (position := positions[source]) is not None
        }

    def ends(self) -> Mapping[TopicPartition, int]:
        """The ends of all partitions of the topics; see the port."""
        try:
            ends = self._client.end_offsets(self._everything(), timeout_ms=CALL_MS)
        except KafkaError as error:
            raise bus_error(self._servers, "asking for the ends", error) from error
        return {self._ours(source): end for source, end in ends.items()}

    def close(self) -> None:
        """Leave the group."""
        if self._closed:
            return
        self._closed = self._listener.closing = True
        try:
            self._client.close(autocommit=False, timeout_ms=CLOSE_MS)
        except KafkaError as error:
            _log.debug("bus: closing the consumer failed", error=str(error))

    def _call_back(self) -> None:
        revoked = {self._ours(source) for source in self._listener.revoked} & self._held
        assigned = {self._ours(source) for source in self._listener.assigned}
        self._listener.revoked, self._listener.assigned = set(), set()
        if revoked:
            try:
                if self._on_revoked is not None:
                    self._on_revoked(sorted(revoked))
            except BusUnavailableError as error:
                _log.warning("bus: positions not kept, records will come again", error=str(error))
            self._held -= revoked
        self._take(assigned)

    def _take(self, new: set[TopicPartition]) -> None:
        if not new:
            return
        chosen = (self._on_assigned(sorted(new)) if self._on_assigned is not None else None) or {}
        self._held |= new
        for source, offset in chosen.items():
            self._client.seek(self._theirs(source), offset)

    def _assign_all(self) -> None:
        # Topics may come later than their reader; the client looks them up every metadata_max_age_ms.
        try:
            everything = self._everything()
        except KafkaError as error:
            raise bus_error(self._servers, "asking for partitions", error) from error
        new = {self._ours(source) for source in everything} - self._held
        if new:
            self._client.assign(everything)
            self._take(new)

    def _everything(self) -> list[KafkaPartition]:
        return sorted(
            KafkaPartition(topic, number)
            for topic in self._topics
            for number in self._client.partitions_for_topic(topic) or ()
        )

    def _finish_joining(self) -> None:
        # A join that changed metadata has set off, and that outlasts one poll, is forgotten by
        # kafka-python's next poll: it would hold nothing and send no heartbeat for ever.
        coordinator = self._client._coordinator
        if coordinator.rejoining and not coordinator.need_rejoin():
            coordinator.request_rejoin()

    def _look_for_broker(self) -> None:
        # kafka-python's poll returns empty for ever when every broker is gone.
        if time.monotonic() - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = time.monotonic()
        check_reachable(self._servers)

    def _record(self, item: Any) -> Record:
        source = self._ours(KafkaPartition(item.topic, item.partition))
        key = None if item.key is None else item.key.decode("utf-8", "replace")
        headers = tuple((name, value or b"") for name, value in item.headers)
        return Record(*source, item.offset, item.timestamp, key, item.value, headers)

    def _ours(self, source: KafkaPartition) -> TopicPartition:
        return TopicPartition(source.topic.removeprefix(self._prefix), source.partition)

    def _theirs(self, source: TopicPartition) -> KafkaPartition:
        return KafkaPartition(self._prefix + source.topic, source.partition)
