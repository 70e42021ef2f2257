"""``safecity bench centre`` on real databases, and what it fills them with."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from command_center.bench.fill import fill
from command_center.bench.made_up import QUIET_CAMERA, RARE_KIND, made_up_event
from command_center.bench.query_times import city_queries, explain, index_of
from command_center.store import queries
from command_center.store.rows import Filter, Order
from command_center.store.store import Store
from tests.safecity.bench.commands import bench_json, run_bench

END = datetime(2026, 3, 1, 12, tzinfo=UTC)


def assert_holds(rows, databases, events, intake):
    assert list(dict.fromkeys(row["database"] for row in rows)) == databases
    for row in rows:
        if row["measure"] == "intake":
            assert row["events"] == intake
            assert row["cpu_seconds_per_100k"] > 0
        else:
            assert row["rows_before"] == events
            assert 0 < row["p50_ms"] <= row["p95_ms"]
            assert row["plan"]
    for database in databases:
        before = [r["rows_before"] for r in rows if r["database"] == database and r["measure"] == "intake"]
        assert before == [0, events, events + intake]


def test_intake_and_queries_of_both_databases(tmp_path, postgres):
    plot = tmp_path / "centre.png"
    options = ("--events", "3000", "--intake", "300", "--plot", str(plot))
    rows = bench_json(tmp_path / "centre.json", "centre", *options, timeout=280)["rows"]
    assert_holds(rows, ["sqlite", "postgresql"], 3000, 300)
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_a_database_of_the_users_is_empty_before_and_after(tmp_path):
    path = tmp_path / "mine.sqlite"
    options = ("--events", "1000", "--intake", "200", "--database", f"sqlite:///{path}")
    rows = bench_json(tmp_path / "centre.json", "centre", *options)["rows"]
    assert_holds(rows, ["sqlite"], 1000, 200)
    engine = sa.create_engine(f"sqlite:///{path}")
    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()


def test_a_database_with_something_in_it_is_refused_and_kept(tmp_path):
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    store = Store(url)
    ended = run_bench("centre", "--events", "1000", "--database", url)
    assert ended.returncode == 2
    assert "not empty" in ended.stderr
    assert queries.last_sequence(store) == 0
    store.close()


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("filled")
    store = Store(f"sqlite:///{folder / 'store.sqlite'}")
    fill(store, 120_000, END, lambda _: None)
    yield store
    store.close()
    shutil.rmtree(folder)


def test_what_is_filled_in_reads_like_what_was_decided(filled):
    (newest, *_), _ = queries.page(filled, Filter(), Order.NEWEST, 1, None)
    assert newest.event == made_up_event(119_999, newest.event.occurred_at)
    assert END - newest.event.occurred_at < timedelta(hours=1)
    assert newest.trace.captured_at == newest.event.occurred_at
    totals = queries.totals(filled)
    assert totals.stored == 120_000
    assert totals.by_camera[QUIET_CAMERA] == 3
    assert totals.by_kind[RARE_KIND] == 2


def test_after_filling_the_store_is_as_durable_as_before(filled):
    with filled.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_every_query_for_events_goes_by_an_index_and_sorts_nothing(filled):
    asked = city_queries(filled, 120_000, END)
    for query in asked:
        found = explain(filled, query.ask)
        if query.name != "stats: counts":
            assert found["index"] is not None, (query.name, found["plan"])
        assert not any("TEMP B-TREE" in line for line in found["plan"]), (query.name, found["plan"])
    counts = next(query for query in asked if query.name == "stats: counts")
    assert not any("events " in f"{line} " for line in explain(filled, counts.ask)["plan"])


@pytest.mark.parametrize(
    ("plan", "index"),
    [
        (["SEARCH events USING INDEX ix_events_time (occurred_at<?)"], "ix_events_time"),
        (["SEARCH events USING INTEGER PRIMARY KEY (rowid>?)"], "primary key"),
        (["Limit  (cost=0)", "->  Index Scan Backward using events_pkey on events"], "events_pkey"),
        (["Seq Scan on events  (cost=0)", "Filter: newest"], None),
        (["SCAN events"], None),
    ],
)
def test_the_index_is_found_in_a_plan(plan, index):
    assert index_of(plan) == index
