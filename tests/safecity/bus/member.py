"""A process on a bus, for tests that kill one: ``python -m tests.safecity.bus.member SETTINGS FOLDER …``."""

import json
import sys
from pathlib import Path

from safecity.bus import open_bus
from safecity.settings import parse_site


def consume(group: str) -> None:
    """Print what comes and never commit."""
    consumer = _bus.consumer(["events"], group=group)
    while True:
        for record in consumer.poll(0.2):
            print((record.value or b"").decode(), flush=True)


def produce(key: str, count: str) -> None:
    """Publish ``count`` numbered records."""
    producer = _bus.producer(key)
    for number in range(int(count)):
        producer.publish("events", key=key, value=f"{key}-{number}".encode())
    producer.flush(20.0)
    producer.close()


def hold(group: str) -> None:
    """Print the number of partitions whenever it changes."""
    consumer = _bus.consumer(["events"], group=group)
    before = -1
    while True:
        consumer.poll(0.1)
        if len(consumer.assignment()) != before:
            before = len(consumer.assignment())
            print(before, flush=True)


if __name__ == "__main__":
    _, settings, folder, what, *arguments = sys.argv
    _bus = open_bus(parse_site({"bus": json.loads(settings)}, Path(folder)))
    {"consume": consume, "produce": produce, "hold": hold}[what](*arguments)
