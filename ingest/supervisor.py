"""The supervisor: one shard a core, cameras shared out among them, and a shard that dies is started again."""

import os
import shutil
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import structlog

from ingest.health import HealthServer, WorkerHealth
from ingest.membership import Membership
from ingest.orders import End
from ingest.recording_retention import RecordingRetention
from ingest.shard import ShardPlan, ShardReport, worker_folder, worker_name
from ingest.shard_process import LogChoice, ShardProcess
from ingest.tenure import WARM
from safecity.camera import Camera
from safecity.ownership import OVERLAP
from safecity.settings import Site

SILENT_SECONDS = 60.0
"""A shard that has not been heard of for so long is taken for stuck."""
STOP_SECONDS = 30.0
WATCH_SECONDS = 0.25
ORDERS_SECONDS = 0.05
"""The same, where cameras come and go: between an order and its shard."""
LEAVE_SECONDS = 40.0
"""Longest time that a stop waits for other workers to take the cameras over."""

_log = structlog.get_logger()


def share_out(cameras: Sequence[Camera], shards: int) -> list[tuple[Camera, ...]]:
    """The cameras of each shard: round robin, most important first, so that each gets its part of them."""
    ordered = sorted(cameras, key=lambda camera: -camera.priority)
    return [tuple(ordered[index::shards]) for index in range(shards)]


def plan_shards(site: Site, journal: Path | None) -> list[ShardPlan]:
    """One shard a core, or as many as the site says; of the cameras of a site file each has one at least."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    count = site.worker.processes or cores
    from_bus = site.worker.cameras == "bus"
    if not from_bus:
        count = max(1, min(count, len(site.cameras)))
    known = {f"outbox-{index}.sqlite" for index in range(count)}
    orphans = tuple(
        path for path in sorted(worker_folder(site).glob("outbox-*.sqlite")) if path.name not in known
    )
    return [
        ShardPlan(index, site, cameras, journal, orphans if index == 0 else ())
        for index, cameras in enumerate(share_out(() if from_bus else site.cameras, count))
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
        self._posts = [ShardProcess(plan) for plan in plan_shards(site, journal)]
        self._health = WorkerHealth(self._metrics_folder, len(self._posts))
        self._busy_until = 0.0
        self._membership: Membership | None = None
        if site.worker.cameras == "bus":
            self._membership = Membership(site, worker_name(site), len(self._posts))

    def run(self) -> list[ShardReport]:
        """Start the shards, watch them, and return what they did once :meth:`stop` was called.

        Raises:
            OSError: the address for metrics and health is taken.
        """
        settings = self._site.worker
        with HealthServer(self._health, settings.metrics_host, settings.metrics_port) as server:
            _log.info(
                "worker started",
                cameras="from the bus" if self._membership else len(self._site.cameras),
                shards=len(self._posts),
                bus=self._site.bus.backend,
                metrics=f"{server.url}/metrics",
            )
            for post in self._posts:
                post.start(self._log_choice)
            retention = RecordingRetention(self._site.recordings, self._site.recording)
            retention.start()
            while not self._stopping.wait(ORDERS_SECONDS if self._membership else WATCH_SECONDS):
                self._watch()
            self._hand_over()
            retention.stop()
            return [report for post in self._posts_stopped() if (report := post.report) is not None]

    def stop(self) -> None:
        """Ask for the end; safe in a signal handler."""
        self._stopping.set()

    def _watch(self) -> None:
        for post in self._posts:
            self._listen(post)
            if post.alive and time.monotonic() - post.heard_at > SILENT_SECONDS:
                _log.error("shard is stuck and is ended", shard=post.plan.index)
                post.kill()
            if not post.alive and time.monotonic() >= post.restart_at(self._health):
                post.start(self._log_choice)
                _log.warning("shard started again", shard=post.plan.index, restarts=post.restarts)
                if self._membership is not None:
                    self._membership.crashed(post.plan.index)
        self._health.heard([post.alive and post.ready for post in self._posts])
        if self._membership is not None and all(post.ready for post in self._posts):
            # Not before: other workers give cameras away for it.
            self._membership.start()
        self._pass_on_orders()

    def _listen(self, post: ShardProcess) -> None:
        for began in post.listen():
            if self._membership is not None:
                self._membership.began(began)

    def _pass_on_orders(self) -> None:
        if self._membership is None:
            self._health.holds(len(self._site.cameras), 0)
            return
        for to in self._membership.orders():
            self._posts[to.shard].order(to.order)
            if isinstance(to.order, End):
                self._busy_until = time.monotonic() + (WARM + OVERLAP).total_seconds()
        for post in self._posts:
            post.send_orders()
        self._health.holds(self._membership.cameras, self._membership.partitions)

    def _hand_over(self) -> None:
        """Keep the cameras until others have them."""
        if self._membership is None:
            return
        _log.info("handing over", cameras=self._membership.cameras)
        self._membership.leave()
        deadline = time.monotonic() + LEAVE_SECONDS
        while not self._membership.left and time.monotonic() < deadline:
            self._watch()
            time.sleep(ORDERS_SECONDS)
        self._membership.close()
        self._watch()
        while time.monotonic() < min(self._busy_until, deadline):
            self._watch()
            time.sleep(ORDERS_SECONDS)

    def _posts_stopped(self) -> list[ShardProcess]:
        for post in self._posts:
            post.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline and any(post.alive for post in self._posts):
            for post in self._posts:
                post.listen()
            time.sleep(ORDERS_SECONDS)
        for post in self._posts:
            post.listen()
            if post.alive:
                _log.error("shard does not end and is killed; its outbox is kept", shard=post.plan.index)
                post.kill()
        return self._posts
