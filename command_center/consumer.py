"""From the bus to the store: pictures first, then rows with their positions, then the bus' own commit."""

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import structlog
from pydantic import ValidationError

from command_center.fence import successor
from command_center.live import Live
from command_center.media import MediaNameError, MediaStore
from command_center.metrics import CentreMetrics
from command_center.retention import Retention
from command_center.store.database import StoreError
from command_center.store.rows import Batch, Recorded
from command_center.store.store import Store
from safecity.bus.port import Bus, BusError, Consumer, Producer, Record, TopicPartition
from safecity.cloudevents import RUN_HEADER, TRACE_HEADER
from safecity.event import Event, Trace
from safecity.message import NAME_PATTERN
from safecity.ownership import Hold, Ownership
from safecity.redaction import redact
from safecity.status import Status

GROUP = "safecity-centre"
TOPICS = ("snapshots", "events", "replays", "status", "owners")
POLL_SECONDS = 0.25
LAG_EVERY_SECONDS = 5.0
LONGEST_WAIT = 10.0

_log = structlog.get_logger()

T = TypeVar("T")
M = TypeVar("M", Event, Trace, Status, Ownership)


class UnreadableError(Exception):
    """A message that cannot be used, now or later; the message says why."""


class FencedError(UnreadableError):
    """A message of an owner that had been replaced; the message says by whom."""


class _StoppedError(Exception):
    """The centre is to end while a batch cannot be stored: the bus keeps the batch."""


