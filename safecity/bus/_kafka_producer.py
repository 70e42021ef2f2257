"""A producer on Kafka: idempotent, acknowledged by all replicas, bounded in memory and in time."""

import threading
from collections.abc import Sequence
from functools import partial

import structlog
from kafka import KafkaProducer as Client
from kafka.errors import KafkaError

from safecity.bus._kafka_errors import bus_error, check_reachable
from safecity.bus._log import MAX_RECORD_BYTES, make_entry
from safecity.bus.port import Acknowledge, BusError, BusUnavailableError, Headers, RecordTooLargeError

BUFFER_BYTES = 64 * 1024 * 1024
BUFFER_RECORDS = 20_000
DELIVERY_MS = 12_000
REQUEST_MS = 8_000
BLOCK_MS = 3_000
LINGER_MS = 5
CLOSE_SECONDS = 1.0
REQUEST_BYTES = MAX_RECORD_BYTES + 256 * 1024
"""A record of the largest size, with what Kafka writes around it."""

_log = structlog.get_logger()


class KafkaProducer:
    """See :class:`safecity.bus.port.Producer`.

    Args:
        connection: settings that every client of kafka-python takes.
        prefix: put before every topic's name.
        client_id: what the broker calls this producer.

    Raises:
        BusUnavailableError: no broker answers.
        BusError: a guarantee that is asked for is not in force.
    """

    def __init__(self, connection: dict[str, object], prefix: str, client_id: str) -> None:
        self._servers: Sequence[str] = connection["bootstrap_servers"]  # type: ignore[assignment]
        self._prefix = prefix
        self._changed = threading.Condition()
        self._pending = 0
        self._pending_bytes = 0
        self._failure: BusError | None = None
        self._closed = False
        check_reachable(self._servers)
        try:
            self._client = Client(
                **connection,
                client_id=client_id,
                enable_idempotence=True,
                acks="all",
                linger_ms=LINGER_MS,
                batch_size=128 * 1024,
                max_request_size=REQUEST_BYTES,
                max_block_ms=BLOCK_MS,
                request_timeout_ms=REQUEST_MS,
                delivery_timeout_ms=DELIVERY_MS,
                allow_auto_create_topics=False,
            )
        except (KafkaError, OSError) as error:
            raise bus_error(self._servers, "connecting", error) from error
        self._check_guarantees()

    def _check_guarantees(self) -> None:
        # kafka-python turns idempotence off in silence when another setting conflicts with it.
        config = self._client.config
        wrong = [
            f"{name} is {config[name]!r}, not {wanted!r}"
            for name, wanted in (("enable_idempotence", True), ("acks", -1))
            if config[name] != wanted
        ]
        if wrong:
            self._client.close(timeout=0)
            raise BusError(f"the producer would not keep its promises: {', '.join(wrong)}")

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
        size = make_entry(topic, key, value, headers, timestamp_ms or 0).size
        with self._changed:
            if self._closed:
                raise BusError("the producer is closed")
            if self._pending >= BUFFER_RECORDS or self._pending_bytes + size > BUFFER_BYTES:
                raise BusUnavailableError("the buffer is full: the broker does not keep up")
            self._pending += 1
            self._pending_bytes += size
        try:
            future = self._client.send(
                self._prefix + topic,
                key=key.encode(),
                value=value,
                headers=list(headers),
                timestamp_ms=timestamp_ms,
                partition=partition,
            )
        except (KafkaError, OSError) as error:
            self._settle(size, None)
            raise bus_error(self._servers, f"publishing to {self._prefix + topic}", error) from error
        future.add_callback(partial(self._succeeded, size, acknowledge))
        future.add_errback(partial(self._failed, size, acknowledge, topic))

    def flush(self, timeout: float) -> None:
        """Wait until all is acknowledged; see the port."""
        with self._changed:
            idle = self._changed.wait_for(lambda: self._pending == 0, timeout)
            failure, self._failure = self._failure, None
        if not idle:
            error = TimeoutError(f"not all records were acknowledged within {timeout:g} s")
            raise bus_error(self._servers, "publishing", error)
        if failure is not None:
            raise failure

    def close(self, timeout: float = 5.0) -> None:
        """Flush and let go; see the port."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.wait_for(lambda: self._pending == 0, timeout)
        if self._pending:
            # The client's close waits for what cannot be sent, raises, and goes on sending behind the
            # caller's back. Given up first, nothing of it overtakes what the next producer sends.
            self._client._sender.force_close()
            self._client._sender.join(CLOSE_SECONDS)
        try:
            self._client.close(timeout=CLOSE_SECONDS)
        except KafkaError as error:
            _log.debug("bus: closing the producer failed", error=str(error))

    def _succeeded(self, size: int, acknowledge: Acknowledge | None, _metadata: object) -> None:
        if acknowledge is not None:
            acknowledge(None)
        self._settle(size, None)

    def _failed(self, size: int, acknowledge: Acknowledge | None, topic: str, error: Exception) -> None:
        failure = bus_error(self._servers, f"publishing to {self._prefix + topic}", error)
        if acknowledge is not None:
            acknowledge(failure)
        self._settle(size, failure)

    def _settle(self, size: int, failure: BusError | None) -> None:
        with self._changed:
            self._pending -= 1
            self._pending_bytes -= size
            if not isinstance(failure, RecordTooLargeError):
                self._failure = self._failure or failure
            self._changed.notify_all()
