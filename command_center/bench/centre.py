"""``safecity bench centre``: events a second into the store, and what queries take when it is full."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.progress import Progress

from command_center.bench.databases import open_store
from command_center.bench.fill import fill
from safecity.bench.measure import MeasureError, measure
from safecity.bench.report import Row, progress_bar

INTAKE_COLUMNS = {
    "database": "database",
    "name": "into the store",
    "rows_before": "rows before",
    "events_per_second": "events/s",
    "cpu_seconds_per_100k": "CPU s per 100,000",
    "peak_rss_mb": "peak MB",
}
QUERY_COLUMNS = {
    "database": "database",
    "query": "query",
    "first_ms": "first ms",
    "p50_ms": "p50 ms",
    "p95_ms": "p95 ms",
    "cpu_ms": "CPU ms (without a server's)",
    "index": "goes by",
}


@dataclass(frozen=True)
class CentrePlan:
    """How much of everything."""

    events: int
    """In the store when it is queried."""
    intake: int
    """Events of each measured intake."""


def run_centre(plan: CentrePlan, databases: Sequence[tuple[str, str]]) -> list[Row]:
    """Measure the intake and the queries of each database, one after the other.

    Args:
        plan: how much.
        databases: name and SQLAlchemy URL; empty.

    Returns:
        Rows of what ``measure`` is ``intake`` or ``query``.

    Raises:
        MeasureError: a database failed, or did not store everything.
    """
    with progress_bar() as bar:
        return [row for name, url in databases for row in _database(name, url, plan, bar)]


def _database(name: str, url: str, plan: CentrePlan, bar: Progress) -> Iterator[Row]:
    end = datetime.now(UTC)
    task = bar.add_task(f"{name}: filling", total=plan.events)
    store = open_store(url)
    # Empty first: the intake begins behind what the store is going to hold.
    with tempfile.TemporaryDirectory(prefix="safecity-bench-") as folder:
        intake = _Intake(name, url, Path(folder), plan.intake, first=plan.events)
        yield intake.run(0, "events, empty store")
        try:
            fill(store, plan.events - plan.intake, end, lambda more: bar.advance(task, more))
        finally:
            store.close()
        bar.update(task, description=f"{name}: queries", completed=plan.events)
        arguments = {"url": url, "count": plan.events, "end": end.isoformat()}
        queries = measure("command_center.bench.query_times:time_queries", arguments)
        for row in queries.result:
            facts = {"measure": "query", "database": name, "rows_before": plan.events}
            yield {"name": f"{name}, {row['query']}", **facts, **row}
        bar.update(task, description=f"{name}: intake")
        yield intake.run(plan.events, "events, full store")
        yield intake.run(plan.events + plan.intake, "events with pictures")
    bar.remove_task(task)


class _Intake:
    """Measured intakes into one store, over one bus: the positions in the store are of that bus."""

    def __init__(self, database: str, url: str, folder: Path, count: int, first: int) -> None:
        self._database = database
        self._site = {"data_dir": str(folder), "bus": {"backend": "embedded"}, "centre": {"database": url}}
        self._count, self._next = count, first

    def run(self, rows_before: int, name: str) -> Row:
        arguments: dict[str, Any] = {"site": self._site, "first": self._next, "count": self._count}
        arguments["with_pictures"] = "pictures" in name
        self._next += self._count
        measured = measure("command_center.bench.intake:take_in", arguments)
        result = measured.result
        if result["stored"] != self._count:
            raise MeasureError(f"{self._database} stored {result['stored']} of {self._count} events")
        return {
            "name": name,
            "measure": "intake",
            "database": self._database,
            "rows_before": rows_before,
            "events": result["stored"],
            "events_per_second": round(result["counted"] / max(result["seconds"], 1e-9), 1),
            "cpu_seconds": round(measured.cpu_seconds, 3),
            "cpu_seconds_per_100k": round(measured.cpu_seconds * 100_000 / self._count, 2),
            "peak_rss_mb": round(measured.peak_rss_bytes / 1e6, 1),
        }
