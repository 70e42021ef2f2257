"""What a worker tells Prometheus. One process a shard: the values meet in files (multiprocess mode)."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from safecity.camera_fault import CameraFault
from safecity.status import OUTCOMES, CameraState, CameraStep, LedgerCounts

STAGE_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)


class WorkerMetrics:
    """The metrics of one shard.

    Args:
        registry: where they are registered; of no meaning in multiprocess mode, where files are read.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        registry = registry or CollectorRegistry()
        self.registry = registry
        self.received = Counter(
            "safecity_worker_frames_received_total",
            "Frames that reached the worker.",
            ["camera_id"],
            registry=registry,
        )
        self.frames = Counter(
            "safecity_worker_frames_total",
            "Frames by what became of them; with those in flight, the sum of those received.",
            ["camera_id", "outcome"],
            registry=registry,
        )
        self.in_flight = Gauge(
            "safecity_worker_frames_in_flight",
            "Frames that wait or are analysed now.",
            ["camera_id"],
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.camera_state = Gauge(
            "safecity_worker_camera_state",
            "1 for the state that a camera's stream is in, 0 for the others.",
            ["camera_id", "state"],
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.camera_fault = Gauge(
            "safecity_worker_camera_fault",
            "1 while the camera has the fault although pictures come, 0 while it has not.",
            ["camera_id", "fault"],
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.recording = Gauge(
            "safecity_worker_camera_recording",
            "1 for a camera that is recorded as configured, 0 while that is stopped, e.g. disk full.",
            ["camera_id"],
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.camera_step = Gauge(
            "safecity_worker_camera_step",
            "1 for what a camera is given under overload, from full to paused, 0 for the others.",
            ["camera_id", "step"],
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.shard_use = Gauge(
            "safecity_worker_shard_use_cores",
            "Cores that a shard's cameras ask of it, with what frames that were overtaken would have cost.",
            ["shard"],
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.shard_budget = Gauge(
            "safecity_worker_shard_budget_cores",
            "Cores that a shard may use; above it cameras are given less.",
            ["shard"],
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.reconnects = Counter(
            "safecity_worker_camera_reconnects_total",
            "Times that a camera's stream was opened again.",
            ["camera_id"],
            registry=registry,
        )
        self.stage_seconds = Histogram(
            "safecity_worker_stage_seconds",
            "Time that one stage took for one frame.",
            ["stage"],
            registry=registry,
            buckets=STAGE_BUCKETS,
        )
        self.decided = Counter(
            "safecity_worker_events_decided_total",
            "Events that rules decided, by kind.",
            ["kind"],
            registry=registry,
        )
        self.published = Counter(
            "safecity_worker_messages_published_total",
            "Messages that the bus acknowledged.",
            ["topic"],
            registry=registry,
        )
        self.lost = Counter(
            "safecity_worker_best_effort_dropped_total",
            "Observations and statuses given up while the bus was away.",
            ["topic"],
            registry=registry,
        )
        self.outbox_messages = Gauge(
            "safecity_worker_outbox_messages",
            "Messages on disk that the bus does not have yet.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.outbox_bytes = Gauge(
            "safecity_worker_outbox_bytes",
            "Size of the messages on disk that the bus does not have yet.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.outbox_oldest = Gauge(
            "safecity_worker_outbox_oldest_unsent_seconds",
            "Age of the oldest message that the bus does not have yet.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.outbox_failed = Gauge(
            "safecity_worker_outbox_unsaved_messages",
            "Messages held in memory because the outbox's disk does not take them.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.bus_connected = Gauge(
            "safecity_worker_bus_connected",
            "1 while every shard's last publishing succeeded.",
            registry=registry,
            multiprocess_mode="livemin",
        )
        self._ledgers: dict[str, LedgerCounts] = {}
        self._reconnects: dict[str, int] = {}

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Measure one stage of one frame."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.stage_seconds.labels(stage).observe(time.perf_counter() - begin)

    def show_camera(self, camera_id: str, counts: LedgerCounts, state: CameraState, reconnects: int) -> None:
        """Bring the counters of a camera up to what its ledger says now."""
        before = self._ledgers.get(camera_id, LedgerCounts())
        self.received.labels(camera_id).inc(counts.received - before.received)
        for outcome in OUTCOMES:
            rise = getattr(counts, outcome) - getattr(before, outcome)
            self.frames.labels(camera_id, outcome).inc(rise)
        self.in_flight.labels(camera_id).set(counts.in_flight)
        for each in CameraState:
            self.camera_state.labels(camera_id, each.value).set(each is state)
        self.reconnects.labels(camera_id).inc(reconnects - self._reconnects.get(camera_id, 0))
        self._ledgers[camera_id], self._reconnects[camera_id] = counts, reconnects

    def forget_camera(self, camera_id: str) -> None:
        """A camera has gone from this shard; its counters stay, its next ledger begins at 0."""
        self._ledgers.pop(camera_id, None)
        self._reconnects.pop(camera_id, None)
        self.in_flight.labels(camera_id).set(0)
        for state in CameraState:
            self.camera_state.labels(camera_id, state.value).set(0)
        for step in CameraStep:
            self.camera_step.labels(camera_id, step.value).set(0)
        self.show_faults(camera_id, ())

    def show_faults(self, camera_id: str, faults: Sequence[str]) -> None:
        """What is wrong with a camera now."""
        for fault in CameraFault:
            self.camera_fault.labels(camera_id, fault.value).set(fault.value in faults)

    def show_step(self, camera_id: str, step: CameraStep) -> None:
        """What a camera is given now."""
        for each in CameraStep:
            self.camera_step.labels(camera_id, each.value).set(each is step)

    def show_load(self, shard: int, use: float, budget: float) -> None:
        """What a shard uses and may use, in cores."""
        self.shard_use.labels(str(shard)).set(use)
        self.shard_budget.labels(str(shard)).set(budget)


class SupervisorMetrics:
    """What the supervisor knows of its shards.

    Args:
        registry: where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.shards = Gauge("safecity_worker_shards", "Shards that run and answer.", registry=registry)
        self.wanted = Gauge("safecity_worker_shards_wanted", "Shards that should run.", registry=registry)
        self.cameras = Gauge(
            "safecity_worker_cameras", "Cameras that the worker has, or is about to open.", registry=registry
        )
        self.partitions = Gauge(
            "safecity_worker_partitions",
            "Partitions of the topic cameras that the worker holds; 0 with the cameras of its site file.",
            registry=registry,
        )
        self.deaths = Counter(
            "safecity_worker_shard_deaths_total", "Shards that ended by themselves.", registry=registry
        )
