"""A real Apache Kafka for the whole test run, on a free port; and one that wants to know who comes."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from safecity import kafka_dev
from safecity.cli import UsageError
from safecity.free_port import free_port
from safecity.kafka_dev import Broker, security


@pytest.fixture(scope="session")
def kafka_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kafka") / "data"


@pytest.fixture(scope="session")
def kafka_broker(kafka_data: Path) -> Iterator[Broker]:
    """The broker; ``kafka_broker.address`` goes into ``bootstrap_servers``. Use your own topic prefix."""
    try:
        broker = kafka_dev.start(0, kafka_data)
    except UsageError as error:
        pytest.skip(f"NO KAFKA, SO NOTHING WAS TESTED AGAINST IT: {error}")
    try:
        yield broker
    finally:
        # A test may have restarted it: what runs in the folder now is what has to go.
        if (running := kafka_dev.running_broker(kafka_data)) is not None:
            kafka_dev.stop(running, seconds=10.0)


@dataclass
class LateBroker:
    """A broker that is not there yet; its address is known."""

    port: int
    data: Path

    def start(self) -> Broker:
        return kafka_dev.start(self.port, self.data)


@pytest.fixture
def kafka_dev_port(tmp_path: Path) -> Iterator[LateBroker]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    late = LateBroker(port, tmp_path / "late-kafka")
    try:
        yield late
    finally:
        if (running := kafka_dev.running_broker(late.data)) is not None:
            kafka_dev.stop(running, seconds=10.0)


@dataclass
class SecureBroker:
    """A broker with TLS, users and ACLs, as ``safecity kafka start --secure`` makes it."""

    broker: Broker
    said: str
    """What the command printed."""

    def allow(self, prefix: str) -> None:
        """Give the roles their permissions on the topics and groups of one test."""
        security.allow(self.broker.data, self.broker.port, prefix)

    def environment(self, role: str) -> dict[str, str]:
        return security.environment(self.broker.data, f"safecity-{role}")

    @property
    def ca_file(self) -> Path:
        return self.broker.data / security.FOLDER / "ca.pem"


@pytest.fixture(scope="session")
def secure_kafka(kafka_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    """The secure broker; what it needs is there when the plain one runs."""
    data = tmp_path_factory.mktemp("secure-kafka") / "data"
    command = [sys.executable, "-m", "safecity", "kafka", "start", "--secure", "--data", str(data)]
    run = subprocess.run(
        [*command, "--port", str(free_port())], capture_output=True, text=True, timeout=180, check=False
    )
    try:
        running = kafka_dev.running_broker(data)
        assert running is not None, run.stdout + run.stderr
        yield SecureBroker(running, run.stdout)
    finally:
        if (running := kafka_dev.running_broker(data)) is not None:
            kafka_dev.stop(running, seconds=10.0)
