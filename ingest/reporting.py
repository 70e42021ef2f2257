"""What a shard says of a camera: its status on the bus, and its metrics."""

from datetime import datetime

from ingest.metrics import WorkerMetrics
from ingest.post import Post
from safecity.status import Status


def status_of(
    post: Post, worker: str, now: datetime, *, cost_cores: float | None, outbox_pending: int
) -> Status:
    """How a camera fares.

    Args:
        post: the camera's.
        worker: the worker and shard.
        now: wall clock.
        cost_cores: measured.
        outbox_pending: messages of the shard that are not on the bus.
    """
    state = post.stream.state
    return Status(
        camera_id=post.camera.id,
        worker=worker,
        reported_at=now,
        state=state.state,
        reason=post.reason,
        step=post.setting.step,
        analysed_fps=round(post.setting.fps(post.camera.analysed_fps), 3),
        decode=post.setting.decode.value,
        since=state.since,
        width=state.width,
        height=state.height,
        codec=state.codec,
        last_frame_at=state.last_frame_at,
        reconnects=state.reconnects,
        events_decided=post.events_decided,
        faults=post.pipeline.faults,
        ledger=post.ledger.counts(),
        epoch=post.tenure.epoch,
        config=post.pipeline.config,
        cost_cores=None if cost_cores is None else round(cost_cores, 4),
        outbox_pending=outbox_pending,
    )


def show(post: Post, metrics: WorkerMetrics) -> None:
    """Bring a camera's metrics up to date."""
    camera_id, state = post.camera.id, post.stream.state
    metrics.show_camera(camera_id, post.ledger.counts(), state.state, state.reconnects)
    metrics.show_faults(camera_id, post.pipeline.faults)
    if post.recorder is not None:
        metrics.recording.labels(camera_id).set(post.recorder.trouble is None)
    metrics.show_step(camera_id, post.setting.step)
