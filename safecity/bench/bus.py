"""``safecity bench bus``: what a message costs on each bus."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safecity.bench.kafka import BenchKafka
from safecity.bench.measure import Measured, measure
from safecity.bench.report import Row, progress_bar

COLUMNS = {
    "name": "bus",
    "messages_per_second": "messages/s",
    "cpu_seconds_per_100k": "CPU s per 100,000",
    "broker_cpu_seconds_per_100k": "broker's CPU s",
    "peak_rss_mb": "peak MB",
}


@dataclass(frozen=True)
class BusPlan:
    """What is sent."""

    messages: int
    size: int
    """Of a message's value, bytes."""


def run_bus(plan: BusPlan, kafka: BenchKafka | None) -> list[Row]:
    """Produce and consume on each bus, one after the other.

    Returns:
        A row for each bus and direction.

    Raises:
        MeasureError: a bus did not keep or give all messages.
    """
    with tempfile.TemporaryDirectory(prefix="safecity-bench-") as folder, progress_bar() as bar:
        buses = list(_buses(Path(folder), kafka))
        task = bar.add_task("bus", total=2 * len(buses))
        rows = []
        for name, site in buses:
            for direction in ("produce", "consume"):
                bar.update(task, description=f"{name}: {direction}")
                rows.append(_row(name, direction, site, plan, kafka if name == "kafka" else None))
                bar.advance(task)
    return rows


def _buses(folder: Path, kafka: BenchKafka | None) -> Iterator[tuple[str, dict[str, Any]]]:
    for backend in ("memory", "embedded"):
        yield backend, {"data_dir": str(folder / backend), "bus": {"backend": backend}}
    if kafka is not None:
        yield "kafka", {"data_dir": str(folder / "kafka"), "bus": kafka.bus}


def _row(name: str, direction: str, site: dict[str, Any], plan: BusPlan, kafka: BenchKafka | None) -> Row:
    before = kafka.cpu_seconds() if kafka else None
    arguments = {"site": site, "messages": plan.messages, "size": plan.size}
    measured = measure(f"safecity.bench.traffic:{direction}", arguments)
    after = kafka.cpu_seconds() if kafka else None
    in_100k = 100_000 / plan.messages
    broker = (after - before) * in_100k if before is not None and after is not None else None
    return {
        "name": f"{name}, {direction}",
        "bus": name,
        "direction": direction,
        "messages": measured.result["messages"],
        "size_bytes": plan.size,
        "messages_per_second": round(measured.result["messages"] / _seconds(measured), 1),
        "cpu_seconds": round(measured.cpu_seconds, 4),
        "cpu_seconds_per_100k": round(measured.cpu_seconds * in_100k, 3),
        "broker_cpu_seconds_per_100k": None if broker is None else round(broker, 3),
        "peak_rss_mb": round(measured.peak_rss_bytes / 1e6, 1),
    }


def _seconds(measured: Measured) -> float:
    return float(measured.result.get("reading_seconds") or measured.wall_seconds)
