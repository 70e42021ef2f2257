"""``safecity bench latency``: how long an event takes from the camera to the operator's page, by stage."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from safecity.bench.delivery import Deliveries, Follower, following
from safecity.bench.kafka import BenchKafka
from safecity.bench.measure import MeasureError
from safecity.bench.report import Row, progress_bar
from safecity.demo.city import DRAIN_SECONDS, City, CityError
from safecity.demo.run import start_rtsp
from safecity.demo.scenes import demo_site
from safecity.free_port import free_port

STAGES = ("captured", "received", "decided", "published", "stored", "browser")
COLUMNS = {
    "bus": "bus",
    "stage": "captured to …",
    "events": "events",
    "p50": "p50 ms",
    "p95": "p95 ms",
    "p99": "p99 ms",
    "step_p50": "step p50",
    "step_p95": "step p95",
    "step_p99": "step p99",
}


@dataclass(frozen=True)
class LatencyPlan:
    """What runs, and for how long."""

    duration: float
    """Seconds over each bus."""
    cameras: int
    browser: bool
    """Follow in Chromium; otherwise a client that reads the live stream."""


@dataclass(frozen=True)
class LatencyRun:
    """What was measured over one bus."""

    rows: list[Row]
    facts: dict[str, Any]
    """Events decided, stored and delivered, and who followed."""


def run_latency(
    plan: LatencyPlan, kafka: BenchKafka | None, announce: Callable[[str], None]
) -> list[LatencyRun]:
    """Run a worker, a centre and an operator's page over each bus, one after the other.

    Raises:
        MeasureError: a part failed, or no event came within the duration.
    """
    buses = [("embedded", {"backend": "embedded"}), *([("kafka", kafka.bus)] if kafka else [])]
    with ExitStack() as parts:
        rtsp = start_rtsp(plan.cameras, parts, announce)
        bar = parts.enter_context(progress_bar())
        task = bar.add_task("latency", total=round(plan.duration) * len(buses))
        runs = []
        for place, (name, bus) in enumerate(buses):
            begin: list[float] = []

            def tick(place: int = place, begin: list[float] = begin) -> None:
                begin.append(time.monotonic())
                passed = begin[-1] - begin[0]
                bar.update(task, completed=int(place * plan.duration + passed))

            bar.update(task, description=f"latency over {name}")
            runs.append(_run(name, bus, plan, rtsp, tick))
    return runs


def _run(
    name: str, bus: Mapping[str, Any], plan: LatencyPlan, rtsp: Mapping[str, str], tick: Callable[[], None]
) -> LatencyRun:
    with tempfile.TemporaryDirectory(prefix="safecity-bench-") as folder:
        data = Path(folder)
        document = demo_site(plan.cameras, data, free_port(), kafka=None, rtsp=rtsp) | {"bus": dict(bus)}
        try:
            with City(document, data) as city:
                city.start_centre()
                with following(city.url, browser=plan.browser) as follower:
                    city.start_worker()
                    # What comes while models are loaded says nothing of how it goes on.
                    begin = datetime.now(UTC)
                    city.watch(plan.duration, tick)
                    city.stop_worker()
                    return _count(name, city, follower, begin)
        except CityError as error:
            raise MeasureError(str(error)) from None


def _count(name: str, city: City, follower: Follower, begin: datetime) -> LatencyRun:
    decided = city.decided()
    stored = city.stored(decided)
    delivered = _all_delivered(follower, {item["sequence"] for item in stored})
    times = [
        stamps
        for item in stored
        if item["sequence"] in delivered and (stamps := _stamps(item, delivered))[0] >= begin.timestamp()
    ]
    if not times:
        raise MeasureError(f"no event came over {name}: give it a longer --duration")
    facts = {
        "bus": name,
        "decided": len(decided),
        "stored": len(stored),
        "delivered": len(delivered),
        "counted": len(times),
        "follower": follower.name,
    }
    return LatencyRun(list(stage_rows(name, times)), facts)


def _all_delivered(follower: Follower, wanted: set[int]) -> Deliveries:
    deadline = time.monotonic() + DRAIN_SECONDS
    while not wanted <= (delivered := follower.delivered()).keys() and time.monotonic() < deadline:
        time.sleep(0.1)
    return {sequence: at for sequence, at in delivered.items() if sequence in wanted}


def _stamps(item: Mapping[str, Any], delivered: Deliveries) -> tuple[float, ...]:
    """When an event passed each of :data:`STAGES`, seconds since 1970."""
    trace = item["trace"]
    texts = (*(trace[f"{stage}_at"] for stage in STAGES[:4]), item["stored_at"])
    return (*(datetime.fromisoformat(text).timestamp() for text in texts), delivered[item["sequence"]])


def stage_rows(bus: str, times: Sequence[Sequence[float]]) -> Iterator[Row]:
    """Percentiles of each stage after the first, since capture and since the stage before.

    Args:
        bus: goes into the rows.
        times: of each event, when it passed each of :data:`STAGES`, seconds.
    """
    table = np.asarray(times, np.float64)
    for (before, _), (place, stage) in pairwise(enumerate(STAGES)):
        whole, step = table[:, place] - table[:, 0], table[:, place] - table[:, before]
        yield {
            "name": f"{bus}, {stage}",
            "bus": bus,
            "stage": stage,
            "events": len(times),
            **_percentiles("", whole),
            **_percentiles("step_", step),
        }


def _percentiles(prefix: str, seconds: "np.typing.NDArray[np.float64]") -> dict[str, float]:
    found = np.percentile(seconds * 1000, (50, 95, 99))
    return {
        f"{prefix}p{share}": round(float(value), 2) for share, value in zip((50, 95, 99), found, strict=True)
    }
