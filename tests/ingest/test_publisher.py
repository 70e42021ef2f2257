"""The publisher empties the outbox in order, keeps what the bus does not take, and drains when it comes."""

import time
from collections.abc import Callable

import pytest

from ingest.metrics import WorkerMetrics
from ingest.outbox import Outbox, Outgoing
from ingest.publisher import BEST_EFFORT_LIMIT, Publisher
from safecity.bus import open_bus
from safecity.bus.port import Bus, BusUnavailableError
from safecity.settings import Site

TOO_LARGE = 6 * 1024 * 1024


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
def started(tmp_path, bus):
    publishers = []

    def start(on: Bus = bus) -> Publisher:
        publisher = Publisher(lambda: Outbox(tmp_path / "o.sqlite"), on, "test", WorkerMetrics())
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
        wait_for(lambda: publisher.pending == 20)
        assert outbox.backlog().messages == 20
        outage.away = False
        wait_for(lambda: outbox.backlog().messages == 0)
    assert read_all(bus, "events", 20) == list(range(20))
    assert read_all(bus, "observations", 1) == [99]


def test_best_effort_is_bounded_and_what_is_given_up_is_counted(tmp_path, bus, started):
    publisher = started(Outage(bus))
    for number in range(BEST_EFFORT_LIMIT + 7):
        publisher.offer(event(number, topic="observations"))
    dropped = publisher._metrics.registry.get_sample_value(
        "safecity_worker_best_effort_dropped_total", {"topic": "observations"}
    )
    assert dropped == 7


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
        publisher = Publisher(lambda: Outbox(tmp_path / "o.sqlite"), bus, "test", WorkerMetrics())
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
    publisher = Publisher(lambda: Outbox(path), bus, "test", WorkerMetrics(), once=True)
    publisher.start()
    wait_for(lambda: not path.exists())
    publisher.stop(1.0)
    assert read_all(bus, "events", 5) == list(range(5))
