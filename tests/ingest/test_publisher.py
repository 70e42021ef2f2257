"""The publisher empties the outbox in order, keeps what the bus does not take, and drains when it comes."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest import best_effort, outbox_room
from ingest import publisher as publisher_module
from ingest.metrics import WorkerMetrics
from ingest.outbox import Outbox, Outgoing
from ingest.publisher import Publisher
from safecity.bus import open_bus
from safecity.bus.port import Bus, BusUnavailableError
from safecity.settings import Site

TOO_LARGE = 6 * 1024 * 1024
LIMIT = 1024 * 1024 * 1024


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def event(number: int, size: int = 8, topic: str = "events") -> Outgoing:
    return Outgoing(
        topic, "cam", number.to_bytes(4, "big") + b"x" * size, (("n", b"1"),), int(time.time() * 1000)
    )


def read_all(bus: Bus, topic: str, wanted: int) -> list[int]:
    consumer = bus.consumer([topic], group=None)
    numbers: list[int] = []
    deadline = time.monotonic() + 10
    while len(numbers) < wanted and time.monotonic() < deadline:
        numbers += [int.from_bytes((r.value or b"")[:4], "big") for r in consumer.poll(0.2)]
    consumer.close()
    return numbers


class Outage:
    """A bus that is away until it is told to be there: the real one behind a switch."""

    def __init__(self, bus: Bus) -> None:
        self.bus, self.away = bus, True

    def __getattr__(self, name):
        if self.away:
            raise BusUnavailableError("away")
        return getattr(self.bus, name)


@pytest.fixture(params=["memory", "embedded"])
def bus(request, tmp_path):
    with open_bus(Site(data_dir=tmp_path, bus={"backend": request.param})) as opened:
        yield opened


@pytest.fixture
def started(tmp_path, bus, monkeypatch):
    monkeypatch.setattr(publisher_module, "RETRY_SECONDS", (0.05,))
    publishers = []

    def start(on: Bus = bus, limit: int = LIMIT) -> Publisher:
        metrics = WorkerMetrics()
        publisher = Publisher(lambda: Outbox(tmp_path / "o.sqlite"), on, "test", metrics, limit_bytes=limit)
        publisher.start()
        publishers.append(publisher)
        return publisher

    yield start
    for publisher in publishers:
        publisher.stop(0.0)


def test_publishes_in_order_and_empties_the_outbox(tmp_path, bus, started):
    with Outbox(tmp_path / "o.sqlite") as outbox:
        outbox.append([event(n) for n in range(500)])
        publisher = started()
        wait_for(lambda: outbox.backlog().messages == 0)
        outbox.append([event(n) for n in range(500, 510)])
        publisher.notify()
        wait_for(lambda: outbox.backlog().messages == 0)
    assert read_all(bus, "events", 510) == list(range(510))
    assert publisher.events_published == 510


def test_keeps_everything_while_the_bus_is_away_and_drains_when_it_comes(tmp_path, bus, started):
    outage = Outage(bus)
    with Outbox(tmp_path / "o.sqlite") as outbox:
        outbox.append([event(n) for n in range(20)])
        publisher = started(outage)
        publisher.offer(event(99, topic="observations"))
        wait_for(lambda: publisher.pending == 21)
        assert outbox.backlog().messages == 21
        outage.away = False
        wait_for(lambda: outbox.backlog().messages == 0)
    assert read_all(bus, "events", 20) == list(range(20))
    assert read_all(bus, "observations", 1) == [99]


def dropped(publisher: Publisher, topic: str) -> float:
    return (
        publisher._metrics.registry.get_sample_value(
            "safecity_worker_best_effort_dropped_total", {"topic": topic}
        )
        or 0.0
    )


def test_best_effort_in_memory_is_bounded_and_what_is_given_up_is_counted(bus, monkeypatch):
    monkeypatch.setattr(best_effort, "IN_MEMORY", 50)
    publisher = Publisher(lambda: Outbox(Path("not opened")), bus, "test", WorkerMetrics(), limit_bytes=1)
    for number in range(57):
        publisher.offer(event(number, topic="observations"))
    assert dropped(publisher, "observations") == 7
    assert [int.from_bytes(m.value[:4], "big") for m in publisher._best_effort.take()] == list(range(7, 57))


def test_observations_wait_on_disk_while_the_bus_is_away_and_keep_their_order(tmp_path, bus, started):
    outage = Outage(bus)
    publisher = started(outage)
    for number in range(300):
        publisher.offer(event(number, topic="observations"))
    with Outbox(tmp_path / "o.sqlite") as outbox:
        wait_for(lambda: outbox.backlog().best_effort == 300)
        for number in range(300, 400):
            publisher.offer(event(number, topic="observations"))
        outage.away = False
        wait_for(lambda: outbox.backlog().messages == 0 and not publisher._work_left())
    assert read_all(bus, "observations", 400) == list(range(400))
    assert dropped(publisher, "observations") == 0


def test_what_the_bus_took_and_did_not_keep_is_sent_again(tmp_path, bus, started):
    class Forgetful:
        """A bus whose producer takes records, and then reports them lost, until it is told otherwise."""

        def __init__(self) -> None:
            self.loses = True

        def __getattr__(self, name):
            return getattr(bus, name)

        def producer(self, client_id):
            producer = bus.producer(client_id)
            take = producer.publish

            def publish(topic, *, acknowledge=None, **record):
                if self.loses:
                    acknowledge(BusUnavailableError("the broker went away"))
                else:
                    take(topic, acknowledge=acknowledge, **record)

            producer.publish = publish
            return producer

    forgetful = Forgetful()
    publisher = started(forgetful)
    for number in range(20):
        publisher.offer(event(number, topic="observations"))
    with Outbox(tmp_path / "o.sqlite") as outbox:
        wait_for(lambda: outbox.backlog().best_effort == 20)
        forgetful.loses = False
        wait_for(lambda: outbox.backlog().messages == 0)
    assert read_all(bus, "observations", 20) == list(range(20))


def test_a_full_outbox_gives_up_observations_and_never_an_event_and_says_so_long_before(
    tmp_path, bus, started, monkeypatch
):
    said = []
    monkeypatch.setattr(outbox_room._log, "warning", lambda text, **_: said.append(text), raising=False)
    monkeypatch.setattr(outbox_room._log, "error", lambda text, **_: said.append(text), raising=False)
    outage = Outage(bus)
    with Outbox(tmp_path / "o.sqlite") as outbox:
        publisher = started(outage, limit=100_000)
        for number in range(0, 200, 2):
            outbox.append([event(number, 400), event(number, 300, topic="snapshots")])
            publisher.offer(event(number + 1, 1000, topic="observations"))
            if number % 20 == 0:
                wait_for(
                    lambda: not publisher._best_effort and publisher.pending == outbox.backlog().messages
                )
        wait_for(lambda: outbox.backlog().messages + dropped(publisher, "observations") == 300)
        wait_for(lambda: outbox.backlog().size_bytes <= 100_000)
        lost = int(dropped(publisher, "observations"))
        assert 50 < lost < 100
        outage.away = False
        wait_for(lambda: outbox.backlog().messages == 0)
    assert read_all(bus, "events", 100) == list(range(0, 200, 2))
    assert read_all(bus, "snapshots", 100) == list(range(0, 200, 2))
    assert read_all(bus, "observations", 100 - lost) == list(range(2 * lost + 1, 200, 2))
    levels = [text.split()[3] for text in said if "full; when" in text]
    assert levels == ["50%", "80%", "95%"]
    assert any("the oldest observations and statuses are given up, events are kept" in text for text in said)


def test_events_beyond_the_bound_are_kept(tmp_path, bus, started):
    outage = Outage(bus)
    with Outbox(tmp_path / "o.sqlite") as outbox:
        publisher = started(outage, limit=10_000)
        outbox.append([event(n, 1000) for n in range(50)])
        publisher.offer(event(99, topic="status"))
        wait_for(lambda: dropped(publisher, "status") == 1)
        assert outbox.backlog().messages == 50
        outage.away = False
        wait_for(lambda: outbox.backlog().messages == 0)
    assert read_all(bus, "events", 50) == list(range(50))


def test_a_stop_without_a_bus_keeps_observations_for_the_next_start(tmp_path, bus):
    with Outbox(tmp_path / "o.sqlite") as outbox:
        publisher = Publisher(
            lambda: Outbox(tmp_path / "o.sqlite"), Outage(bus), "test", WorkerMetrics(), limit_bytes=LIMIT
        )
        publisher.offer(event(5, topic="observations"))
        publisher.start()
        publisher.stop(0.2)
        assert outbox.backlog().best_effort == 1


def test_a_message_too_large_for_the_bus_goes_on_record_and_stops_nothing(tmp_path, bus, started):
    with Outbox(tmp_path / "o.sqlite") as outbox:
        outbox.append([event(1), event(2, TOO_LARGE), event(3)])
        started()
        wait_for(lambda: outbox.backlog().messages == 0)
    assert read_all(bus, "events", 2) == [1, 3]
    consumer = bus.consumer(["dead-letter"], group=None)
    letters = consumer.poll(2.0)
    consumer.close()
    assert len(letters) == 1
    assert letters[0].key == "cam"
    assert letters[0].header("dead-letter-reason")


def test_a_stop_hands_over_what_waits(tmp_path, bus):
    with Outbox(tmp_path / "o.sqlite") as outbox:
        outbox.append([event(n) for n in range(300)])
        publisher = Publisher(
            lambda: Outbox(tmp_path / "o.sqlite"), bus, "test", WorkerMetrics(), limit_bytes=LIMIT
        )
        publisher.start()
        publisher.offer(event(7, topic="status"))
        publisher.stop(10.0)
        assert outbox.backlog().messages == 0
    assert read_all(bus, "events", 300) == list(range(300))
    assert read_all(bus, "status", 1) == [7]


def test_an_orphaned_outbox_is_delivered_and_deleted(tmp_path, bus):
    path = tmp_path / "orphan.sqlite"
    with Outbox(path) as outbox:
        outbox.append([event(n) for n in range(5)])
    publisher = Publisher(lambda: Outbox(path), bus, "test", WorkerMetrics(), limit_bytes=LIMIT, once=True)
    publisher.start()
    wait_for(lambda: not path.exists())
    publisher.stop(1.0)
    assert read_all(bus, "events", 5) == list(range(5))
