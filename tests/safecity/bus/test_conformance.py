"""What every bus must do, run over all of them."""

import os
import select
import signal
import subprocess
from collections import defaultdict
from dataclasses import replace

import pytest

from safecity.bus.port import (
    TOPICS,
    Bus,
    BusError,
    BusUnavailableError,
    Record,
    RecordTooLargeError,
    TopicPartition,
)
from tests.safecity.bus.backends import Backend, publish, read, wait

MEGABYTE = 1024 * 1024


def values_by_key(records: list[Record]) -> dict[str | None, list[bytes | None]]:
    found: dict[str | None, list[bytes | None]] = defaultdict(list)
    for record in records:
        found[record.key].append(record.value)
    return found


def next_offsets(records: list[Record]) -> dict[TopicPartition, int]:
    return {record.source: record.offset + 1 for record in records}


def test_order_is_kept_per_key_and_a_key_stays_in_its_partition(backend: Backend) -> None:
    wanted = {f"cam-{n}": [f"{n}-{i}".encode() for i in range(50)] for n in range(9)}
    with backend.open() as bus:
        publish(bus, wanted)
        consumer = bus.consumer(["events"], group="g")
        records = read(consumer, 450)
        consumer.close()
    assert values_by_key(records) == wanted
    partitions = {(record.key, record.partition) for record in records}
    assert len(partitions) == 9
    assert len({partition for _, partition in partitions}) > 1


def test_a_record_goes_into_the_partition_that_is_asked_for(backend: Backend) -> None:
    with backend.open() as bus:
        producer = bus.producer("test")
        for partition in (3, 1, 3):
            producer.publish("events", key="gate", value=f"{partition}".encode(), partition=partition)
        producer.flush(10.0)
        producer.close()
        consumer = bus.consumer(["events"], group=None)
        records = read(consumer, 3)
        consumer.close()
    assert sorted((record.partition, record.value) for record in records) == [(1, b"1"), (3, b"3"), (3, b"3")]


def test_a_group_resumes_where_it_committed(backend: Backend) -> None:
    with backend.open() as bus:
        publish(bus, {"a": [b"1", b"2", b"3"]})
        first = bus.consumer(["events"], group="g")
        records = read(first, 3)
        first.commit({records[0].source: records[0].offset + 1})
        first.close()
        second = bus.consumer(["events"], group="g")
        assert [record.value for record in read(second, 2)] == [b"2", b"3"]
        second.close()


def test_groups_do_not_disturb_each_other(backend: Backend) -> None:
    with backend.open() as bus:
        publish(bus, {"a": [b"1", b"2"]})
        first = bus.consumer(["events"], group="g1")
        first.commit(next_offsets(read(first, 2)))
        first.close()
        second = bus.consumer(["events"], group="g2")
        assert len(read(second, 2)) == 2
        second.close()


def test_a_group_may_begin_at_the_end(backend: Backend) -> None:
    with backend.open() as bus:
        publish(bus, {"a": [b"old"]})
        consumer = bus.consumer(["events"], group="g", from_start=False)
        wait(lambda: len(consumer.assignment()) == 4, lambda: consumer.poll(0.1))
        # A position at the end exists only once it has been looked up.
        wait(lambda: len(consumer.lag()) == 4, lambda: consumer.poll(0.1))
        publish(bus, {"a": [b"new"]})
        assert [record.value for record in read(consumer, 1)] == [b"new"]
        consumer.close()


def test_without_a_group_a_reader_gets_everything_and_commits_nothing(backend: Backend) -> None:
    with backend.open() as bus:
        publish(bus, {"a": [b"1"], "b": [b"2"]})
        readers = [bus.consumer(["events"], group=None) for _ in range(2)]
        for reader in readers:
            assert {record.value for record in read(reader, 2)} == {b"1", b"2"}
            assert len(reader.assignment()) == 4
            with pytest.raises(BusError, match="without a group"):
                reader.commit({TopicPartition("events", 0): 1})
            reader.close()


def test_several_topics_in_one_consumer(backend: Backend) -> None:
    with backend.open() as bus:
        publish(bus, {"a": [b"event"]}, "events")
        publish(bus, {"a": [b"picture"]}, "snapshots")
        consumer = bus.consumer(["events", "snapshots"], group="g")
        found = {(record.topic, record.value) for record in read(consumer, 2)}
        assert found == {("events", b"event"), ("snapshots", b"picture")}
        consumer.close()


