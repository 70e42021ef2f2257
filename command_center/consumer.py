"""From the bus to the store: pictures first, then rows with their positions, then the bus' own commit."""

import time
from collections.abc import Mapping, Sequence

import structlog

from command_center.background import Background
from command_center.live import Live
from command_center.media import MediaStore
from command_center.metrics import CentreMetrics
from command_center.perseverance import LONGEST_WAIT, Perseverance, StoppedError
from command_center.store.database import StoreError
from command_center.store.places import FencedError
from command_center.store.rows import Batch, Recorded
from command_center.store.store import Store
from command_center.unpacking import ReplacedError, Unpacker, UnreadableError
from safecity.bus.port import (
    Bus,
    BusError,
    BusUnavailableError,
    Consumer,
    Producer,
    Record,
    TopicPartition,
)
from safecity.redaction import redact

GROUP = "safecity-centre"
TOPICS = ("snapshots", "events", "replays", "status", "owners")
POLL_SECONDS = 0.25
GATHER_SECONDS = 0.1
"""Between two transactions: each costs as much as ten events, so under load several polls share one."""
ENOUGH = 500
"""Records that are worth a transaction of their own."""
LAG_EVERY_SECONDS = 5.0

_log = structlog.get_logger()


class EventConsumer(Background):
    """Reads the bus in a thread of its own until it is stopped.

    Nothing is acknowledged to the bus that is not in the store, and the store knows how far it has read: a
    centre that is killed at any moment stores everything, and nothing twice. Several centres on one store
    share the topics' partitions; one that has lost a partition without knowing stores nothing more from it.

    Args:
        bus: read from, and told of unreadable messages (topic ``dead-letter``).
        store: takes events, statuses and positions.
        media: takes pictures.
        live: told when something is new.
        metrics: told everything.
    """

    def __init__(self, bus: Bus, store: Store, media: MediaStore, live: Live, metrics: CentreMetrics) -> None:
        super().__init__("consumer")
        self._bus = bus
        self._store = store
        self._live = live
        self._metrics = metrics
        self._disk = Perseverance(self._stopping, metrics)
        self._unpacker = Unpacker(media, metrics, self._disk)
        self._known: dict[TopicPartition, int] = {}
        self.connected = False
        """Whether the bus answered the last time."""
        self.lag: Mapping[str, int] = {}
        """Unread messages by topic, those that other centres are to read included."""
        self._lag_due = self._stored_at = 0.0

    @property
    def storing(self) -> bool:
        """Whether the store and the disk took the last batch."""
        return self._disk.storing

    def _run(self) -> None:
        wait = 0.5
        while not self._stopping.is_set():
            try:
                self._bus.ensure_topics()
                self._consume()
            except StoppedError:
                return
            except FencedError as error:
                _log.warning("joining the group again", reason=str(error))
            except (BusError, StoreError) as error:
                if self.connected or wait == 0.5:
                    what = "bus" if isinstance(error, BusError) else "store"
                    _log.error(f"the {what} is away; the centre tries again", reason=redact(error))
                self._show_connected(False)
                self._stopping.wait(wait)
                wait = min(2 * wait, LONGEST_WAIT)
            else:
                wait = 0.5

    def _consume(self) -> None:
        producer = self._bus.producer("safecity-centre")
        try:
            consumer = self._bus.consumer(TOPICS, group=GROUP, on_assigned=self._begin_at)
            try:
                while not self._stopping.is_set():
                    self._take(self._gather(consumer), consumer, producer)
            finally:
                consumer.close()
        finally:
            producer.close()

    def _begin_at(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """What the store has counts, not what the bus was told: the last commit may not have reached it."""
        stored = self._store.positions()
        known = {partition: stored[partition] for partition in partitions if partition in stored}
        for partition in partitions:
            self._known.pop(partition, None)
        self._known.update(known)
        return known

    def _gather(self, consumer: Consumer) -> list[Record]:
        records = consumer.poll(POLL_SECONDS)
        early = GATHER_SECONDS - (time.monotonic() - self._stored_at)
        if records and len(records) < ENOUGH and early > 0:
            self._stopping.wait(early)
            records += consumer.poll(0.0)
        return records

    def _take(self, records: Sequence[Record], consumer: Consumer, producer: Producer) -> None:
        if not self.connected:
            _log.info("the bus answers")
        self._show_connected(True)
        if time.monotonic() >= self._lag_due:
            self._lag_due = time.monotonic() + LAG_EVERY_SECONDS
            self._show_lag(consumer)
        if records:
            begin = time.monotonic()
            self._store_all(records, consumer, producer)
            self._metrics.busy.inc(time.monotonic() - begin)

    def _store_all(self, records: Sequence[Record], consumer: Consumer, producer: Producer) -> None:
        batch = Batch(known=self._known)
        with_events = {record.key for record in records if record.topic == "events" and record.key}
        self._unpacker.begin(self._disk.persist(lambda: self._store.takeovers(with_events)))
        # First the hand-overs: the same records may hold what they refuse.
        for record in sorted(records, key=lambda record: record.topic != "owners"):
            try:
                self._unpacker.unpack(record, batch)
            except UnreadableError as error:
                self._bury(record, str(error), producer)
                batch.dead_letters += 1
                self._metrics.fenced.inc(isinstance(error, ReplacedError))
                self._metrics.fenced.inc(isinstance(error, FencedError))
            batch.positions[record.source] = record.offset + 1
        if batch.dead_letters:
            producer.flush(30.0)
        self._unpacker.keep_pictures()
        recorded = self._disk.persist(lambda: self._store.record(batch))
        self._stored_at = time.monotonic()
        self._known.update(batch.positions)
        self._tell(batch, recorded)
        self._commit(consumer, batch.positions)

    def _commit(self, consumer: Consumer, positions: Mapping[TopicPartition, int]) -> None:
        try:
            consumer.commit(positions)
        except BusUnavailableError as error:
            # While the group is being shared out anew it takes none. The store's positions are what counts;
            # should the bus be away, the next poll says so.
            _log.debug("the bus was not told how far the store is", reason=redact(error))

    def _bury(self, record: Record, reason: str, producer: Producer) -> None:
        _log.warning("a message that cannot be read", topic=record.topic, reason=reason)
        source = f"{record.topic}/{record.partition}/{record.offset}"
        headers = (
            *record.headers,
            ("dead-letter-reason", reason.encode()),
            ("dead-letter-source", source.encode()),
        )
        producer.publish("dead-letter", key=record.key or "", value=record.value, headers=headers)
        self._metrics.dead_letters.labels(record.topic).inc()

    def _tell(self, batch: Batch, recorded: Recorded) -> None:
        self._metrics.duplicates.inc(recorded.duplicates)
        for stored in recorded.stored:
            self._metrics.stored.labels(stored.event.kind).inc()
            if stored.latency_ms is not None:
                self._metrics.latency.observe(stored.latency_ms / 1000)
        if recorded.stored or batch.statuses:
            self._live.tell(batch.statuses)

    def _show_connected(self, connected: bool) -> None:
        self.connected = connected
        self._metrics.bus_connected.set(connected)

    def _show_lag(self, consumer: Consumer) -> None:
        own = consumer.lag()
        for topic, behind in _by_topic(own).items():
            self._metrics.lag.labels(topic).set(behind)
        known = self._store.positions()
        others = {
            partition: max(end - known[partition], 0)
            for partition, end in consumer.ends().items()
            if partition not in own and partition in known
        }
        self.lag = _by_topic({**own, **others})


def _by_topic(lag: Mapping[TopicPartition, int]) -> dict[str, int]:
    behind = dict.fromkeys(TOPICS, 0)
    for partition, count in lag.items():
        behind[partition.topic] += count
    return behind
