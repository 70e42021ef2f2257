"""How long the API's queries take, and whether the indexes carry them; for a process of its own."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import sqlalchemy as sa

from command_center.bench.made_up import QUIET_CAMERA, RARE_KIND, event_id
from command_center.store import queries
from command_center.store.rows import Cursor, Filter, Order
from command_center.store.schema import to_micros
from command_center.store.store import Store
from safecity.bench.measure import Work

PAGE = 100
INDEX_NAMES = ("ix_events", "uq_events", "events_pkey", "sqlite_autoindex_events")
REPEAT_SECONDS, FEWEST, MOST = 1.5, 3, 100


@dataclass(frozen=True)
class Query:
    """A query of the API's, as the API makes it."""

    name: str
    ask: Callable[[], Any]


def city_queries(store: Store, count: int, end: datetime) -> list[Query]:
    """What operators and analysts ask, the hard cases among it.

    Args:
        store: filled by :func:`command_center.bench.fill.fill`.
        count: how many events it was filled with.
        end: of the year that it was filled with.
    """

    def page(
        wanted: Filter = Filter(),  # noqa: B008  frozen
        order: Order = Order.NEWEST,
        after: Cursor | None = None,
    ) -> Callable[[], Any]:
        return lambda: queries.page(store, wanted, order, PAGE, after)

    month = end - timedelta(days=30)
    middle = Cursor(to_micros(end - timedelta(days=180)), count // 2)
    camera, kind = "cam-17", "loitering"
    return [
        Query("newest page", page()),
        Query("page in the middle", page(after=middle)),
        Query("oldest page", page(order=Order.OLDEST)),
        Query("a camera", page(Filter(camera_id=camera))),
        Query("a camera that is quiet", page(Filter(camera_id=QUIET_CAMERA))),
        Query("a camera without events", page(Filter(camera_id="cam-none"))),
        Query("a kind", page(Filter(kind=kind))),
        Query("a kind that is rare", page(Filter(kind=RARE_KIND))),
        Query("a day", page(Filter(since=month, until=month + timedelta(days=1)))),
        Query("camera + kind", page(Filter(camera, kind))),
        Query("camera + month", page(Filter(camera, None, month, end))),
        Query("camera + kind + month", page(Filter(camera, kind, month, end))),
        Query("kind + month, oldest", page(Filter(None, kind, month, end), Order.OLDEST)),
        Query("one event", lambda: queries.revisions(store, event_id(count // 3))),
        Query("live stream: what is new", lambda: queries.stored_after(store, count - 20, 200)),
        Query("stats: counts", lambda: queries.totals(store)),
        Query("stats: latencies", lambda: queries.recent_latencies(store)),
    ]


def time_queries(url: str, count: int, end: str) -> Work:
    """The work for :func:`safecity.bench.measure.measure`: a row for each query.

    Args:
        url: of the database.
        count: how many events it was filled with.
        end: of the year that it was filled with, RFC 3339.
    """
    store = Store(url)
    asked = city_queries(store, count, datetime.fromisoformat(end))

    def work() -> list[dict[str, Any]]:
        try:
            return [
                {"query": query.name, **_timed(query.ask), **explain(store, query.ask)} for query in asked
            ]
        finally:
            store.close()

    return work


def _timed(ask: Callable[[], Any]) -> dict[str, float]:
    begin, cpu, times = time.perf_counter(), time.process_time(), list[float]()
    while len(times) < FEWEST or (len(times) < MOST and time.perf_counter() - begin < REPEAT_SECONDS):
        before = time.perf_counter()
        ask()
        times.append((time.perf_counter() - before) * 1000)
    cpu_ms = (time.process_time() - cpu) * 1000 / len(times)
    p50, p95 = np.percentile(times, (50, 95))
    return {
        "repeats": len(times),
        "first_ms": round(times[0], 3),
        "p50_ms": round(float(p50), 3),
        "p95_ms": round(float(p95), 3),
        "cpu_ms": round(cpu_ms, 3),
    }


def explain(store: Store, ask: Callable[[], Any]) -> dict[str, Any]:
    """What the database does for a question.

    Returns:
        ``plan``, the database's own words, and ``index``, what it goes by (None: it reads the whole table).
    """
    plan: list[str] = []
    with _statements(store.engine) as statements:
        ask()
    with store.engine.connect() as connection:
        prefix = "EXPLAIN QUERY PLAN " if store.engine.dialect.name == "sqlite" else "EXPLAIN "
        for statement, parameters in statements:
            rows = connection.exec_driver_sql(prefix + statement, parameters).all()
            lines = [str(row[-1]).strip() for row in rows]
            if lines == ["SCAN events"] and "ORDER BY events.sequence" in statement:
                # SQLite reads a table in the order of its key, and LIMIT ends it early.
                lines = ["SCAN events USING INTEGER PRIMARY KEY"]
            plan += lines
    return {"index": index_of(plan), "plan": plan}


def index_of(plan: list[str]) -> str | None:
    """The first index that a plan of SQLite's or PostgreSQL's goes by."""
    for line in plan:
        if "PRIMARY KEY" in line and "events" in line:
            return "primary key"
        for word in line.replace("(", " ").split():
            if word.startswith(INDEX_NAMES):
                return word
    return None


@contextmanager
def _statements(engine: sa.Engine) -> Iterator[list[tuple[str, Any]]]:
    """The statements that are executed meanwhile, with their parameters."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
