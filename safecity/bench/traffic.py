"""Messages through a bus, as :func:`safecity.bench.measure.measure` runs them in a process of its own."""

import os
import time
from collections.abc import Mapping
from typing import Any

from safecity.bench.measure import Work
from safecity.bus import open_bus
from safecity.bus.port import Bus, BusUnavailableError, Producer
from safecity.settings import Site

TOPIC, GROUP, CAMERAS = "events", "bench", 100
PATIENCE_SECONDS = 60.0
HEADERS = (
    ("ce_specversion", b"1.0"),
    ("ce_type", b"org.safecity.bench"),
    ("content-type", b"application/json"),
)


def produce(site: Mapping[str, Any], messages: int, size: int) -> Work:
    """Publish and wait for the last acknowledgement. Answers with the number of messages that were kept.

    Args:
        site: members of the site file: the bus and the data folder.
        messages: how many.
        size: of each one's value, bytes.
    """
    bus = open_bus(Site.model_validate(site))
    bus.ensure_topics()
    producer = bus.producer("bench")

    def work() -> dict[str, int]:
        kept = _publish(producer, messages, size)
        producer.close()
        bus.close()
        return {"messages": kept}

    return work


def consume(site: Mapping[str, Any], messages: int, size: int) -> Work:
    """Read all in a group, committing after each poll, as the centre does.

    Answers with the number of messages and of bytes, and ``reading_seconds``: from the first message to the
    last, without the joining of the group, which takes time and hardly any work.

    Args:
        site: members of the site file: the bus and the data folder.
        messages: how many there are. The bus in memory has none yet: they are published first.
        size: of each one's value, bytes.
    """
    settings = Site.model_validate(site)
    bus = open_bus(settings)
    if settings.bus.backend == "memory":
        bus.ensure_topics()
        producer = bus.producer("bench")
        _publish(producer, messages, size)
        producer.close()

    def work() -> dict[str, float]:
        try:
            return _read(bus, messages)
        finally:
            bus.close()

    return work


def _publish(producer: Producer, messages: int, size: int) -> int:
    kept = 0

    def acknowledge(error: Exception | None) -> None:
        nonlocal kept
        kept += error is None

    value = os.urandom(size)
    keys = [f"cam-{number}" for number in range(CAMERAS)]
    for number in range(messages):
        while True:
            try:
                producer.publish(
                    TOPIC, key=keys[number % CAMERAS], value=value, headers=HEADERS, acknowledge=acknowledge
                )
            except BusUnavailableError:
                # The buffer is full: a bench writes faster than any worker.
                producer.flush(PATIENCE_SECONDS)
            else:
                break
    producer.flush(PATIENCE_SECONDS)
    return kept


def _read(bus: Bus, messages: int) -> dict[str, float]:
    consumer = bus.consumer([TOPIC], group=GROUP)
    count = size = 0
    begin: float | None = None
    heard = time.perf_counter()
    while count < messages and time.perf_counter() - heard < PATIENCE_SECONDS:
        records = consumer.poll(0.5)
        if not records:
            continue
        heard = time.perf_counter()
        begin = begin or heard
        count += len(records)
        size += sum(len(record.value or b"") for record in records)
        consumer.commit({record.source: record.offset + 1 for record in records})
    end = time.perf_counter()
    consumer.close()
    return {"messages": count, "bytes": size, "reading_seconds": end - (begin or end)}
