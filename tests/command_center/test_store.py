"""The store, on SQLite and on a real PostgreSQL."""

import contextlib
import threading
import uuid
from datetime import timedelta

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from command_center.store import queries, recording, replays
from command_center.store.database import MIGRATIONS, StoreError, open_engine
from command_center.store.places import FencedError
from command_center.store.rows import Batch, Filter, Order
from command_center.store.schema import events, metadata
from command_center.store.store import Store
from safecity.bus.port import TopicPartition
from safecity.status import CameraState
from tests.command_center.messages import BEGIN, make_event, make_status, make_trace


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.sqlite'}"
    server = request.getfixturevalue("postgres")
    name = f"test_{uuid.uuid4().hex}"
    engine = sa.create_engine(server.format(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.format(database=name)


@pytest.fixture
def store(url):
    opened = Store(url)
    yield opened
    opened.close()


def record(store, *events, positions=None):
    batch = Batch(events=[(event, make_trace()) for event in events], positions=positions or {})
    batch.known = store.positions()
    return store.record(batch)


def walk(store, order, limit, wanted=Filter()):  # noqa: B008  frozen
    found, cursor = [], None
    while True:
        page, cursor = queries.page(store, wanted, order, limit, cursor)
        found += [item.event for item in page]
        if cursor is None:
            return found


def test_the_migrations_make_what_the_schema_says(store):
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_what_comes_again_adds_nothing_and_is_counted(store):
    events = [make_event(number) for number in range(5)]
    assert len(record(store, *events).stored) == 5
    again = record(store, *events[2:], make_event(7))
    assert again.duplicates == 3
    assert [item.event.event_id for item in again.stored] == [make_event(7).event_id]
    totals = queries.totals(store)
    assert (totals.stored, totals.duplicates) == (6, 3)


def test_twice_in_one_batch_is_once(store):
    result = record(store, make_event(1), make_event(1))
    assert (len(result.stored), result.duplicates) == (1, 1)


def test_positions_come_with_the_rows_or_not_at_all(store, monkeypatch):
    place = TopicPartition("events", 3)
    record(store, make_event(1), positions={place: 1})

    def fail(*_):
        raise sa.exc.OperationalError("disk full", None, Exception("disk full"))

    with monkeypatch.context() as patch:
        patch.setattr(store, "_add", fail)
        with pytest.raises(StoreError):
            record(store, make_event(2), positions={place: 2})
    assert store.positions() == {place: 1}
    assert queries.totals(store).stored == 1
    record(store, make_event(2), positions={place: 2})
    assert store.positions() == {place: 2}


def test_positions_and_events_outlive_the_process(url):
    first = Store(url)
    record(first, make_event(1), positions={TopicPartition("events", 0): 9})
    first.close()
    second = Store(url)
    assert second.positions() == {TopicPartition("events", 0): 9}
    assert queries.revisions(second, make_event(1).event_id)[0].event == make_event(1)
    second.close()


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("limit", [1, 7, 100])
def test_pages_lead_through_everything_once_in_order(store, order, limit):
    # Ten events a second, so that pages end between events of the same time.
    events = [make_event(number, at=number // 10) for number in range(60)]
    record(store, *reversed(events))
    found = walk(store, order, limit)
    assert sorted(event.event_id for event in found) == sorted(event.event_id for event in events)
    times = [event.occurred_at for event in found]
    assert times == sorted(times, reverse=order is Order.NEWEST)


def test_pages_are_not_upset_by_events_that_come_meanwhile(store):
    record(store, *(make_event(number) for number in range(20)))
    first, cursor = queries.page(store, Filter(), Order.NEWEST, 10, None)
    record(store, *(make_event(number) for number in range(20, 30)))
    second, _ = queries.page(store, Filter(), Order.NEWEST, 100, cursor)
    ids = [item.event.event_id for item in (*first, *second)]
    assert ids == [make_event(number).event_id for number in reversed(range(20))]


def test_only_the_newest_revision_is_listed_whatever_the_order_of_arrival(store):
    record(store, make_event(1, revision=2))
    record(store, make_event(1, revision=1), make_event(1, revision=3))
    (listed,) = walk(store, Order.NEWEST, 10)
    assert listed.revision == 3
    revisions = queries.revisions(store, listed.event_id)
    assert [item.event.revision for item in revisions] == [1, 2, 3]


def test_what_comes_twice_in_one_batch_is_stored_once(store):
    recorded = record(store, make_event(1), make_event(2), make_event(1))
    assert [item.event.event_id for item in recorded.stored] == [make_event(n).event_id for n in (1, 2)]
    assert recorded.duplicates == queries.totals(store).duplicates == 1


@pytest.mark.parametrize("revisions", [(1, 2, 3), (3, 2, 1), (2, 3, 1)])
def test_revisions_of_one_batch_leave_the_newest_listed(store, revisions):
    record(store, *(make_event(1, revision=revision) for revision in revisions), make_event(2))
    assert {event.event_id: event.revision for event in walk(store, Order.NEWEST, 10)} == {
        make_event(1).event_id: 3,
        make_event(2).event_id: 1,
    }


def test_sequences_rise_in_the_order_of_arrival_within_a_large_batch(store):
    arrived = [make_event(number) for number in range(2500)]
    record(store, make_event(1000))
    recorded = record(store, *arrived)
    followed = queries.stored_after(store, 1, 5000)
    expected = [event.event_id for event in arrived if event != make_event(1000)]
    assert [item.event.event_id for item in followed] == expected
    assert [item.event.event_id for item in recorded.stored] == expected
    assert [item.sequence for item in recorded.stored] == [item.sequence for item in followed]


def test_filters(store):
    record(store, *(make_event(n, camera_id=f"cam-{n % 2}", kind=("a", "b")[n % 3 == 0]) for n in range(12)))
    assert len(walk(store, Order.OLDEST, 5, Filter(camera_id="cam-1"))) == 6
    assert len(walk(store, Order.OLDEST, 5, Filter(kind="b"))) == 4
    assert len(walk(store, Order.OLDEST, 5, Filter(camera_id="cam-0", kind="b"))) == 2
    late = Filter(since=BEGIN + timedelta(seconds=3), until=BEGIN + timedelta(seconds=5))
    assert [event.occurred_at.second for event in walk(store, Order.OLDEST, 5, late)] == [3, 4]


def test_the_live_streams_order_is_that_of_storing(store):
    record(store, make_event(5))
    record(store, make_event(1))
    last = queries.last_sequence(store)
    record(store, make_event(3))
    (after,) = queries.stored_after(store, last, 10)
    assert after.event == make_event(3)


def test_statuses_are_the_newest(store):
    store.record(Batch(statuses={"cam-1": make_status(), "cam-2": make_status("cam-2")}))
    store.record(Batch(statuses={"cam-1": make_status(state=CameraState.RECONNECTING, reason="gone")}))
    found = store.statuses()
    assert {name: status.state.value for name, status in found.items()} == {
        "cam-1": "reconnecting",
        "cam-2": "live",
    }


def test_retention_deletes_the_old_and_only_them(store):
    (old,) = record(store, make_event(1)).stored
    record(store, make_event(2))
    newer = queries.stored_after(store, old.sequence, 1)[0]
    assert queries.delete_stored_before(store, newer.stored_at) == 1
    assert [item.event_id for item in walk(store, Order.OLDEST, 5)] == [make_event(2).event_id]


def test_counts_are_those_of_the_rows_whatever_comes_again_or_goes(store):
    def counted():
        by_row = sa.select(events.c.camera_id, events.c.kind, sa.func.count()).group_by(
            events.c.camera_id, events.c.kind
        )
        with store.reading() as connection:
            rows = connection.execute(by_row).all()
        by_kind: dict[str, int] = {}
        for _, kind, number in rows:
            by_kind[kind] = by_kind.get(kind, 0) + number
        return sum(by_kind.values()), by_kind, {camera for camera, _, _ in rows}

    def assert_same():
        totals = queries.totals(store)
        assert (totals.stored, totals.by_kind, set(totals.by_camera)) == counted()

    first = record(store, *(make_event(n, camera_id=f"cam-{n % 3}", kind="ab"[n % 2]) for n in range(20)))
    record(store, *(make_event(n, camera_id=f"cam-{n % 3}", kind="ab"[n % 2]) for n in range(10, 30)))
    assert_same()
    assert queries.totals(store).stored == 30
    last = first.stored[-1].stored_at + timedelta(microseconds=1)
    assert queries.delete_stored_before(store, last, limit=15) == 15
    assert_same()
    queries.delete_stored_before(store, last)
    assert_same()
    assert queries.totals(store).stored == 10
    while queries.delete_stored_before(store, last + timedelta(days=1)):
        pass
    assert_same()


def test_a_store_of_the_version_before_is_counted_when_it_is_opened(url):
    store = Store(url)
    record(store, *(make_event(n, kind="ab"[n % 2]) for n in range(9)))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with store.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    store.close()
    again = Store(url)
    assert queries.totals(again).by_kind == {"a": 5, "b": 4}
    again.close()


def test_sequences_are_not_used_again_after_retention(store):
    (first,) = record(store, make_event(1)).stored
    queries.delete_stored_before(store, first.stored_at + timedelta(seconds=1))
    (second,) = record(store, make_event(2)).stored
    assert second.sequence > first.sequence


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("sqlite:////proc/none/store.sqlite", "cannot be opened"),
        ("nonsense", "cannot be opened"),
        ("postgresql+psycopg://safecity:s3cret-word@127.0.0.1:1/none", "cannot be opened"),
    ],
)
def test_a_store_that_cannot_be_had_says_so_without_its_password(address, word):
    with pytest.raises(StoreError, match=word) as refused:
        open_engine(address)
    assert "s3cret-word" not in str(refused.value)


def test_a_batch_that_begins_where_the_store_no_longer_is_adds_nothing(store):
    place, other = TopicPartition("events", 3), TopicPartition("status", 3)
    record(store, make_event(1), positions={place: 5, other: 9})
    late = Batch(
        events=[(make_event(2), make_trace())],
        statuses={"cam-1": make_status()},
        positions={place: 6, other: 10},
        known={place: 4, other: 9},
    )
    with pytest.raises(FencedError):
        store.record(late)
    assert store.positions() == {place: 5, other: 9}
    assert queries.totals(store).stored == 1
    assert store.statuses() == {}


def test_of_two_that_find_a_partition_unread_one_goes_on(url):
    place = TopicPartition("events", 0)
    first, second = Store(url), Store(url)
    first.record(Batch(events=[(make_event(1), make_trace())], positions={place: 1}))
    with pytest.raises(FencedError):
        second.record(Batch(events=[(make_event(2), make_trace())], positions={place: 2}))
    assert second.positions() == {place: 1}
    first.close()
    second.close()


def test_two_centres_that_race_for_the_same_partitions_store_each_event_once(url):
    places = [TopicPartition("events", number) for number in range(4)]
    stores = [Store(url), Store(url)]
    rounds, wins = 30, [0, 0]

    def race(index):
        store = stores[index]
        while True:
            known = store.positions()
            at = known.get(places[0], 0)
            if at >= rounds:
                return
            batch = Batch(
                events=[(make_event(100 * at + n), make_trace()) for n in range(3)],
                positions=dict.fromkeys(reversed(places) if index else places, at + 1),
                known=known,
            )
            # SQLite has one writer: another one may find it locked, and tries again.
            with contextlib.suppress(FencedError, StoreError):
                wins[index] += len(store.record(batch).stored)

    threads = [threading.Thread(target=race, args=(index,)) for index in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(stores[0].positions().values()) == {rounds}
    totals = queries.totals(stores[0])
    assert (totals.stored, totals.duplicates) == (3 * rounds, 0)
    assert sum(wins) == 3 * rounds
    for store in stores:
        store.close()


def test_no_sequence_is_seen_before_a_lower_one(url):
    # Who follows reads on from the highest: one that is given out earlier and seen later would be missed.
    first, second = Store(url), Store(url)
    done = threading.Event()

    def record_second():
        record(second, make_event(2))
        done.set()

    with first.writing() as connection:
        first._take_turns(connection)
        recording.record_events(connection, first._insert, [(make_event(1), make_trace())])
        thread = threading.Thread(target=record_second)
        thread.start()
        early = done.wait(0.5)
    thread.join()
    assert not early, "the second centre stored before the first one was done"
    followed = queries.stored_after(first, 0, 10)
    assert [item.event for item in followed] == [make_event(1), make_event(2)]
    first.close()
    second.close()


def test_what_one_of_all_centres_does_is_claimed_once(url):
    stores = [Store(url), Store(url)]
    assert [store.claim("sweep", 3600.0) for store in (*stores, *stores)] == [True, False, False, False]
    assert stores[1].claim("sweep", 0.0)
    assert stores[0].claim("dust", 3600.0)
    for store in stores:
        store.close()


def test_reports_are_the_times_of_the_newest_statuses(store):
    status = make_status()
    store.record(Batch(statuses={"cam-1": status, "cam-2": make_status("cam-2")}))
    assert store.reports()["cam-1"] == status.reported_at
    assert store.statuses(["cam-1"]) == {"cam-1": status}


def test_replays_are_kept_apart_each_event_once_in_its_run(store):
    record(store, make_event(1))
    told = [make_event(1), make_event(2), make_event(2, revision=2)]
    first = store.record(Batch(replayed=[("night", event) for event in told]))
    again = store.record(Batch(replayed=[("night", told[0]), ("day", told[0])]))
    assert (first.replayed, again.replayed) == (3, 1)
    assert queries.totals(store).stored == 1
    with store.reading() as connection:
        assert {run.name: run.events for run in replays.runs(connection)} == {"night": 3, "day": 1}
    newest = walk(store, Order.OLDEST, 10, Filter(run="night"))
    assert [(event.event_id, event.revision) for event in newest] == [
        (told[0].event_id, 1),
        (told[1].event_id, 2),
    ]
    later = queries.stored_after(store, 0, 1)[0].stored_at + timedelta(days=1)
    assert queries.delete_replayed_before(store, later) == 4
    assert queries.totals(store).stored == 1
