"""A simulated city from its start to its end: broker, database, centre, workers, and what came of it."""

import os
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from ingest.simulation.broker import BrokerWatch
from ingest.simulation.database import Database, simulation_database
from ingest.simulation.outcome import Outcome, outcome_of
from ingest.simulation.pictures import write_pictures
from ingest.simulation.producer import Order
from ingest.simulation.samples import Sample, Samples
from ingest.simulation.script import Rates, camera_name
from ingest.simulation.usage import usage_of
from ingest.simulation.workers import Workers
from safecity.bench.kafka import BenchKafka, bench_kafka
from safecity.bench.measure import MeasureError
from safecity.bench.report import progress_bar
from safecity.demo.city import City, CityError
from safecity.free_port import free_port
from safecity.settings import BusSettings

SAMPLE_SECONDS = 1.0
SETTLE_SECONDS = 60.0
CENTRE_GROUP = "safecity-centre"
CENTRE_TOPICS = ("snapshots", "events", "replays", "status", "owners")
BUSY = "safecity_centre_consumer_busy_seconds_total"


@dataclass(frozen=True)
class Plan:
    """What is simulated."""

    cameras: int
    workers: int
    duration: float
    """Seconds."""
    rates: Rates
    kafka: str | None
    """host:port of a broker; None: one is started."""
    store: str
    """See :func:`ingest.simulation.database.simulation_database`."""
    partitions: int


@dataclass(frozen=True)
class Run:
    """What was seen of a run."""

    plan: Plan
    samples: Samples
    accounts: list[dict[str, Any]]
    """Of each worker: see :class:`ingest.simulation.producer.Account`."""
    outcome: Outcome
    log_bytes: dict[str, int]
    """Of each topic, on the broker's disk."""
    store_bytes: int
    """What the database grew by."""
    store_kind: str


def simulate_city(plan: Plan, announce: Callable[[str], None]) -> Run:
    """Run a city of scripted cameras and hold what it decided against what the centre has.

    Args:
        plan: what to run.
        announce: told what goes on.

    Raises:
        UsageError: something that is needed is not here.
        MeasureError: a part did not start, or ended by itself.
    """
    try:
        with ExitStack() as parts:
            parts.callback(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT))
            folder = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="safecity-simulation-")))
            folder.chmod(0o755)
            kafka = parts.enter_context(bench_kafka(plan.kafka, True, announce))
            assert kafka is not None
            (folder / "database").mkdir(mode=0o755)
            database = parts.enter_context(simulation_database(plan.store, folder / "database", announce))
            document = _document(plan, kafka, database, folder)
            city = parts.enter_context(City(document, folder))
            announce("starting the command centre")
            city.start_centre()
            # The first thing to be undone: a second Ctrl-C may not leave half of it running.
            parts.callback(signal.signal, signal.SIGINT, signal.SIG_IGN)
            return _play(plan, city, document, kafka, database, folder)
    except CityError as error:
        raise MeasureError(str(error)) from None


def _document(plan: Plan, kafka: BenchKafka, database: Database, folder: Path) -> dict[str, Any]:
    names = map(camera_name, range(plan.cameras))
    return {
        "name": "Simulated city",
        "data_dir": str(folder / "data"),
        "bus": {**kafka.bus, "partitions": plan.partitions},
        "centre": {"port": free_port(), "database": database.url},
        "cameras": [{"id": name, "source": f"rtsp://127.0.0.1/{name}"} for name in names],
    }


def _play(
    plan: Plan,
    city: City,
    document: dict[str, Any],
    kafka: BenchKafka,
    database: Database,
    folder: Path,
) -> Run:
    bus = BusSettings.model_validate(document["bus"])
    before = database.size_bytes()
    with (
        BrokerWatch(bus, CENTRE_GROUP, CENTRE_TOPICS) as watch,
        Workers(_orders(plan, document, folder), folder) as workers,
    ):
        watched = {**workers.pids, "centre": city.process_id("command centre")}
        watched |= {"kafka": kafka.pid} if kafka.pid is not None else {}
        watched |= {"postgres": database.pid} if database.pid is not None else {}
        samples = _watch(plan, city, workers, watch, watched)
        accounts = workers.finish()
        _settle(watch)
        return Run(
            plan,
            samples,
            accounts,
            outcome_of(workers.journals, city.events(), folder / "data" / "centre" / "media", samples),
            watch.disk_bytes(),
            database.size_bytes() - before,
            database.kind,
        )


def _orders(plan: Plan, document: dict[str, Any], folder: Path) -> list[Order]:
    pictures = [str(path) for path in write_pictures(folder / "pictures")]
    begin = time.time() + 5.0  # by then all of them run
    site = {name: document[name] for name in ("data_dir", "bus")}
    return [
        Order(
            name=f"worker-{number}",
            parent=os.getpid(),
            site=site,
            cameras=list(range(number, plan.cameras, plan.workers)),
            rates=asdict(plan.rates),
            begin=begin,
            journal=str(folder / f"decided-{number}.jsonl"),
            pictures=pictures,
        )
        for number in range(plan.workers)
    ]


def _watch(plan: Plan, city: City, workers: Workers, watch: BrokerWatch, watched: dict[str, int]) -> Samples:
    samples = Samples(plan.duration, begin=workers.begin)
    with progress_bar() as bar:
        task = bar.add_task("simulating", total=round(plan.duration))
        _sleep_until(workers.begin)
        while (at := time.time() - workers.begin) < plan.duration:
            city.watch(0)
            workers.check()
            usage = {name: used for name, pid in watched.items() if (used := usage_of(pid)) is not None}
            samples.taken.append(Sample(at, usage, watch.lag()))
            if at >= samples.warm_up and not samples.busy:
                samples.busy.append((time.time() - workers.begin, _busy_seconds(city)))
            behind = sum(samples.taken[-1].lag.values())
            bar.update(task, completed=int(at), description=f"{plan.cameras} cameras, lag {behind}")
            _sleep_until(workers.begin + min(at + SAMPLE_SECONDS, plan.duration))
        samples.busy.append((time.time() - workers.begin, _busy_seconds(city)))
    return samples


def _busy_seconds(city: City) -> float:
    said = httpx.get(f"{city.url}/metrics", timeout=30.0).raise_for_status().text
    return next(float(line.split()[-1]) for line in said.splitlines() if line.startswith(f"{BUSY} "))


def _settle(watch: BrokerWatch) -> None:
    """Until the centre has read everything, or had time enough."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while sum(watch.lag().values()) and time.monotonic() < deadline:
        time.sleep(0.5)


def _sleep_until(at: float) -> None:
    time.sleep(max(0.0, at - time.time()))