class EventConsumer:
    """Reads the bus in a thread of its own until it is stopped.

    Nothing is acknowledged to the bus that is not in the store, and the store knows how far it has read: a
    centre that is killed at any moment stores everything, and nothing twice.

    Args:
        bus: read from, and told of unreadable messages (topic ``dead-letter``).
        store: takes events, statuses and positions.
        media: takes pictures.
        live: told when something is new.
        metrics: told everything.
        retention: run now and then.
    """

    def __init__(
        self,
        bus: Bus,
        store: Store,
        media: MediaStore,
        live: Live,
        metrics: CentreMetrics,
        retention: Retention,
    ) -> None:
        self._bus = bus
        self._store = store
        self._media = media
        self._live = live
        self._metrics = metrics
        self._retention = retention
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="consumer", daemon=True)
        self.connected = False
        """Whether the bus answered the last time."""
        self.storing = True
        """Whether the store and the disk took the last batch."""
        self.lag: Mapping[str, int] = {}
        """Unread messages by topic."""
        self._lag_due = 0.0
        self._takeovers: dict[str, dict[int, datetime]] = {}
        """Of the cameras of the batch at hand: since when the owner of each epoch has had them."""
        self._epochs: dict[str, int] = {}
        """Of each camera's newest owner that has reported."""

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """End, after the batch at hand."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        wait = 0.5
        while not self._stopping.is_set():
            try:
                self._bus.ensure_topics()
                self._consume()
            except _StoppedError:
                return
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
                    self._take(consumer.poll(POLL_SECONDS), consumer, producer)
                    self._retention.run_when_due()
            finally:
                consumer.close()
        finally:
            producer.close()

    def _begin_at(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """What the store has counts, not what the bus was told: the last commit may not have reached it."""
        known = self._store.positions()
        return {partition: known[partition] for partition in partitions if partition in known}

    def _take(self, records: Sequence[Record], consumer: Consumer, producer: Producer) -> None:
        if not self.connected:
            _log.info("the bus answers")
        self._show_connected(True)
        if time.monotonic() >= self._lag_due:
            self._lag_due = time.monotonic() + LAG_EVERY_SECONDS
            self._show_lag(consumer)
        if not records:
            return
        batch = Batch()
        with_events = {record.key for record in records if record.topic == "events" and record.key}
        self._takeovers = self._persist(lambda: self._store.takeovers(with_events))
        # First the hand-overs: the same records may hold what they refuse.
        for record in sorted(records, key=lambda record: record.topic != "owners"):
            try:
                self._read(record, batch)
            except UnreadableError as error:
                self._bury(record, str(error), producer)
                batch.dead_letters += 1
                self._metrics.fenced.inc(isinstance(error, FencedError))
            batch.positions[record.source] = record.offset + 1
        if batch.dead_letters:
            producer.flush(30.0)
        recorded = self._persist(lambda: self._store.record(batch))
        self._tell(batch, recorded)
        consumer.commit(batch.positions)

    def _read(self, record: Record, batch: Batch) -> None:
        if record.topic == "snapshots":
            self._keep_picture(record)
        elif record.topic == "replays":
            self._read_replayed(record, batch)
        elif record.value is None:
            if record.topic != "owners":
                raise UnreadableError("a record without a value")
        elif record.topic == "owners":
            self._read_takeover(_decode(Ownership, record.value), batch)
        elif record.topic == "events":
            header = record.header(TRACE_HEADER)
            event, trace = _decode(Event, record.value), _decode(Trace, header) if header else None
            if trace is not None:
                self._check_owner(event.camera_id, trace)
            batch.events.append((event, trace))
        else:
            self._read_status(_decode(Status, record.value), batch)

    def _read_takeover(self, said: Ownership, batch: Batch) -> None:
        if said.hold is Hold.HOLDS and said.since is not None:
            batch.takeovers[said.camera_id, said.epoch] = said.since
            self._takeovers.setdefault(said.camera_id, {})[said.epoch] = said.since

    def _check_owner(self, camera_id: str, trace: Trace) -> None:
        if (epoch := successor(self._takeovers, camera_id, trace)) is not None:
            raise FencedError(
                f"decided by {trace.worker} in epoch {trace.epoch} about a frame that was epoch {epoch}'s"
            )

    def _read_status(self, status: Status, batch: Batch) -> None:
        """Keep it, if it is not of an owner that has been replaced."""
        if status.epoch >= self._epochs.get(status.camera_id, 0):
            self._epochs[status.camera_id] = status.epoch
            batch.statuses[status.camera_id] = status

    def _read_replayed(self, record: Record, batch: Batch) -> None:
        run = (record.header(RUN_HEADER) or b"").decode(errors="replace")
        if not re.fullmatch(NAME_PATTERN, run):
            raise UnreadableError(f"header {RUN_HEADER}: no name of a run")
        if record.header("media-name") is not None:
            self._keep_picture(record, replace=False)
        elif record.value is None:
            raise UnreadableError("a record without a value")
        else:
            batch.replayed.append((run, _decode(Event, record.value)))

    def _keep_picture(self, record: Record, *, replace: bool = True) -> None:
        name, picture = (record.header("media-name") or b"").decode(errors="replace"), record.value
        if not picture or not picture.startswith(b"\xff\xd8"):
            raise UnreadableError("no JPEG")

        try:
            # A replay never writes over what was seen live.
            if not replace and self._media.find(name) is not None:
                return
            self._persist(lambda: self._media.save(name, picture))
            self._metrics.media.inc()
        except MediaNameError as error:
            raise UnreadableError(f"header media-name: {error}") from None

    def _persist(self, attempt: Callable[[], T]) -> T:
        """Try until the disk takes it.

        Raises:
            _StoppedError: the centre is to end before it does.
        """
        wait = 0.5
        while True:
            try:
                result = attempt()
            except (StoreError, OSError) as error:
                self._metrics.store_failures.inc()
                self.storing = False
                _log.error(
                    "the centre cannot store: is the disk full? Nothing is lost, the bus keeps it",
                    reason=redact(error),
                )
                if self._stopping.wait(wait):
                    raise _StoppedError from None
                wait = min(2 * wait, LONGEST_WAIT)
            else:
                self.storing = True
                return result

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
        lag = dict.fromkeys(TOPICS, 0)
        for partition, behind in consumer.lag().items():
            lag[partition.topic] += behind
        for topic, behind in lag.items():
            self._metrics.lag.labels(topic).set(behind)
        self.lag = lag


def _decode(kind: type[M], value: bytes) -> M:
    try:
        return kind.from_bytes(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        raise UnreadableError(
            redact(f"no {kind.__name__}: {path + ': ' if path else ''}{first['msg']}")
        ) from None
