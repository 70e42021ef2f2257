"""A producer over a log: one thread appends what has gathered since its last append, in one commit."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import structlog

from safecity.bus._log import Entry, Log, make_entry
from safecity.bus.port import Acknowledge, BusError, BusUnavailableError, Headers
from safecity.steady_clock import STEADY

BUFFER_BYTES = 64 * 1024 * 1024
BUFFER_RECORDS = 20_000
BATCH_RECORDS = 500
BATCH_BYTES = 16 * 1024 * 1024
PRUNE_SECONDS = 30.0

_log = structlog.get_logger()


class _Waiting(NamedTuple):
    entry: Entry
    acknowledge: Acknowledge | None


class LogProducer:
    """See :class:`safecity.bus.port.Producer`. An acknowledged record is in the log.

    Args:
        open_log: called once here, so that an unavailable log shows at once.
        client_id: names the thread.
    """

    def __init__(self, open_log: Callable[[], Log], client_id: str) -> None:
        self._store = open_log()
        self._changed = threading.Condition()
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._appending = 0
        self._failure: BusError | None = None
        self._closed = False
        self._pruned_at = time.monotonic() - PRUNE_SECONDS
        self._thread = threading.Thread(target=self._run, name=f"bus-{client_id}", daemon=True)
        self._thread.start()

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
        """Send one record; see the port."""
        now = time.time_ns() // 1_000_000
        stamp = now if timestamp_ms is None else timestamp_ms
        entry = make_entry(topic, key, value, headers, stamp, partition)
        with self._changed:
            if self._closed:
                raise BusError("the producer is closed")
            if len(self._waiting) >= BUFFER_RECORDS or self._waiting_bytes + entry.size > BUFFER_BYTES:
                raise BusUnavailableError("the buffer is full: the bus does not keep up")
            self._waiting.append(_Waiting(entry, acknowledge))
            self._waiting_bytes += entry.size
            self._changed.notify_all()

    def flush(self, timeout: float) -> None:
        """Wait until all is acknowledged; see the port."""
        with self._changed:
            idle = self._changed.wait_for(lambda: not self._waiting and not self._appending, timeout)
            failure, self._failure = self._failure, None
        if not idle:
            raise BusUnavailableError(f"not all records were kept within {timeout:g} s")
        if failure is not None:
            raise BusUnavailableError(str(failure))

    def close(self, timeout: float = 5.0) -> None:
        """Flush and let go; see the port."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            while batch := self._next_batch():
                self._append(batch)
                self._prune_if_due()
        finally:
            self._store.close()

    def _next_batch(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            size = 0
            while self._waiting and len(batch) < BATCH_RECORDS and size < BATCH_BYTES:
                batch.append(self._waiting.popleft())
                size += batch[-1].entry.size
            self._waiting_bytes -= size
            self._appending = len(batch)
        return batch

    def _append(self, batch: list[_Waiting]) -> None:
        failure: BusError | None = None
        try:
            self._store.append([item.entry for item in batch])
        except BusError as error:
            failure = error
            with self._changed:  # what comes behind fails as well: it must not overtake these
                batch += self._waiting
                self._waiting.clear()
                self._waiting_bytes = 0
        for item in batch:
            if item.acknowledge is not None:
                item.acknowledge(failure)
        with self._changed:
            self._appending = 0
            self._failure = self._failure or failure
            self._changed.notify_all()

    def _prune_if_due(self) -> None:
        if time.monotonic() - self._pruned_at < PRUNE_SECONDS:
            return
        self._pruned_at = time.monotonic()
        try:
            self._store.prune(int(STEADY.time() * 1000))
        except BusError as error:
            _log.warning("bus: pruning failed", error=str(error))
