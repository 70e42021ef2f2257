"""Messages as workers send them."""

import hashlib
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np

from safecity.bus.port import Producer
from safecity.cloudevents import event_headers
from safecity.event import Event, Phase, Trace, TrackEvidence
from safecity.status import CameraState, LedgerCounts, Status

BEGIN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BOX = (0.4, 0.4, 0.5, 0.7)


def make_event(
    number: int,
    *,
    revision: int = 1,
    camera_id: str = "cam-1",
    kind: str = "zone_entered",
    at: int | None = None,
) -> Event:
    """The ``number``-th event: a second after the one before, unless ``at`` says which second."""
    event_id = hashlib.sha256(f"{camera_id} {number}".encode()).hexdigest()[:32]
    time = BEGIN + timedelta(seconds=number if at is None else at)
    return Event(
        event_id=event_id,
        revision=revision,
        phase=Phase.CLOSED,
        camera_id=camera_id,
        kind=kind,
        rule=f"{kind}-rule",
        occurred_at=time,
        opened_at=time,
        tracks=(TrackEvidence(track_id=number, label="person", confidence=0.8, box=BOX),),
        zone="yard",
        snapshot=f"{event_id}-{revision}.jpg",
        config="0123456789abcdef",
    )


def make_life(number: int, seconds: int = 8) -> tuple[Event, Event, Event]:
    """An event that is opened, updated, and closed after ``seconds``."""
    first = make_event(number).model_copy(update={"phase": Phase.OPENED})
    more = first.model_copy(update={"phase": Phase.UPDATED, "revision": 2})
    end = BEGIN + timedelta(seconds=number + seconds)
    last = {"phase": Phase.CLOSED, "revision": 3, "occurred_at": end, "closed_at": end}
    return first, more, first.model_copy(update=last)


def make_trace() -> Trace:
    now = datetime.now(UTC)
    return Trace(captured_at=now, received_at=now, decided_at=now, worker="test/0")


def make_status(camera_id: str = "cam-1", state: CameraState = CameraState.LIVE, **more: object) -> Status:
    now = datetime.now(UTC)
    ledger = LedgerCounts(received=10, analysed=4, sampled_out=6)
    return Status(
        camera_id=camera_id, worker="test/0", reported_at=now, state=state, since=now, ledger=ledger, **more
    )


def make_picture() -> bytes:
    shade = np.linspace(0, 255, 320, dtype=np.uint8)
    return cv2.imencode(".jpg", np.dstack([np.tile(shade, (240, 1))] * 3))[1].tobytes()


def publish_event(producer: Producer, event: Event, picture: bytes | None = None) -> None:
    """As a worker does: the picture first."""
    if picture is not None:
        headers = (("event-id", event.event_id.encode()), ("media-name", event.snapshot.encode()))
        producer.publish("snapshots", key=event.camera_id, value=picture, headers=headers)
    headers = event_headers(event, make_trace())
    producer.publish("events", key=event.camera_id, value=event.to_bytes(), headers=headers)


def publish_status(producer: Producer, status: Status) -> None:
    producer.publish("status", key=status.camera_id, value=status.to_bytes())
