"""One sample of each message of this release, every field filled in: what later releases must still read.

``generate.py`` writes them to ``tests/safecity/samples/v<version>``. Those of a version that has been
released stay as they are; a change to a message that shows in them comes with a new version of the package.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from safecity.cloudevents import event_headers, replayed_headers
from safecity.event import Event, Phase, Severity, Trace, TrackEvidence, derive_event_id
from safecity.message import Message
from safecity.observation import Change, Observation, TrackState
from safecity.status import OUTCOMES, CameraState, CameraStep, LedgerCounts, Status

CAMERA = "gate-1"
BEGIN = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
BOX = (0.125, 0.25, 0.375, 0.75)

Headers = Sequence[tuple[str, bytes]]


def samples() -> Iterator[tuple[str, str]]:
    """Name and text of each file: topic, key, headers and value of one record."""
    opened, closed, moment = _opened(), _closed(), _moment()
    yield "event-opened", _record("events", opened, event_headers(opened, _trace()))
    yield "event-closed", _record("events", closed, event_headers(closed, _trace()))
    yield "event-moment", _record("events", moment, event_headers(moment, _trace()))
    yield "event-replayed", _record("replays", moment, replayed_headers(moment, "night-1"))
    yield "observation", _record("observations", _observation(), ())
    yield "status", _record("status", _status(), ())


def _record(topic: str, value: Message, headers: Headers) -> str:
    document: dict[str, Any] = {
        "topic": topic,
        "key": CAMERA,
        "headers": [[name, content.decode()] for name, content in headers],
        "value": json.loads(value.to_bytes()),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _opened() -> Event:
    event_id = derive_event_id(CAMERA, "loitering-at-gate", "0123456789abcdef", BEGIN, 7)
    return Event(
        event_id=event_id,
        revision=1,
        phase=Phase.OPENED,
        camera_id=CAMERA,
        kind="loitering",
        rule="loitering-at-gate",
        severity=Severity.HIGH,
        occurred_at=BEGIN,
        opened_at=BEGIN,
        tracks=(TrackEvidence(track_id=7, label="person", confidence=0.8125, box=BOX),),
        zone="gate",
        box=BOX,
        attributes={"dwell_seconds": 30.5, "count": 2, "direction": "in", "alone": True},
        snapshot=f"{event_id}-1.jpg",
        config="0123456789abcdef",
    )


def _closed() -> Event:
    end = BEGIN + timedelta(seconds=42)
    later = {"phase": Phase.CLOSED, "revision": 3, "occurred_at": end, "closed_at": end}
    return _opened().model_copy(update=later)


def _moment() -> Event:
    return Event(
        event_id=derive_event_id(CAMERA, "over-the-line", "0123456789abcdef", BEGIN, 8),
        phase=Phase.CLOSED,
        camera_id=CAMERA,
        kind="line_crossed",
        rule="over-the-line",
        occurred_at=BEGIN,
        opened_at=BEGIN,
        closed_at=BEGIN,
        line="kerb",
        config="0123456789abcdef",
    )


def _trace() -> Trace:
    return Trace(
        captured_at=BEGIN,
        received_at=BEGIN + timedelta(milliseconds=40),
        decided_at=BEGIN + timedelta(milliseconds=90),
        published_at=BEGIN + timedelta(milliseconds=95),
        worker="edge-1/0",
        epoch=3,
    )


def _observation() -> Observation:
    track = TrackState(
        track_id=7,
        label="person",
        confidence=0.8125,
        box=BOX,
        velocity=(0.03125, -0.5),
        stationary=True,
        age_seconds=12.5,
    )
    return Observation(
        camera_id=CAMERA,
        captured_at=BEGIN,
        frame_index=4711,
        width=1280,
        height=720,
        inferred=False,
        tracks=(track,),
        changes=(Change(box=BOX, since_seconds=61.0, kind="appeared"),),
    )


def _status() -> Status:
    counts = {outcome: number for number, outcome in enumerate(OUTCOMES, 1)}
    return Status(
        camera_id=CAMERA,
        worker="edge-1/0",
        reported_at=BEGIN,
        state=CameraState.LIVE,
        reason="the main stream is down; pictures come from the substream",
        since=BEGIN - timedelta(hours=2),
        width=1280,
        height=720,
        codec="h264",
        last_frame_at=BEGIN - timedelta(milliseconds=80),
        reconnects=2,
        events_decided=5,
        faults=("camera_blurred",),
        step=CameraStep.HALF_RATE,
        analysed_fps=2.5,
        decode="on_demand",
        ledger=LedgerCounts(received=sum(counts.values()) + 1, in_flight=1, **counts),
        epoch=1_772_366_400_000,
        config="0123456789abcdef",
        cost_cores=0.21,
        outbox_pending=12,
    )
