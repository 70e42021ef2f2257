"""The Apache Kafka that a bench runs over: one of the user's, or one that is started for it."""

import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from safecity import kafka_dev
from safecity.bench.measure import MeasureError
from safecity.bus import open_bus
from safecity.bus.port import TOPICS, BusError
from safecity.cli import UsageError
from safecity.settings import parse_site


@dataclass(frozen=True)
class BenchKafka:
    """A broker, and the prefix of the topics that are the bench's own."""

    address: str
    prefix: str
    pid: int | None
    """Of a broker that was started for the bench."""

    @property
    def bus(self) -> dict[str, Any]:
        """The site file's ``[bus]``."""
        return {"backend": "kafka", "bootstrap_servers": [self.address], "topic_prefix": self.prefix}

    def cpu_seconds(self) -> float | None:
        """What the broker has used since its start; None for one that is elsewhere."""
        if self.pid is None:
            return None
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def bench_kafka(
    address: str | None, wanted: bool | None, announce: Callable[[str], None]
) -> Iterator[BenchKafka | None]:
    """A Kafka for the time of a bench; what the bench wrote is gone afterwards.

    Args:
        address: host:port of a broker to use.
        wanted: without ``address``: start one. None: when the extra ``kafka-dev`` is installed.
        announce: told what goes on.

    Raises:
        UsageError: nothing answers at ``address``; one is wanted, and the extra or Java is missing.
        MeasureError: it did not start.
    """
    prefix = f"safecity-bench-{uuid.uuid4().hex[:8]}."
    if address is not None:
        kafka = BenchKafka(address, prefix, None)
        _check(kafka)
        try:
            yield kafka
        finally:
            _delete_topics(kafka, announce)
    elif wanted or (wanted is None and find_spec("jgo") is not None):
        with tempfile.TemporaryDirectory(prefix="safecity-bench-kafka-") as folder:
            try:
                broker = kafka_dev.start(0, Path(folder) / "kafka", settled=True, progress=announce)
            except kafka_dev.BrokerError as error:
                raise MeasureError(str(error)) from None
            try:
                yield BenchKafka(broker.address, prefix, broker.pid)
            finally:
                kafka_dev.stop(broker)
    else:
        if wanted is None:
            announce("Without Kafka: give --kafka HOST:PORT, or pip install 'safecity[kafka-dev]'")
        yield None


def _check(kafka: BenchKafka) -> None:
    site = parse_site({"bus": kafka.bus}, Path.cwd())
    try:
        with open_bus(site) as bus:
            bus.ensure_topics()
    except BusError as error:
        raise UsageError(f"--kafka {kafka.address}: {error}") from None


def _delete_topics(kafka: BenchKafka, announce: Callable[[str], None]) -> None:
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError

    try:
        admin = KafkaAdminClient(bootstrap_servers=kafka.address, client_id="safecity-bench")
        try:
            admin.delete_topics([kafka.prefix + name for name in TOPICS])
        finally:
            admin.close()
    except KafkaError as error:
        announce(f"topics {kafka.prefix}* are left at {kafka.address}: {error}")
