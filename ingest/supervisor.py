"""The supervisor: one shard a core, cameras shared out among them, and a shard that dies is started again."""

import multiprocessing
import os
import shutil
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import structlog

from ingest.health import HealthServer, WorkerHealth
from ingest.recording_retention import RecordingRetention
from ingest.shard import ShardPlan, ShardReport, worker_folder
from safecity.camera import Camera, check_url
from safecity.log import configure_logging
from safecity.parent import die_with
from safecity.settings import Site

SILENT_SECONDS = 60.0
"""A shard that has not been heard of for so long is taken for stuck."""
STOP_SECONDS = 30.0
RESTART_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)
STABLE_SECONDS = 60.0

_log = structlog.get_logger()


@dataclass(frozen=True)
class LogChoice:
    """How the worker logs; its shards do the same."""

    json: bool = False
    level: str = "info"


def share_out(cameras: Sequence[Camera], shards: int) -> list[tuple[Camera, ...]]:
    """The cameras of each shard: round robin, most important first, so that each gets its part of them."""
    ordered = sorted(cameras, key=lambda camera: -camera.priority)
    return [tuple(ordered[index::shards]) for index in range(shards)]


def plan_shards(site: Site, journal: Path | None) -> list[ShardPlan]:
    """One shard a core, or as many as the site says, but none without a camera."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    count = max(1, min(site.worker.processes or cores, len(site.cameras)))
    known = {f"outbox-{index}.sqlite" for index in range(count)}
    orphans = tuple(
        path for path in sorted(worker_folder(site).glob("outbox-*.sqlite")) if path.name not in known
    )
    return [
        ShardPlan(index, site, cameras, journal, orphans if index == 0 else ())
        for index, cameras in enumerate(share_out(site.cameras, count))
    ]


class Supervisor:
    """Runs the shards of a site until :meth:`stop`.

    Args:
        site: the site, whole.
        journal: file for the record of decided events, if wanted.
        log: how the shards log.
    """

    def __init__(self, site: Site, journal: Path | None, log: LogChoice) -> None:
        self._site = site
        self._log_choice = log
        self._stopping = threading.Event()
        self._metrics_folder = worker_folder(site) / "metrics"
        shutil.rmtree(self._metrics_folder, ignore_errors=True)
        self._metrics_folder.mkdir(parents=True)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(self._metrics_folder)
        self._posts = [_ShardPost(plan) for plan in plan_shards(site, journal)]
        self._health = WorkerHealth(self._metrics_folder, len(self._posts))

    def run(self) -> list[ShardReport]:
        """Start the shards, watch them, and return what they did once :meth:`stop` was called.

        Raises:
            OSError: the address for metrics and health is taken.
        """
        settings = self._site.worker
        with HealthServer(self._health, settings.metrics_host, settings.metrics_port) as server:
            _log.info(
                "worker started",
                cameras=len(self._site.cameras),
                shards=len(self._posts),
                bus=self._site.bus.backend,
                metrics=f"{server.url}/metrics",
            )
            for post in self._posts:
                post.start(self._log_choice)
            retention = RecordingRetention(self._site.recordings, self._site.recording)
            retention.start()
            while not self._stopping.wait(0.25):
                self._watch()
            retention.stop()
            return [report for post in self._posts_stopped() if (report := post.report) is not None]

    def stop(self) -> None:
        """Ask for the end; safe in a signal handler."""
        self._stopping.set()

    def _watch(self) -> None:
        for post in self._posts:
            post.listen()
            if post.alive and time.monotonic() - post.heard_at > SILENT_SECONDS:
                _log.error("shard is stuck and is ended", shard=post.plan.index)
                post.kill()
            if not post.alive and time.monotonic() >= post.restart_at(self._health):
                post.start(self._log_choice)
                _log.warning("shard started again", shard=post.plan.index, restarts=post.restarts)
        self._health.heard([post.alive and post.ready for post in self._posts])

    def _posts_stopped(self) -> "list[_ShardPost]":
        for post in self._posts:
            post.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline and any(post.alive for post in self._posts):
            for post in self._posts:
                post.listen()
            time.sleep(0.05)
        for post in self._posts:
            post.listen()
            if post.alive:
                _log.error("shard does not end and is killed; its outbox is kept", shard=post.plan.index)
                post.kill()
        return self._posts


class _ShardPost:
    """One shard's process, as the supervisor sees it."""

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

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.is_alive()

    def start(self, log: LogChoice) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe(duplex=False)
        self._process = context.Process(
            target=run_shard,
            args=(self.plan, theirs, log, os.getpid()),
            name=f"safecity-shard-{self.plan.index}",
        )
        self._process.start()
        theirs.close()
        self.ready, self._died_at = False, None
        self._started_at = self.heard_at = time.monotonic()
        self.restarts += 1

    def listen(self) -> None:
        """Take what the shard has sent: a heartbeat, or its last report."""
        with suppress(EOFError, OSError):
            while self._connection is not None and self._connection.poll():
                message = self._connection.recv()
                self.heard_at, self.ready = time.monotonic(), True
                if isinstance(message, ShardReport):
                    self.report = message

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
        if self._process is not None and self._process.is_alive():
            self._process.terminate()

    def kill(self) -> None:
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
    report = Shard(plan, WorkerMetrics(), stopping).run(connection)
    connection.send(report)
    connection.close()
