"""One shard's process, as its supervisor sees it: started, listened to, given orders, started again."""

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import structlog

from ingest.health import WorkerHealth
from ingest.orders import Began, Order
from ingest.shard import ShardPlan, ShardReport
from safecity.camera import check_url
from safecity.log import configure_logging
from safecity.parent import die_with

RESTART_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)
STABLE_SECONDS = 60.0

_log = structlog.get_logger()


@dataclass(frozen=True)
class LogChoice:
    """How the worker logs; its shards do the same."""

    json: bool = False
    level: str = "info"


class ShardProcess:
    """A shard.

    Args:
        plan: what it is to do.
    """

    def __init__(self, plan: ShardPlan) -> None:
        self.plan = plan
        self.report: ShardReport | None = None
        self.ready = False
        self.heard_at = 0.0
        self.restarts = -1
        self._failures = 0
        self._died_at: float | None = None
        self._started_at = 0.0
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None
        self._orders: deque[Order] = deque()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.is_alive()

    def start(self, log: LogChoice) -> None:
        """Start the process, for the first time or again."""
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=run_shard,
            args=(self.plan, theirs, log, os.getpid()),
            name=f"safecity-shard-{self.plan.index}",
        )
        self._process.start()
        theirs.close()
        self.ready, self._died_at = False, None
        self._orders.clear()
        self._started_at = self.heard_at = time.monotonic()
        self.restarts += 1

    def listen(self) -> list[Began]:
        """Take what the shard has sent: heartbeats, its last report, and which cameras have begun."""
        began = []
        with suppress(EOFError, OSError):
            while self._connection is not None and self._connection.poll():
                message = self._connection.recv()
                self.heard_at, self.ready = time.monotonic(), True
                if isinstance(message, ShardReport):
                    self.report = message
                elif isinstance(message, Began):
                    began.append(message)
        return began

    def order(self, order: Order) -> None:
        """Have the shard do something, as soon as it listens."""
        self._orders.append(order)

    def send_orders(self) -> None:
        """Send what it is to do. What a shard that dies did not get is ordered again once it is back."""
        with suppress(OSError):
            while self._connection is not None and self.ready and self._orders:
                self._connection.send(self._orders.popleft())

    def restart_at(self, health: WorkerHealth) -> float:
        """When a dead shard may be started again; takes note of its death the first time."""
        if self._died_at is None:
            self._died_at = time.monotonic()
            stable = self._died_at - self._started_at > STABLE_SECONDS
            self._failures = 0 if stable else self._failures + 1
            health.died(self._process.pid if self._process else None)
            code = self._process.exitcode if self._process else None
            _log.error("shard died", shard=self.plan.index, exit_code=code)
        return self._died_at + RESTART_SECONDS[min(self._failures, len(RESTART_SECONDS) - 1)]

    def terminate(self) -> None:
        """Ask it to end."""
        if self._process is not None and self._process.is_alive():
            self._process.terminate()

    def kill(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.kill()
            self._process.join(5)


def run_shard(plan: ShardPlan, connection: Connection, log: LogChoice, parent: int) -> None:
    """A shard's process, from its first line to its last."""
    # A lone shard would compete with its successor.
    die_with(parent, signal.SIGKILL)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    configure_logging(json=log.json, level=log.level)
    for camera in plan.site.cameras:
        # The parent's memory of secrets did not come along.
        for url in camera.urls.values():
            check_url(url)

    import cv2

    from ingest.metrics import WorkerMetrics
    from ingest.shard import Shard

    cv2.setNumThreads(1)
    report = Shard(plan, WorkerMetrics(), stopping, connection).run()
    connection.send(report)
    connection.close()