def test_two_members_share_the_partitions_and_one_takes_over_after_close(backend: Backend) -> None:
    revoked: list[TopicPartition] = []
    with backend.open() as bus:
        first = bus.consumer(["events"], group="g", on_revoked=revoked.extend)
        wait(lambda: len(first.assignment()) == 4, lambda: first.poll(0.1))
        second = bus.consumer(["events"], group="g")
        wait(
            lambda: len(first.assignment()) == len(second.assignment()) == 2,
            lambda: (first.poll(0.1), second.poll(0.1)),
        )
        assert not set(first.assignment()) & set(second.assignment())
        assert sorted(revoked) == sorted(second.assignment())
        second.close()
        wait(lambda: len(first.assignment()) == 4, lambda: first.poll(0.1))
        first.close()


def test_what_is_committed_in_on_revoked_is_not_delivered_to_the_next(backend: Backend) -> None:
    with backend.open() as bus:
        publish(bus, {f"cam-{n}": [b"1"] for n in range(20)})
        seen: list[Record] = []

        def keep(sources: object) -> None:
            first.commit({s: p for s, p in next_offsets(seen).items() if s in set(sources)})  # type: ignore[call-overload]

        first = bus.consumer(["events"], group="g", on_revoked=keep)
        seen += read(first, 20)
        second = bus.consumer(["events"], group="g")
        wait(lambda: len(second.assignment()) == 2, lambda: (first.poll(0.1), seen.extend(second.poll(0.1))))
        publish(bus, {f"cam-{n}": [b"2"] for n in range(20)})
        wait(lambda: len(seen) >= 40, lambda: (seen.extend(first.poll(0.1)), seen.extend(second.poll(0.1))))
        assert sorted(record.value for record in seen) == [b"1"] * 20 + [b"2"] * 20  # type: ignore[type-var]
        first.close()
        second.close()


def test_a_member_that_dies_is_replaced_and_its_records_come_again(shared_backend: Backend) -> None:
    with shared_backend.open() as bus:
        publish(bus, {"a": [b"1", b"2", b"3"]})
        child = shared_backend.run("consume", "g")
        assert child.stdout is not None
        assert [child.stdout.readline().strip() for _ in range(3)] == ["1", "2", "3"]
        child.send_signal(signal.SIGKILL)
        survivor = bus.consumer(["events"], group="g")
        assert [record.value for record in read(survivor, 3)] == [b"1", b"2", b"3"]
        survivor.close()


# Not on Kafka: there the client's own threads hold the member. A killed process covers it.
@pytest.mark.parametrize("backend", ["memory", "embedded"], indirect=True)
def test_a_member_that_is_dropped_without_close_is_replaced(backend: Backend) -> None:
    with backend.open() as bus:
        _join_and_forget(bus)
        second = bus.consumer(["events"], group="g")
        wait(lambda: len(second.assignment()) == 4, lambda: second.poll(0.1))
        second.close()


def _join_and_forget(bus: Bus) -> None:
    consumer = bus.consumer(["events"], group="g")
    wait(lambda: len(consumer.assignment()) == 4, lambda: consumer.poll(0.1))


def new_lines(child: subprocess.Popen[str]) -> list[str]:
    """What a child has printed since it was asked last, without waiting for more."""
    assert child.stdout is not None
    ready, _, _ = select.select([child.stdout], [], [], 0)
    return os.read(child.stdout.fileno(), 4096).decode().split() if ready else []


def test_members_in_different_processes_share(shared_backend: Backend) -> None:
    with shared_backend.open() as bus:
        first = bus.consumer(["events"], group="g")
        wait(lambda: len(first.assignment()) == 4, lambda: first.poll(0.1))
        child = shared_backend.run("hold", "g")
        said: list[str] = []
        # Both have to poll until the group has come to rest.
        wait(
            lambda: said[-1:] == ["2"] and len(first.assignment()) == 2,
            lambda: (first.poll(0.1), said.extend(new_lines(child))),
        )
        os.kill(child.pid, signal.SIGKILL)
        wait(lambda: len(first.assignment()) == 4, lambda: first.poll(0.1))
        first.close()


