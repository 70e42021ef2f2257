"""A shard: one process with one inference session, many cameras, and an outbox of its own."""

import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import structlog

from detectors.detector import build_detector
from ingest.decided import Decided
from ingest.frame import Frame
from ingest.journal import Journal
from ingest.ledger import Outcome
from ingest.metrics import WorkerMetrics
from ingest.orders import Began
from ingest.outbox import Outbox, Outgoing
from ingest.outbox_room import MEGABYTE
from ingest.overload import Overload
from ingest.pipeline import Analysis
from ingest.post import Post, PostMaker
from ingest.publisher import Publisher
from ingest.reporting import show, status_of
from ingest.shard_cameras import ShardCameras
from ingest.stream import StreamState
from ingest.track_memory import TrackMemory
from safecity.bus import open_bus
from safecity.camera import Camera
from safecity.cloudevents import event_headers
from safecity.event import Trace
from safecity.settings import Site
from safecity.status import CameraStep, LedgerCounts
from safecity.steady_clock import STEADY

DRAIN_SECONDS = 10.0
BEAT_SECONDS = 1.0

_log = structlog.get_logger()


@dataclass(frozen=True)
class ShardPlan:
    """What a shard is to do."""

    index: int
    site: Site
    cameras: tuple[Camera, ...]
    journal: Path | None = None
    orphans: tuple[Path, ...] = ()
    """Outboxes of shards that are no more: this one delivers what they left."""

    @property
    def name(self) -> str:
        """What the shard is called in statuses and traces."""
        return f"{worker_name(self.site)}/{self.index}"

    @property
    def outbox(self) -> Path:
        """The shard's outbox."""
        return worker_folder(self.site) / f"outbox-{self.index}.sqlite"


@dataclass(frozen=True)
class ShardReport:
    """What a shard did, all told."""

    decided: int
    published: int
    by_kind: dict[str, int]
    ledgers: dict[str, LedgerCounts]


def worker_folder(site: Site) -> Path:
    """The worker's part of the data folder."""
    return site.in_data_dir("worker")


def worker_name(site: Site) -> str:
    """What the worker is called."""
    return site.worker.name or socket.gethostname()


