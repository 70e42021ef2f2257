"""The publisher: from the outbox to the bus, in order, until the bus has said that it has it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

import structlog

from ingest.best_effort import BestEffort
from ingest.metrics import WorkerMetrics
from ingest.outbox import Outbox, OutboxError, Outgoing
from ingest.outbox_room import LIMIT_BYTES, OutboxRoom
from safecity.bus.port import (
    Acknowledge,
    Bus,
    BusAccessError,
    BusError,
    Producer,
    RecordTooLargeError,
)
from safecity.cloudevents import published

BATCH = 200
ACKNOWLEDGE_SECONDS = 15.0
RETRY_SECONDS = (0.5, 1.0, 2.0, 4.0)
GATHER_SECONDS = 0.1
"""Observations and statuses wait so long for others: a round for each one would cost more than sending it."""

_log = structlog.get_logger()


@dataclass
class _Sent:
    sequence: int
    message: Outgoing
    error: BusError | None = None
    acknowledged: bool = False

    def acknowledge(self, error: BusError | None) -> None:
        self.error, self.acknowledged = error, error is None


class Publisher:
    """A thread that empties an outbox into the bus.

    Each round is the whole delivery guarantee:
        1. read the oldest messages from the outbox,
        2. publish them in their order,
        3. wait until the bus has acknowledged,
        4. take the acknowledged ones out of the outbox.
    A stop or a crash between any two steps repeats messages and loses none; the centre knows repeats
    by event id and revision.

    Observations and statuses go past the outbox while the bus takes them. While it does not, and until those
    that wait are gone, they go through it, behind the events; when there is no room, the oldest of them are
    given up and counted.

    Args:
        open_outbox: opens the outbox for this thread.
        bus: where the messages go.
        client_id: what the bus calls this producer.
        metrics: told what was published and what waits.
        limit_bytes: of the outbox; events and their pictures are kept beyond it, until the disk is full.
        once: the outbox gets nothing new: when it is empty, delete it and end.
    """

    def __init__(
        self,
        open_outbox: Callable[[], Outbox],
        bus: Bus,
        client_id: str,
        metrics: WorkerMetrics,
        *,
        limit_bytes: int = LIMIT_BYTES,
        once: bool = False,
    ) -> None:
        self._once = once
        self._room = OutboxRoom(metrics, limit_bytes)
        self._open_outbox = open_outbox
        self._bus = bus
        self._client_id = client_id
        self._metrics = metrics
        self._best_effort = BestEffort(
            given_up=lambda topic: metrics.lost.labels(topic).inc(),
            published=lambda topic: metrics.published.labels(topic).inc(),
        )
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._deadline = 0.0
        self._told: tuple[bool, type[Exception] | None] | None = None
        self._producer: Producer | None = None
        self.pending = 0
        """Messages in the outbox when it was last looked at."""
        self.events_published = 0
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def notify(self) -> None:
        """Something new is in the outbox."""
        self._wake.set()

    def offer(self, message: Outgoing) -> None:
        """Publish when possible; the oldest are given up when the bus is away for too long."""
        self._best_effort.offer(message)

    def stop(self, drain_seconds: float) -> None:
        """Publish what waits for up to ``drain_seconds``, then end. The rest stays in the outbox."""
        self._deadline = time.monotonic() + drain_seconds
        self._stopping.set()
        self._wake.set()
        self._thread.join(drain_seconds + ACKNOWLEDGE_SECONDS)

    def _run(self) -> None:
        with self._open_outbox() as outbox:
            failures = 0
            while True:
                try:
                    busy = self._round(outbox)
                    failures = 0
                except (BusError, OutboxError) as error:
                    busy = False
                    self._say(connected=False, error=error)
                    self._drop_producer()
                    self._put_by(outbox)
                    self._nap(RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)])
                    failures += 1
                if self._stopping.is_set() and (not self._work_left() or time.monotonic() > self._deadline):
                    break
                if self._once and not failures and not self.pending:
                    outbox.path.unlink(missing_ok=True)
                    return
                if not busy and not failures:
                    self._wake.wait(GATHER_SECONDS)
                    self._wake.clear()
            self._drop_producer()
            self._put_by(outbox)

    def _round(self, outbox: Outbox) -> bool:
        if self._best_effort.trouble is not None:
            raise self._best_effort.trouble
        waiting = outbox.waiting(BATCH)
        backlog = self._room.look(outbox)
        self.pending = backlog.messages
        if self._producer is None:
            self._bus.ensure_topics()
            self._producer = self._bus.producer(self._client_id)
        if not waiting and not self._best_effort:
            return False
        self._deliver(outbox, self._producer, [_Sent(s, m) for s, m in waiting])
        if backlog.best_effort:  # what came later must not overtake it
            self._put_by(outbox)
        else:
            self._try(self._producer)
        self._say(connected=True)
        return len(waiting) == BATCH

    def _put_by(self, outbox: Outbox) -> None:
        """Keep on disk what cannot be published now."""
        messages = self._best_effort.take()
        try:
            self.pending = self._room.put_by(outbox, messages).messages
        except OutboxError as error:
            self._best_effort.give_back(messages)
            _log.warning("observations and statuses cannot be kept on disk", error=str(error))

    def _deliver(self, outbox: Outbox, producer: Producer, sent: list[_Sent]) -> None:
        try:
            for item in sent:
                self._publish(producer, item.message, item.acknowledge)
            if sent:
                producer.flush(ACKNOWLEDGE_SECONDS)
        finally:
            done = [item for item in sent if item.acknowledged]
            if done:
                outbox.settle([item.sequence for item in done])
                self.pending -= len(done)
                self._metrics.outbox_messages.set(self.pending)
            for item in done:
                self._metrics.published.labels(item.message.topic).inc()
                self.events_published += item.message.topic == "events"
        failed = next((item.error for item in sent if item.error is not None), None)
        if failed is not None:
            raise failed

    def _publish(
        self, producer: Producer, message: Outgoing, acknowledge: Callable[[BusError | None], None]
    ) -> None:
        try:
            producer.publish(
                message.topic,
                key=message.key,
                value=message.value,
                headers=published(message.headers, datetime.now(UTC)),
                timestamp_ms=message.timestamp_ms,
                acknowledge=acknowledge,
            )
        except RecordTooLargeError as error:
            # It will never fit: what became of it goes on record, and the rest goes on.
            _log.error("message is too large for the bus", topic=message.topic, key=message.key, error=error)
            headers = (*message.headers, ("dead-letter-reason", str(error).encode()))
            self._publish(
                producer, replace(message, topic="dead-letter", value=b"", headers=headers), acknowledge
            )

    def _try(self, producer: Producer) -> None:
        messages = self._best_effort.take()
        for index, message in enumerate(messages):
            try:
                self._best_effort.send(message, partial(_hand_over, producer, message))
            except BusError:
                self._best_effort.give_back(messages[index:])
                raise

    def _work_left(self) -> bool:
        return bool(self.pending or self._best_effort)

    def _nap(self, seconds: float) -> None:
        if not self._stopping.wait(seconds):
            return
        time.sleep(min(0.2, seconds))

    def _drop_producer(self) -> None:
        if self._producer is not None:
            producer, self._producer = self._producer, None
            try:
                producer.close(timeout=1.0)
            except BusError as error:
                _log.debug("closing the producer failed", error=str(error))
        self._best_effort.reclaim()

    def _say(self, *, connected: bool, error: Exception | None = None) -> None:
        self._metrics.bus_connected.set(connected)
        told = (connected, None if error is None else type(error))
        if told == self._told:
            return
        self._told = told
        if connected:
            _log.info("the bus takes messages")
        elif isinstance(error, BusAccessError):
            _log.error("the bus refuses this worker; events are kept in the outbox", error=str(error))
        else:
            _log.warning("the bus is away; events are kept in the outbox", error=str(error))


def _hand_over(producer: Producer, message: Outgoing, acknowledge: Acknowledge) -> None:
    producer.publish(
        message.topic,
        key=message.key,
        value=message.value,
        headers=message.headers,
        timestamp_ms=message.timestamp_ms,
        acknowledge=acknowledge,
    )
