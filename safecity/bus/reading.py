"""All that a topic has now, once: for replays, exports and whoever else does not wait for what comes."""

from collections.abc import Iterator

from safecity.bus.port import Bus, BusUnavailableError, Consumer, Record

PATIENCE = 10
"""Seconds without a record after which a bus that has something is given up."""


def read_to_end(bus: Bus, topic: str) -> Iterator[Record]:
    """The records of a topic, in order for each key, up to the newest one when the reading begins.

    What is published meanwhile is not waited for, so that it ends also where more comes all the time.

    Raises:
        BusUnavailableError: it is away, or gives nothing though it has something.
    """
    bus.ensure_topics()
    consumer = bus.consumer((topic,), group=None)
    try:
        records = _first(consumer, topic)
        behind = consumer.lag()
        # The offset of the newest record: one that was read already is as far from it as its reader is, the
        # first one of a partition that was not begun is one nearer.
        ends = {record.source: record.offset + behind.get(record.source, 0) for record in records}
        left = {source for source, number in behind.items() if number} | ends.keys()
        while left:
            for record in records:
                end = ends.setdefault(record.source, record.offset + behind.get(record.source, 0) - 1)
                if record.offset <= end:
                    yield record
                if record.offset >= end:
                    left.discard(record.source)
            records = _next(consumer, topic) if left else []
            if not records:
                break
    finally:
        consumer.close()


def _first(consumer: Consumer, topic: str) -> list[Record]:
    """One record at most, with the partitions assigned."""
    for seconds in (0.0, *[1.0] * PATIENCE):
        records = consumer.poll(seconds, 1)
        if consumer.assignment():
            return records
    raise BusUnavailableError(f"{topic}: the bus gives no partition of it")


def _next(consumer: Consumer, topic: str) -> list[Record]:
    """The next records; none: all that there were have been read.

    A log may end with what is no record (Kafka's marks of transactions), so the newest offset need not come.
    """
    for _ in range(PATIENCE):
        if records := consumer.poll(1.0, 5000):
            return records
        if not sum(consumer.lag().values()):
            return []
    raise BusUnavailableError(f"{topic}: nothing comes, though there is more")
