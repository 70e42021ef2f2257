"""``safecity bench bus`` on the real buses."""

import pytest
from kafka import KafkaAdminClient

from tests.safecity.bench.commands import bench_json, run_bench


def test_every_message_goes_through_each_bus(tmp_path):
    plot = tmp_path / "bus.png"
    options = ("--messages", "700", "--size", "300", "--without-kafka", "--plot", str(plot))
    rows = bench_json(tmp_path / "bus.json", "bus", *options)["rows"]
    assert [(row["bus"], row["direction"]) for row in rows] == [
        (bus, direction) for bus in ("memory", "embedded") for direction in ("produce", "consume")
    ]
    for row in rows:
        assert row["messages"] == 700
        assert row["cpu_seconds_per_100k"] > 0
        assert row["messages_per_second"] > 0
        assert row["peak_rss_mb"] > 10
    assert plot.read_bytes().startswith(b"\x89PNG")


@pytest.mark.kafka
def test_a_kafka_of_the_users_is_left_as_it_was(tmp_path, kafka_broker):
    options = ("--messages", "700", "--size", "300", "--kafka", kafka_broker.address)
    rows = bench_json(tmp_path / "bus.json", "bus", *options)["rows"]
    kafka = [row for row in rows if row["bus"] == "kafka"]
    assert [row["messages"] for row in kafka] == [700, 700]
    admin = KafkaAdminClient(bootstrap_servers=kafka_broker.address)
    left = [name for name in admin.list_topics() if name.startswith("safecity-bench-")]
    admin.close()
    assert left == []


@pytest.mark.kafka
def test_a_kafka_is_started_measured_and_stopped(tmp_path, kafka_broker):
    rows = bench_json(tmp_path / "bus.json", "bus", "--messages", "700", "--with-kafka")["rows"]
    kafka = [row for row in rows if row["bus"] == "kafka"]
    assert [row["messages"] for row in kafka] == [700, 700]
    assert all(row["broker_cpu_seconds_per_100k"] >= 0 for row in kafka)


def test_a_kafka_that_is_not_there_is_said_in_one_line():
    ended = run_bench("bus", "--messages", "10", "--kafka", "localhost:1")
    assert ended.returncode == 2
    assert len(ended.stderr.strip().splitlines()) == 1
    assert "localhost:1" in ended.stderr
