"""The buses under test, each with a way to take it away and to bring it back."""

import json
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safecity import kafka_dev
from safecity.bus import open_bus
from safecity.bus.memory import log_of
from safecity.bus.port import Bus, Consumer, Record
from safecity.kafka_dev import Broker
from safecity.settings import Site, parse_site

REPOSITORY = Path(__file__).parents[3]
DEADLINE = 40.0


@dataclass
class Backend:
    """One implementation, with a log of its own for one test."""

    name: str
    folder: Path
    settings: dict[str, Any]
    broker: Broker | None = None
    children: list["subprocess.Popen[str]"] = field(default_factory=list)

    @property
    def site(self) -> Site:
        return parse_site({"bus": self.settings}, self.folder)

    def open(self) -> Bus:
        bus = open_bus(self.site)
        bus.ensure_topics()
        return bus

    def run(self, script: str, *arguments: str) -> "subprocess.Popen[str]":
        """Another process on the same bus: see ``member.py``."""
        child = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.safecity.bus.member",
                json.dumps(self.settings),
                str(self.folder),
                script,
                *arguments,
            ],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.children.append(child)
        return child

    @contextmanager
    def unavailable(self) -> Iterator[None]:
        """The bus is away inside."""
        if self.name == "memory":
            log_of(self.site).available = False
            yield
            log_of(self.site).available = True
        elif self.name == "embedded":
            other = sqlite3.connect(self.site.in_data_dir(self.site.bus.path), isolation_level=None)
            other.execute("BEGIN EXCLUSIVE")
            yield
            other.execute("ROLLBACK")
            other.close()
        else:
            assert self.broker is not None
            running = kafka_dev.running_broker(self.broker.data)
            assert running is not None
            kafka_dev.stop(running)
            try:
                yield
            finally:
                kafka_dev.start(self.broker.port, self.broker.data)

    def end_children(self) -> None:
        for child in self.children:
            child.kill()
            child.wait()
            if child.stdout is not None:
                child.stdout.close()


def make_settings(name: str, broker: Broker | None) -> dict[str, Any]:
    settings: dict[str, Any] = {"backend": name}
    if broker is not None:
        prefix = f"t{uuid.uuid4().hex[:8]}."
        settings |= {"bootstrap_servers": [broker.address], "topic_prefix": prefix, "partitions": 4}
    return settings


def read(consumer: Consumer, count: int) -> list[Record]:
    """Exactly ``count`` records, or a failure."""
    records: list[Record] = []
    wait(lambda: len(records) >= count, lambda: records.extend(consumer.poll(0.2)))
    assert len(records) == count
    return records


def wait(done: Callable[[], Any], step: Callable[[], Any]) -> None:
    """Repeat ``step`` until ``done``."""
    deadline = time.monotonic() + DEADLINE
    while not done():
        assert time.monotonic() < deadline, "waited in vain"
        step()


def publish(bus: Bus, records: dict[str, list[bytes | None]], topic: str = "events") -> None:
    """All values of each key, in order, safe when it returns."""
    producer = bus.producer("test")
    for key, values in records.items():
        for value in values:
            producer.publish(topic, key=key, value=value)
    producer.flush(10.0)
    producer.close()
