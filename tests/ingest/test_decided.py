"""What the outbox's disk refuses is kept in memory, within a bound, and written when there is room again."""

import json

import pytest

from ingest.decided import Decided
from ingest.journal import Journal
from ingest.metrics import WorkerMetrics
from ingest.outbox import Outbox, Outgoing


class FullDisk:
    """SQLite's own bound stands in for the disk's: the same error code, SQLITE_FULL."""

    def __init__(self, outbox: Outbox) -> None:
        self._db = outbox._db

    def fill(self) -> None:
        pages = self._db.execute("PRAGMA page_count").fetchone()[0]
        self._db.execute(f"PRAGMA max_page_count={pages}")

    def free(self) -> None:
        self._db.execute("PRAGMA max_page_count=1000000")


@pytest.fixture
def outbox(tmp_path):
    with Outbox(tmp_path / "o.sqlite") as opened:
        yield opened


def event(number: int) -> Outgoing:
    return Outgoing("events", "cam", json.dumps({"n": number}).ljust(1000).encode(), (), number)


def picture(number: int) -> Outgoing:
    return Outgoing("snapshots", "cam", b"p" * 20_000, (), number)


def test_pictures_make_room_for_events_and_when_events_fill_memory_nothing_more_is_decided(outbox, tmp_path):
    disk, metrics = FullDisk(outbox), WorkerMetrics()
    decided = Decided(outbox, Journal(tmp_path / "journal"), metrics, limit_bytes=50_000)
    disk.fill()
    for number in range(20):
        decided.add(picture(number))
        decided.add(event(number))
        assert not decided.save()
    assert not decided.is_full
    lost = metrics.registry.get_sample_value("safecity_worker_unsaved_pictures_dropped_total")
    assert lost == 19
    for number in range(20, 50):
        decided.add(event(number))
        decided.save()
    assert decided.is_full
    assert metrics.registry.get_sample_value("safecity_worker_outbox_unsaved_messages") == 50
    assert not (tmp_path / "journal").exists() or not (tmp_path / "journal").read_bytes()

    disk.free()
    assert decided.save()
    assert not decided.is_full
    assert not decided.save(), "nothing is left to be saved"
    assert [m.timestamp_ms for _, m in outbox.waiting(100)] == list(range(50))
    assert len((tmp_path / "journal").read_text().splitlines()) == 50
    assert metrics.registry.get_sample_value("safecity_worker_outbox_unsaved_messages") == 0
