"""A simulated worker process: scripted cameras through the worker's own outbox and publisher.

usage: python -m ingest.simulation.producer     (a :class:`Order` as JSON on standard input)
"""

import json
import signal
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from ingest.journal import Journal
from ingest.metrics import WorkerMetrics
from ingest.outbox import Outbox, Outgoing
from ingest.publisher import Publisher
from ingest.simulation.script import Act, Due, Rates, Script, event_of, observation_of, status_of
from safecity.bus import open_bus
from safecity.cloudevents import event_headers
from safecity.event import Trace
from safecity.log import configure_logging
from safecity.parent import die_with
from safecity.settings import Site

TICK_SECONDS = 0.02
DRAIN_SECONDS = 30.0


@dataclass(frozen=True)
class Order:
    """What a simulated worker is told."""

    name: str
    parent: int
    """Process that it must not outlive."""
    site: dict[str, Any]
    """Members of the site file: the bus and the data folder."""
    cameras: list[int]
    rates: dict[str, Any]
    begin: float
    """Seconds since 1970."""
    journal: str
    """File of the events that were decided, one JSON line each."""
    pictures: list[str]
    """JPEG files, sent in turn."""


@dataclass
class Account:
    """What a simulated worker did."""

    observations: int = 0
    statuses: int = 0
    events: int = 0
    """Revisions count each."""
    pictures: int = 0
    given_up: int = 0
    """Best-effort messages that were dropped because the bus did not take them in time."""
    left: int = 0
    """Messages that were still in the outbox at the end."""
    latest_ms: float = 0.0
    """The longest that something came after it was due."""
    late_seconds: float = field(default=0.0)
    """Sum over all messages, for the mean."""


class SimulatedWorker:
    """Plays a script into an outbox and a publisher, as a shard does what it has seen."""

    def __init__(self, order: Order) -> None:
        self._name, self._rates = order.name, Rates(**order.rates)
        self._script = Script(order.cameras, self._rates, order.begin)
        site = Site.model_validate(order.site)
        path = site.in_data_dir(f"{order.name}.sqlite")
        self._outbox, self._journal = Outbox(path), Journal(Path(order.journal))
        self._bus = open_bus(site)
        self._metrics = WorkerMetrics(CollectorRegistry())
        self._publisher = Publisher(partial(Outbox, path), self._bus, order.name, self._metrics)
        self._pictures = [Path(name).read_bytes() for name in order.pictures]
        self._account = Account()

    def run(self, stopping: threading.Event) -> Account:
        """Play until told to stop, then hand over what is left."""
        self._publisher.start()
        while not stopping.is_set():
            now = time.time()
            for due in self._script.until(now):
                self._do(due, now)
                if stopping.is_set():
                    # A machine that is too slow is behind: what is not said yet was not decided.
                    break
            stopping.wait(max(TICK_SECONDS, min(self._script.next_at - time.time(), 1.0)))
        self._publisher.stop(DRAIN_SECONDS)
        account = self._account
        account.left = self._outbox.backlog().messages
        account.given_up = sum(
            round(sample.value)
            for family in self._metrics.lost.collect()
            for sample in family.samples
            if sample.name.endswith("_total")
        )
        self._outbox.close()
        self._bus.close()
        return account

    def _do(self, due: Due, now: float) -> None:
        late = now - due.at
        self._account.late_seconds += late
        self._account.latest_ms = max(self._account.latest_ms, 1000 * late)
        stamp = int(now * 1000)
        if due.act is Act.OBSERVE:
            message = observation_of(due, self._rates)
            self._account.observations += 1
            self._publisher.offer(Outgoing("observations", message.camera_id, message.to_bytes(), (), stamp))
        elif due.act is Act.REPORT:
            status = status_of(due, self._rates, self._name, self._publisher.pending)
            self._account.statuses += 1
            self._publisher.offer(Outgoing("status", status.camera_id, status.to_bytes(), (), stamp))
        else:
            self._decide(due, stamp)

    def _decide(self, due: Due, stamp: int) -> None:
        event, decided = event_of(due, self._rates), datetime.now(UTC)
        captured = datetime.fromtimestamp(due.at, UTC)
        trace = Trace(captured_at=captured, received_at=captured, decided_at=decided, worker=self._name)
        messages = []
        if event.snapshot is not None:
            picture = self._pictures[due.ordinal % len(self._pictures)]
            names = (("event-id", event.event_id.encode()), ("media-name", event.snapshot.encode()))
            messages.append(Outgoing("snapshots", event.camera_id, picture, names, stamp))
        value = event.to_bytes()
        messages.append(Outgoing("events", event.camera_id, value, tuple(event_headers(event, trace)), stamp))
        self._outbox.append(messages)
        self._journal.write([value])
        self._publisher.notify()
        self._account.events += 1
        self._account.pictures += len(messages) - 1


def main() -> None:
    """Read the order, play it until SIGTERM, and say on standard output what was done."""
    configure_logging(json=False, level="info")
    order = Order(**json.load(sys.stdin))
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    die_with(order.parent, signal.SIGTERM)
    account = SimulatedWorker(order).run(stopping)
    print(json.dumps(asdict(account)))


if __name__ == "__main__":
    main()