class Shard:
    """Runs the cameras of one plan, and those that it is told to, until it is to stop.

    Args:
        plan: what to do.
        metrics: told everything.
        stopping: set from outside to end it.
        supervisor: gives orders about cameras, and wants to hear that the shard lives.
    """

    def __init__(
        self,
        plan: ShardPlan,
        metrics: WorkerMetrics,
        stopping: threading.Event,
        supervisor: Connection | None = None,
    ) -> None:
        self._plan = plan
        self._metrics = metrics
        self._stopping = stopping
        self._supervisor = supervisor
        self._wake = threading.Event()
        self._outbox = Outbox(plan.outbox)
        epoch = self._outbox.raise_epoch()
        self._decided = Decided(
            self._outbox,
            Journal(plan.journal) if plan.journal else None,
            metrics,
            plan.site.worker.unsaved_max_mb * MEGABYTE,
        )
        self._bus = open_bus(plan.site)
        self._publishers = [
            Publisher(
                partial(Outbox, path),
                self._bus,
                f"{plan.name}/{path.stem}",
                metrics,
                limit_bytes=plan.site.worker.outbox_max_mb * MEGABYTE,
                once=once,
            )
            for path, once in ((plan.outbox, False), *((orphan, True) for orphan in plan.orphans))
        ]
        self._by_kind: dict[str, int] = {}
        self._memory = TrackMemory(worker_folder(plan.site) / "tracks")
        self._overload = Overload(
            plan.cameras, plan.site.worker.cpu_share, time.monotonic(), time.process_time()
        )
        detector = build_detector(plan.site.detector)
        maker = PostMaker(plan.site, detector, metrics.timed, self._wake, self._on_state)
        self._cameras = ShardCameras(maker, self._overload, self._memory, self._on_closed)
        for camera in plan.cameras:
            self._cameras.begin(camera, epoch)
        self._lag = self._waited = 0.0

    def run(self) -> ShardReport:
        """Until ``stopping`` is set: analyse the newest frame of each camera in turn."""
        for publisher in self._publishers:
            publisher.start()
        next_beat = 0.0
        while not self._stopping.is_set():
            self._obey()
            worked = [self._serve(post) for post in self._cameras]
            if time.monotonic() >= next_beat:
                next_beat = time.monotonic() + BEAT_SECONDS
                self._beat()
            if not any(worked):
                idle_at = time.monotonic()
                self._wake.wait(0.2)
                self._wake.clear()
                self._waited += time.monotonic() - idle_at
        return self._shut_down()

    def _obey(self) -> None:
        """Take in orders about cameras, and open and close those whose turn it is."""
        if self._supervisor is not None:
            with suppress(EOFError, OSError):  # it has ended, and so shall we
                while self._supervisor.poll():
                    self._cameras.obey(self._supervisor.recv())
        self._cameras.end_due()
        for post in self._cameras.open_due():
            if post.setting.step is not CameraStep.FULL:
                self._say_step(post)

    def _tell(self, word: object) -> None:
        if self._supervisor is not None:
            self._supervisor.send(word)

    def _serve(self, post: Post) -> bool:
        frame = post.mailbox.take()
        if frame is None:
            return False
        if self._decided.is_full:
            post.ledger.settle(Outcome.SHED)
            return True
        begin = time.thread_time()
        self._analyse(post, frame)
        post.analysis_seconds += time.thread_time() - begin
        post.served += 1
        if not post.camera.is_fast:
            self._lag = max(self._lag, STEADY.time() - frame.captured_at.timestamp())
        return True

    def _analyse(self, post: Post, frame: Frame) -> None:
        try:
            analysis = post.pipeline.process(frame)
        except Exception as error:  # noqa: BLE001  one camera's bad frame must not end the others
            post.ledger.settle(Outcome.CORRUPT)
            if time.monotonic() - post.last_error_at > 10:
                post.last_error_at = time.monotonic()
                _log.error("a frame could not be analysed", camera_id=post.camera.id, exc_info=error)
            return
        post.attention.saw(frame.captured_at.timestamp(), moving=analysis.moving)
        if post.tenure.begin(frame.captured_at, time.monotonic()):
            self._begun(post)
        if post.tenure.decides(frame.captured_at, time.monotonic()):
            self._send(post, analysis, self._trace(post, frame))
        post.ledger.settle(analysis.outcome)

    def _begun(self, post: Post) -> None:
        if (since := post.tenure.since) is not None:
            self._tell(Began(post.camera.id, post.tenure.epoch, since))

    def _trace(self, post: Post, frame: Frame) -> Trace:
        return Trace(
            captured_at=frame.captured_at,
            received_at=frame.received_at,
            decided_at=STEADY.now(),
            worker=self._plan.name,
            epoch=post.tenure.epoch,
        )

    def _send(self, post: Post, analysis: Analysis, trace: Trace) -> None:
        observation = analysis.observation
        # Not event time: the bus keeps by this stamp, and footage may be years old.
        stamp = int(trace.decided_at.timestamp() * 1000)
        key = post.camera.id
        for decision in analysis.decisions:
            event = decision.event
            post.events_decided += 1
            if post.recorder is not None:
                post.recorder.event(event.occurred_at)
            self._by_kind[event.kind] = self._by_kind.get(event.kind, 0) + 1
            self._metrics.decided.labels(event.kind).inc()
            if decision.picture is not None:
                picture_headers = (
                    ("event-id", event.event_id.encode()),
                    ("media-name", (event.snapshot or "").encode()),
                    ("content-type", b"image/jpeg"),
                )
                self._decided.add(Outgoing("snapshots", key, decision.picture, picture_headers, stamp))
            self._decided.add(
                Outgoing("events", key, event.to_bytes(), tuple(event_headers(event, trace)), stamp)
            )
        if analysis.decisions:
            self._save()
        self._publishers[0].offer(Outgoing("observations", key, observation.to_bytes(), (), stamp))

    def _save(self) -> None:
        if self._decided.save():
            self._publishers[0].notify()

    @staticmethod
    def _on_state(camera: Camera, state: StreamState) -> None:
        _log.info("camera", camera_id=camera.id, state=state.state.value, reason=state.reason)

    def _beat(self) -> None:
        """What is done once a second beside the frames."""
        self._save()
        self._weigh()
        for post in self._cameras:
            turned = post.standing != post.reported
            due = time.monotonic() - post.reported_at >= self._plan.site.worker.status_seconds
            show(post, self._metrics)
            if (turned or due) and post.tenure.speaks(time.monotonic()):
                self._report(post)
        self._memory.keep((post.camera, post.pipeline) for post in self._cameras)
        self._tell(time.time())

    def _weigh(self) -> None:
        """Measure what the cameras cost, and give some of them less or more."""
        used = {post.camera.id: post.used for post in self._cameras if post.opened}
        away = frozenset(post.camera.id for post in self._cameras if not post.is_live)
        changes = self._overload.weigh(
            time.monotonic(), time.process_time(), used, away=away, lag=self._lag, waited=self._waited
        )
        self._lag = self._waited = 0.0
        for post in self._cameras:
            if post.camera.id in changes:
                post.give(changes[post.camera.id])
                self._say_step(post)
        self._metrics.show_load(self._plan.index, self._overload.use, self._plan.site.worker.cpu_share)

    def _say_step(self, post: Post) -> None:
        _log.warning(
            "camera's step",
            camera_id=post.camera.id,
            priority=post.camera.priority,
            step=post.setting.step.value,
            cores=round(self._overload.use, 2),
            budget=self._plan.site.worker.cpu_share,
        )

    def _report(self, post: Post) -> None:
        now = STEADY.now()
        post.reported, post.reported_at = post.standing, time.monotonic()
        status = status_of(
            post,
            self._plan.name,
            now,
            cost_cores=self._overload.cost(post.camera.id),
            outbox_pending=sum(p.pending for p in self._publishers),
        )
        stamp = int(now.timestamp() * 1000)
        self._publishers[0].offer(Outgoing("status", post.camera.id, status.to_bytes(), (), stamp))

    def _on_closed(self, post: Post) -> None:
        show(post, self._metrics)
        if post.tenure.speaks(time.monotonic()):
            self._report(post)
        self._metrics.forget_camera(post.camera.id)

    def _shut_down(self) -> ShardReport:
        self._cameras.close_all(timeout=3.0)
        self._save()
        for publisher in self._publishers:
            publisher.stop(DRAIN_SECONDS)
        self._outbox.close()
        self._bus.close()
        return ShardReport(
            decided=sum(self._by_kind.values()),
            published=sum(p.events_published for p in self._publishers),
            by_kind=self._by_kind,
            ledgers=dict(self._cameras.ledgers),
        )
