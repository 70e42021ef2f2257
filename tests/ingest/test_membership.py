"""Memberships over a bus in memory: hand-overs between two, records that are wrong, a bus that is away."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.membership import Membership
from ingest.orders import Began, Change, Drop, End, Take
from safecity.bus import open_bus
from safecity.bus.memory import log_of
from safecity.camera_record import CameraRecord
from safecity.ownership import Hold
from safecity.roster import Roster, apply, move, remove
from safecity.settings import Site, parse_site


def wait_until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


class Worker:
    """A membership whose shard does at once what it is told, and writes it down."""

    def __init__(self, site: Site, name: str) -> None:
        self.membership = Membership(site, name, 1)
        self.done: list[object] = []
        self.has: dict[str, Take] = {}
        self.answers = True

    def work(self) -> "Worker":
        for to in self.membership.orders():
            self.done.append(to.order)
            match to.order:
                case Take():
                    self.has[to.order.camera_id] = to.order
                    if self.answers:
                        now = datetime.now(UTC)
                        self.membership.began(Began(to.order.camera_id, to.order.epoch, now))
                case Drop() | End():
                    self.has.pop(to.order.camera_id, None)
        return self

    def orders(self, kind: type) -> list:
        return [order for order in self.done if isinstance(order, kind)]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return parse_site({"bus": {"backend": "memory"}, "worker": {"cameras": "bus"}}, tmp_path)


@contextmanager
def working(*workers: Worker) -> Iterator[None]:
    try:
        yield
    finally:
        for worker in workers:
            worker.membership.close()


def put(site: Site, *camera_ids: str, **more: object) -> None:
    with open_bus(site) as bus:
        cameras = {i: {"id": i, "source": "rtsp://127.0.0.1/x", **more} for i in camera_ids}
        apply(bus, Roster.read(bus), cameras, prune=False)


def owners(site: Site) -> dict[str, tuple[str, Hold]]:
    with open_bus(site) as bus:
        return {i: (o.worker, o.hold) for i, o in Roster.read(bus).owners.items()}


IDS = tuple(f"cam-{n}" for n in range(8))


def test_two_share_the_cameras_and_each_hand_over_is_made_before_it_is_broken(site):
    put(site, *IDS)
    one, two = Worker(site, "one"), Worker(site, "two")
    with working(one, two):
        one.membership.start()
        wait_until(lambda: set(one.work().has) == set(IDS))
        wait_until(lambda: list(owners(site).values()) == [("one", Hold.HOLDS)] * len(IDS))
        assert not any(take.warm for take in one.orders(Take))
        two.answers = False
        two.membership.start()
        wait_until(lambda: len(two.work().has) == 4)
        assert set(one.work().has) == set(IDS), "as long as the other decides nothing, it goes on"
        assert all(take.warm for take in two.orders(Take))
        for take in two.orders(Take):
            assert take.epoch > next(t.epoch for t in one.orders(Take) if t.camera_id == take.camera_id)
            two.membership.began(Began(take.camera_id, take.epoch, datetime.now(UTC)))
        wait_until(lambda: len(one.work().has) == 4)
        assert set(one.has) | set(two.has) == set(IDS)
        assert len(one.orders(End)) == 4
        assert one.orders(Drop) == []

        one.membership.leave()
        two.answers = True
        wait_until(lambda: set(two.work().has) == set(IDS) and one.work().membership.left)
        assert one.has == {}
        assert len(two.orders(Take)) == 8, "those that it had are not touched"
        wait_until(lambda: set(owners(site).values()) == {("two", Hold.HOLDS)})


def test_a_camera_is_changed_moved_and_removed_while_it_runs(site):
    put(site, "gate")
    worker = Worker(site, "one")
    with working(worker), open_bus(site) as bus:
        worker.membership.start()
        wait_until(lambda: worker.work().has)
        put(site, "gate", priority=9)
        wait_until(lambda: worker.work().orders(Change))
        assert worker.orders(Change)[0].camera.priority == 9
        move(bus, Roster.read(bus).entries["gate"], 3)
        put(site, "yard")
        wait_until(lambda: "yard" in worker.work().has)
        assert worker.orders(Drop) == []
        remove(bus, Roster.read(bus).entries["gate"])
        wait_until(lambda: worker.work().orders(Drop) == [Drop("gate")])
        wait_until(lambda: owners(site)["gate"] == ("one", Hold.LEFT))


def test_a_record_that_cannot_be_used_changes_nothing_and_hides_nothing(site, monkeypatch):
    monkeypatch.setenv("GATE_PASSWORD", "of-the-gate")
    put(site, "gate", source="rtsp://viewer:${GATE_PASSWORD}@127.0.0.1/gate")
    worker = Worker(site, "one")
    with working(worker), open_bus(site) as bus:
        worker.membership.start()
        wait_until(lambda: worker.work().has)
        assert worker.has["gate"].camera.url == "rtsp://viewer:of-the-gate@127.0.0.1/gate"
        producer = bus.producer("test")
        partition = Roster.read(bus).entries["gate"].partition
        for camera in (
            {"id": "gate", "source": "rtsp://viewer:${NOT_SET_ANYWHERE}@127.0.0.1/gate"},
            {"id": "gate", "source": "rtsp://8.8.8.8/gate"},
            {"id": "gate", "source": "rtsp://127.0.0.1/gate", "rules": [{"kind": "no_such_rule"}]},
        ):
            record = CameraRecord(camera_id="gate", camera=camera, applied_at=datetime.now(UTC))
            producer.publish("cameras", key="gate", value=record.to_bytes(), partition=partition)
        producer.publish("cameras", key="gate", value=b"no json", partition=partition)
        producer.publish("owners", key="gate", value=b"no json")
        producer.close()
        put(site, "yard")
        wait_until(lambda: "yard" in worker.work().has)
        assert worker.orders(Change) == worker.orders(Drop) == []


def test_while_the_bus_is_away_the_cameras_go_on_and_afterwards_they_are_still_ours(site):
    put(site, *IDS)
    worker = Worker(site, "one")
    with working(worker):
        worker.membership.start()
        wait_until(lambda: set(worker.work().has) == set(IDS))
        wait_until(lambda: list(owners(site).values()) == [("one", Hold.HOLDS)] * len(IDS))
        log_of(site).available = False
        worker.membership.crashed(0)
        # Orders do not need the bus.
        wait_until(lambda: len(worker.work().orders(Take)) == 2 * len(IDS))
        log_of(site).available = True
        put(site, "new")
        wait_until(lambda: "new" in worker.work().has)
        assert worker.orders(Drop) == worker.orders(End) == []
        newest = {take.camera_id: take.epoch for take in worker.orders(Take)}
        with open_bus(site) as bus:
            wait_until(lambda: {i: o.epoch for i, o in Roster.read(bus).owners.items()} == newest)


def test_a_worker_that_is_to_end_while_the_bus_is_away_ends(site):
    put(site, "gate")
    worker = Worker(site, "one")
    with working(worker):
        worker.membership.start()
        wait_until(lambda: worker.work().has)
        log_of(site).available = False
        worker.membership.leave()
        begin = datetime.now(UTC)
        wait_until(lambda: worker.membership.left)
        assert datetime.now(UTC) - begin < timedelta(seconds=20)
    log_of(site).available = True


def test_one_that_never_joined_has_nothing_to_hand_over(site):
    worker = Worker(site, "one")
    with working(worker):
        worker.membership.leave()
        assert worker.membership.left


def test_a_membership_that_fails_begins_anew_and_touches_no_camera(site, monkeypatch, capfd):
    put(site, *IDS)
    worker = Worker(site, "one")
    with working(worker):
        worker.membership.start()
        wait_until(lambda: set(worker.work().has) == set(IDS))
        wait_until(lambda: list(owners(site).values()) == [("one", Hold.HOLDS)] * len(IDS))
        failed = []

        def fails_once(_now):
            monkeypatch.undo()
            failed.append(True)
            raise ZeroDivisionError

        monkeypatch.setattr(worker.membership._assignment, "tick", fails_once)
        wait_until(lambda: failed)
        put(site, "new")
        wait_until(lambda: "new" in worker.work().has)
        wait_until(lambda: set(owners(site).values()) == {("one", Hold.HOLDS)})
        assert worker.orders(Drop) == worker.orders(End) == []
    assert "the membership failed" in "".join(capfd.readouterr())
