"""The centre's own way from the bus to the store, timed; for a process of its own."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from command_center.bench.made_up import made_up_event, made_up_trace, pictures
from command_center.centre import Centre
from safecity.bench.measure import Work
from safecity.bus import open_bus
from safecity.bus.port import BusUnavailableError, Producer
from safecity.cloudevents import event_headers
from safecity.settings import Site

PATIENCE_SECONDS = 120.0


def take_in(site: Mapping[str, Any], first: int, count: int, with_pictures: bool) -> Work:
    """Put events on the bus; the work is what a centre then does with them, to the last commit.

    Answers with ``stored``, and with ``seconds`` and ``counted``: how long the events after the first
    batch took, and how many these are. The joining of the group takes time and no work.

    Args:
        site: members of the site file: bus, data folder and database.
        first: number of the first event; no event may come twice.
        count: how many.
        with_pictures: whether each has its picture, as from a worker.
    """
    settings = Site.model_validate(site)
    bus = open_bus(settings)
    bus.ensure_topics()
    producer = bus.producer("bench")
    _publish(producer, first, count, with_pictures)
    producer.close()
    bus.close()
    centre = Centre.open(settings)

    def work() -> dict[str, float]:
        try:
            return _wait(centre, count)
        finally:
            centre.close()

    return work


def _publish(producer: Producer, first: int, count: int, with_pictures: bool) -> None:
    begin, jpegs = datetime.now(UTC), pictures()
    for number in range(count):
        at = begin + timedelta(milliseconds=number)
        event = made_up_event(first + number, at)
        if with_pictures:
            headers = [("event-id", event.event_id.encode()), ("media-name", (event.snapshot or "").encode())]
            _put(producer, "snapshots", event.camera_id, next(jpegs), headers)
        _put(producer, "events", event.camera_id, event.to_bytes(), event_headers(event, made_up_trace(at)))
    producer.flush(PATIENCE_SECONDS)


def _put(producer: Producer, topic: str, key: str, value: bytes, headers: list[tuple[str, bytes]]) -> None:
    try:
        producer.publish(topic, key=key, value=value, headers=headers)
    except BusUnavailableError:
        # The buffer is full.
        producer.flush(PATIENCE_SECONDS)
        producer.publish(topic, key=key, value=value, headers=headers)


def _wait(centre: Centre, count: int) -> dict[str, float]:
    centre.start()
    begin, before, stored, moved_at = 0.0, 0, 0, time.perf_counter()
    while stored < count and time.perf_counter() - moved_at < PATIENCE_SECONDS:
        time.sleep(0.01)
        now = _stored(centre)
        if now != stored:
            stored, moved_at = now, time.perf_counter()
            if not before:
                before, begin = stored, moved_at
    return {"stored": stored, "counted": stored - before, "seconds": moved_at - begin}


def _stored(centre: Centre) -> int:
    families = centre.metrics.stored.collect()
    return round(sum(s.value for family in families for s in family.samples if s.name.endswith("_total")))
