"""What each bus forgets, and what it must not."""

from pathlib import Path

import pytest

from safecity.bus._log import Log, make_entry
from safecity.bus._sqlite_log import SqliteLog
from safecity.bus.memory import MemoryLog
from safecity.bus.port import DAY, TOPICS, Record
from safecity.kafka_dev import Broker
from tests.safecity.bus.backends import Backend, make_settings

NOW = 1_795_000_000_000


@pytest.fixture(params=["memory", "embedded"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Log:
    log: Log = MemoryLog() if request.param == "memory" else SqliteLog(tmp_path / "bus.sqlite")
    log.ensure(list(TOPICS.values()))
    return log


def append(log: Log, topic: str, *records: tuple[str, bytes | None, int]) -> None:
    log.append([make_entry(topic, key, value, [], at) for key, value, at in records])


def everything(log: Log, topic: str) -> list[Record]:
    return [r for source in log.partitions([topic]) for r in log.read(source, 0, 10_000, 10_000_000)]


def test_old_records_go_and_offsets_go_on(log: Log) -> None:
    append(log, "events", ("a", b"old", NOW - 7 * DAY * 1000 - 1), ("a", b"young", NOW - 7 * DAY * 1000))
    append(log, "dead-letter", ("a", b"kept longer", NOW - 20 * DAY * 1000))
    assert log.prune(NOW) == 1
    (left,) = everything(log, "events")
    assert (left.value, left.offset) == (b"young", 1)
    assert log.bounds(left.source) == (1, 2)
    assert len(everything(log, "dead-letter")) == 1


def test_offsets_go_on_when_nothing_is_left(log: Log) -> None:
    append(log, "events", ("a", b"1", 0), ("a", b"2", 0))
    (source,) = {record.source for record in everything(log, "events")}
    assert log.prune(NOW) == 2
    assert log.bounds(source) == (2, 2)
    append(log, "events", ("a", b"3", NOW))
    assert [record.offset for record in everything(log, "events")] == [2]


def test_a_compacted_topic_keeps_the_newest_of_each_key_however_old(log: Log) -> None:
    append(log, "status", *[(f"cam-{n % 3}", b"%d" % n, n) for n in range(30)])
    assert log.prune(NOW) == 27
    assert {(r.key, r.value) for r in everything(log, "status")} == {
        ("cam-0", b"27"),
        ("cam-1", b"28"),
        ("cam-2", b"29"),
    }
    assert log.prune(NOW) == 0


def test_a_tombstone_stays_for_a_day(log: Log) -> None:
    append(log, "cameras", ("a", b"1", NOW - 10), ("a", None, NOW - 5))
    assert log.prune(NOW) == 1
    assert [record.value for record in everything(log, "cameras")] == [None]
    assert log.prune(NOW + DAY * 1000) == 1
    assert everything(log, "cameras") == []


def test_one_round_of_pruning_is_bounded(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "bus.sqlite")
    log.ensure([TOPICS["events"]])
    append(log, "events", *[("a", b"x", 0)] * 5_000)
    assert [log.prune(NOW) for _ in range(4)] == [2_000, 2_000, 1_000, 0]
    log.close()


@pytest.mark.kafka
def test_kafka_is_told_what_to_keep(kafka_broker: Broker, tmp_path: Path) -> None:
    from kafka import KafkaAdminClient
    from kafka.admin import ConfigResource

    settings = make_settings("kafka", kafka_broker)
    Backend("kafka", tmp_path, settings, kafka_broker).open().close()
    admin = KafkaAdminClient(bootstrap_servers=kafka_broker.address)
    names = [settings["topic_prefix"] + name for name in ("events", "status")]
    found = admin.describe_configs([ConfigResource("TOPIC", name) for name in names])["topic"]
    described = admin.describe_topics(names)
    admin.close()
    events, status = (found[name] for name in names)
    assert events["cleanup.policy"]["value"] == "delete"
    assert events["retention.ms"]["value"] == str(7 * DAY * 1000)
    assert int(events["max.message.bytes"]["value"]) > 5 * 1024 * 1024
    assert status["cleanup.policy"]["value"] == "compact"
    assert [len(topic["partitions"]) for topic in described] == [4, 4]
