"""What only Kafka has: guarantees that must be in force, a broker that is not there, CloudEvents readers."""

import time
from pathlib import Path

import pytest
from kafka import KafkaProducer as Client

from safecity.bus import open_bus
from safecity.bus.port import BusError, BusUnavailableError
from safecity.bus.reading import read_to_end
from safecity.free_port import free_port
from safecity.kafka_dev import Broker
from safecity.settings import parse_site
from tests.safecity.bus.backends import make_settings


def test_a_broker_that_is_away_is_named_with_the_reason_and_what_to_do(tmp_path: Path) -> None:
    port = free_port()
    settings = {"backend": "kafka", "bootstrap_servers": [f"localhost:{port}"]}
    with open_bus(parse_site({"bus": settings}, tmp_path)) as bus:
        for attempt in (
            bus.ensure_topics,
            lambda: bus.producer("test"),
            lambda: bus.consumer(["events"], group="g"),
        ):
            with pytest.raises(BusUnavailableError) as told:
                attempt()
            assert str(told.value) == (
                f"no broker answers at localhost:{port} (connection refused); "
                f"start one with: safecity kafka start --port {port} --data DIR"
            )


def test_an_unknown_host_gets_no_advice_to_start_a_broker_here(tmp_path: Path) -> None:
    settings = {"backend": "kafka", "bootstrap_servers": ["no-such-host.invalid:9092"]}
    with (
        open_bus(parse_site({"bus": settings}, tmp_path)) as bus,
        pytest.raises(BusUnavailableError, match=r"no-such-host\.invalid:9092 \(unknown host name\)$"),
    ):
        bus.ensure_topics()


@pytest.mark.kafka
def test_guarantees_are_in_force(kafka_broker: Broker, tmp_path: Path) -> None:
    with open_bus(parse_site({"bus": make_settings("kafka", kafka_broker)}, tmp_path)) as bus:
        producer = bus.producer("test")
        config = producer._client.config  # type: ignore[attr-defined]
        assert (config["enable_idempotence"], config["acks"]) == (True, -1)
        producer.close()
        consumer = bus.consumer(["events"], group="g")
        config = consumer._client.config  # type: ignore[attr-defined]
        assert (config["enable_auto_commit"], config["isolation_level"]) == (False, "read_committed")
        consumer.close()


@pytest.mark.kafka
def test_a_sender_whose_clock_is_wrong_is_neither_refused_nor_forgotten_at_once(
    kafka_broker: Broker, tmp_path: Path
) -> None:
    now = time.time()
    settings = make_settings("kafka", kafka_broker)
    with open_bus(parse_site({"bus": settings}, tmp_path)) as bus:
        bus.ensure_topics()
        producer = bus.producer("test")
        failed: list[Exception | None] = []
        for at in (0.0, now + 365 * 86_400):
            producer.publish(
                "events", key="cam", value=b"x", timestamp_ms=int(at * 1000), acknowledge=failed.append
            )
        producer.flush(10.0)
        producer.close()
        records = list(read_to_end(bus, "events"))
    assert failed == [None, None]
    assert len(records) == 2
    assert all(abs(record.timestamp_ms / 1000 - now) < 60 for record in records)


@pytest.mark.kafka
def test_a_producer_without_idempotence_does_not_start(
    kafka_broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As kafka-python does by itself when a setting conflicts: off, with a log line and no error.
    original = Client.__init__

    def turned_off(self: Client, **configs: object) -> None:
        configs.pop("enable_idempotence")
        original(self, **configs, retries=0)

    monkeypatch.setattr(Client, "__init__", turned_off)
    with (
        open_bus(parse_site({"bus": make_settings("kafka", kafka_broker)}, tmp_path)) as bus,
        pytest.raises(BusError, match="enable_idempotence is False"),
    ):
        bus.producer("test")
