"""Events of a city that does not exist, as many as are wanted: Gwadar's cameras, a year of them."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any

from command_center.store.schema import to_micros
from safecity.event import Event, Phase, Trace, TrackEvidence
from safecity.message import format_utc

CAMERAS = 675
QUIET_CAMERA, RARE_KIND = "cam-quiet", "tampering"
KINDS = (
    "zone_entered",
    "line_crossed",
    "zone_entered",
    "loitering",
    "line_crossed",
    "zone_entered",
    "zone_entered",
)
"""Their shares; a number that shares no factor with that of the cameras, so that each has every kind."""
RARE_EVERY, QUIET_EVERY = 100_003, 50_021
DAYS = 360
LATENCY = timedelta(milliseconds=350)
_ID, _TIME = "0" * 32, datetime(2000, 1, 1, tzinfo=UTC)


def camera_and_kind(number: int) -> tuple[str, str]:
    """Of the ``number``-th event."""
    camera = QUIET_CAMERA if number % QUIET_EVERY == 7 else f"cam-{number % CAMERAS}"
    return camera, RARE_KIND if number % RARE_EVERY == 11 else KINDS[number % len(KINDS)]


def made_up_event(number: int, at: datetime) -> Event:
    """The ``number``-th event, as a rule would have decided it."""
    camera, kind = camera_and_kind(number)
    return _event(camera, kind, event_id(number), at)


def made_up_trace(at: datetime) -> Trace:
    """What the clock said of an event that was captured at this time."""
    return Trace(
        captured_at=at,
        received_at=at + LATENCY / 4,
        decided_at=at + LATENCY / 2,
        published_at=at + LATENCY,
        worker="bench/0",
    )


def event_id(number: int) -> str:
    """Looks like a derived one: 32 hexadecimal digits without any order."""
    return hashlib.blake2b(number.to_bytes(8, "big"), digest_size=16).hexdigest()


def event_times(count: int, end: datetime) -> Iterator[datetime]:
    """The times of ``count`` events, evenly over the year before ``end``."""
    begin, step = end - timedelta(days=DAYS), timedelta(days=DAYS) / max(count, 1)
    return (begin + number * step for number in range(count))


def made_up_rows(count: int, end: datetime) -> Iterator[tuple[Any, ...]]:
    """Rows for the table of events, in the order of its columns from ``event_id`` on.

    Written from patterns: a million events take seconds, not minutes.
    """
    patterns = {
        (camera, kind): _event(camera, kind, _ID, _TIME).model_dump_json()
        for camera in (*(f"cam-{number}" for number in range(CAMERAS)), QUIET_CAMERA)
        for kind in {*KINDS, RARE_KIND}
    }
    trace, nowhere = made_up_trace(_TIME).model_dump_json(), format_utc(_TIME)
    for number, at in zip(range(count), event_times(count, end), strict=True):
        camera, kind = camera_and_kind(number)
        identity, micros, time = event_id(number), to_micros(at), format_utc(at)
        event = patterns[camera, kind].replace(_ID, identity).replace(nowhere, time)
        stored = micros + LATENCY // timedelta(microseconds=1)
        yield identity, 1, True, camera, kind, micros, stored, 350.0, event, trace.replace(nowhere, time)


def _event(camera: str, kind: str, identity: str, at: datetime) -> Event:
    return Event(
        event_id=identity,
        phase=Phase.CLOSED,
        camera_id=camera,
        kind=kind,
        rule=f"{kind}-rule",
        occurred_at=at,
        opened_at=at,
        closed_at=at,
        tracks=(TrackEvidence(track_id=17, label="person", confidence=0.8, box=(0.4, 0.4, 0.5, 0.7)),),
        zone="yard",
        attributes={"direction": "in"},
        snapshot=f"{identity}-1.jpg",
        config="0123456789abcdef",
    )


def pictures() -> "Iterator[bytes]":
    """JPEGs as workers send them, some 15 kB each, over and over."""
    import cv2
    import numpy as np

    grey = np.random.default_rng(0)
    some = [
        cv2.imencode(".jpg", cv2.resize(grey.integers(0, 255, (36, 64, 3), np.uint8), (640, 360)))[
            1
        ].tobytes()
        for _ in range(8)
    ]
    return cycle(some)