def test_several_producing_processes(shared_backend: Backend) -> None:
    with shared_backend.open() as bus:
        children = [shared_backend.run("produce", f"p{n}", "300") for n in range(3)]
        consumer = bus.consumer(["events"], group="g")
        records = read(consumer, 900)
        consumer.close()
    assert [child.wait() for child in children] == [0, 0, 0]
    assert values_by_key(records) == {f"p{n}": [f"p{n}-{i}".encode() for i in range(300)] for n in range(3)}


def test_seek_to_an_offset(backend: Backend) -> None:
    with backend.open() as bus:
        publish(bus, {"a": [b"1", b"2", b"3"]})
        consumer = bus.consumer(["events"], group="g")
        records = read(consumer, 3)
        consumer.seek(records[1].source, records[1].offset)
        assert [record.value for record in read(consumer, 2)] == [b"2", b"3"]
        with pytest.raises(BusError, match="not assigned"):
            consumer.seek(TopicPartition("events", 99), 0)
        consumer.close()


def test_positions_chosen_on_assignment_win_over_committed_ones(backend: Backend) -> None:
    with backend.open() as bus:
        publish(bus, {"a": [b"1", b"2", b"3"]})
        first = bus.consumer(["events"], group="g")
        records = read(first, 3)
        first.commit(next_offsets(records))
        first.close()
        second = bus.consumer(
            ["events"],
            group="g",
            on_assigned=lambda sources: {s: 1 for s in sources if s == records[0].source},
        )
        assert [record.value for record in read(second, 2)] == [b"2", b"3"]
        second.close()


def test_headers_keys_and_tombstones_arrive_as_they_were_sent(backend: Backend) -> None:
    headers = [("ce_type", b"event"), ("odd", bytes(range(256))), ("twice", b"1"), ("twice", b"2")]
    with backend.open() as bus:
        producer = bus.producer("test")
        producer.publish("events", key="gate-größe", value=b"\x00\xff", headers=headers)
        producer.publish("events", key="gate-größe", value=None)
        producer.publish("events", key="gate-größe", value=b"")
        producer.flush(10.0)
        producer.close()
        consumer = bus.consumer(["events"], group="g")
        full, tombstone, empty = read(consumer, 3)
        consumer.close()
    assert (full.topic, full.key, full.value) == ("events", "gate-größe", b"\x00\xff")
    assert full.headers == tuple(headers)
    assert full.header("twice") == b"2"
    assert tombstone.value is None
    assert empty.value == b""


def test_large_records(backend: Backend) -> None:
    pictures = [bytes([n]) * size for n, size in enumerate([MEGABYTE, 3 * MEGABYTE, 5 * MEGABYTE - 100])]
    with backend.open() as bus:
        publish(bus, {"a": [*pictures]}, "snapshots")
        producer = bus.producer("test")
        with pytest.raises(RecordTooLargeError, match=r"5,242,880"):
            producer.publish("snapshots", key="a", value=bytes(5 * MEGABYTE))
        producer.close()
        consumer = bus.consumer(["snapshots"], group="g")
        assert [record.value for record in read(consumer, 3)] == pictures
        consumer.close()


def test_no_more_records_at_a_time_than_asked_for(backend: Backend) -> None:
    with backend.open() as bus:
        publish(bus, {f"cam-{n}": [b"x"] * 10 for n in range(4)})
        consumer = bus.consumer(["events"], group="g")
        batches: list[int] = []
        wait(lambda: sum(batches) >= 40, lambda: batches.append(len(consumer.poll(0.2, max_records=7))))
        consumer.close()
    assert max(batches) == 7
    assert sum(batches) == 40


def test_acknowledgements_come_once_each(backend: Backend) -> None:
    answers: list[tuple[int, BusError | None]] = []
    with backend.open() as bus:
        producer = bus.producer("test")
        for number in range(100):
            producer.publish(
                "events",
                key="a",
                value=b"x",
                acknowledge=lambda error, number=number: answers.append((number, error)),  # type: ignore[misc]
            )
        producer.flush(10.0)
        assert sorted(answers, key=lambda answer: answer[0]) == [(n, None) for n in range(100)]
        producer.close()
        with pytest.raises(BusError, match="closed"):
            producer.publish("events", key="a", value=b"x")


def test_close_of_a_producer_keeps_what_was_published(backend: Backend) -> None:
    with backend.open() as bus:
        producer = bus.producer("test")
        for number in range(200):
            producer.publish("events", key="a", value=b"%d" % number)
        producer.close()
        consumer = bus.consumer(["events"], group="g")
        assert [record.value for record in read(consumer, 200)] == [b"%d" % n for n in range(200)]
        consumer.close()


def test_lag_is_what_has_not_been_read(backend: Backend) -> None:
    with backend.open() as bus:
        publish(bus, {"a": [b"1"] * 10})
        consumer = bus.consumer(["events"], group="g")
        records = read(consumer, 10)
        assert sum(consumer.lag().values()) == 0
        publish(bus, {"a": [b"2"] * 5})
        consumer.seek(records[0].source, 4)
        assert consumer.lag()[records[0].source] == 11
        consumer.close()


def test_the_ends_are_told_of_partitions_that_others_hold_too(backend: Backend) -> None:
    with backend.open() as bus:
        publish(bus, {key: [b"1"] * 3 for key in "abcdefgh"})
        first, second = (bus.consumer(["events"], group="g") for _ in range(2))
        wait(
            lambda: len(first.assignment()) == len(second.assignment()) == 2,
            lambda: (first.poll(0.1), second.poll(0.1)),
        )
        for consumer in (first, second):
            assert len(consumer.ends()) == 4
            assert sum(consumer.ends().values()) == 24
            consumer.close()


def test_ensure_topics_again_changes_nothing(backend: Backend) -> None:
    with backend.open() as bus:
        publish(bus, {"a": [b"1"]})
    with backend.open() as again:
        again.ensure_topics()
        consumer = again.consumer(["events"], group="g")
        assert [record.value for record in read(consumer, 1)] == [b"1"]
        consumer.close()


def test_a_topic_that_comes_after_its_reader_is_read(backend: Backend) -> None:
    late = replace(TOPICS["events"], name="late")
    with backend.open() as bus:
        consumers = [bus.consumer(["late"], group=group) for group in ("g", None)]
        for consumer in consumers:
            assert consumer.poll(0.5) == []
        bus.ensure_topics([late])
        publish(bus, {"a": [b"1"]}, "late")
        for consumer in consumers:
            assert [record.value for record in read(consumer, 1)] == [b"1"]
            consumer.close()


def test_a_topic_that_does_not_exist_takes_nothing(backend: Backend) -> None:
    with backend.open() as bus:
        producer = bus.producer("test")
        with pytest.raises(BusUnavailableError):  # noqa: PT012 - some say it at once, some when flushed
            producer.publish("no-such-topic", key="a", value=b"1")
            producer.flush(10.0)
        producer.close()


def test_an_unavailable_bus_says_so_and_recovers(backend: Backend) -> None:
    with backend.open() as bus:
        publish(bus, {"a": [b"before"]})
        consumer = bus.consumer(["events"], group="g")
        producer, given_up = bus.producer("test"), bus.producer("given-up")
        given_up.publish("events", key="a", value=b"before")
        given_up.flush(10.0)
        assert [record.value for record in read(consumer, 2)] == [b"before", b"before"]
        answers: list[BusError | None] = []
        with backend.unavailable():
            given_up.publish("events", key="a", value=b"given up", acknowledge=answers.append)
            with pytest.raises(BusUnavailableError) as told:  # noqa: PT012 - at once or when flushed
                producer.publish("events", key="a", value=b"during")
                producer.flush(2.0)
            assert "\n" not in str(told.value)
            with pytest.raises(BusUnavailableError):
                publish(bus, {"a": [b"during"]})
            given_up.close(timeout=0.5)
        found: list[bytes | None] = []

        def go_on() -> None:
            try:
                producer.publish("events", key="a", value=b"after")
                producer.flush(2.0)
                found.extend(record.value for record in consumer.poll(0.5))
            except BusUnavailableError:
                return

        wait(lambda: b"after" in found, go_on)
        assert [type(answer) for answer in answers] == [BusUnavailableError]
        assert b"given up" not in found
        producer.close()
        consumer.close()
