"""What scripted cameras do and when: the schedule and the messages of a city that nobody films. Pure."""

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from safecity.event import Event, Phase, TrackEvidence, derive_event_id
from safecity.message import Box
from safecity.observation import Observation, TrackState
from safecity.status import CameraState, LedgerCounts, Status

LIFE_SECONDS = 8.0
"""From the opening to the closing of an event that has a life; every second one has."""
GOLDEN = (math.sqrt(5) - 1) / 2
CONFIG = "51a0cafe51a0cafe"
WIDTH, HEIGHT, FPS = 1280, 720, 25
STEPS = 250
"""After so many observations the walkers begin again."""
KINDS = ("zone_entered", "line_crossed", "loitering", "crowding", "wrong_way")
LABELS = ("person", "car", "person", "bicycle")


@dataclass(frozen=True)
class Rates:
    """How much a camera has to say."""

    observations_per_second: float = 5.0
    status_seconds: float = 5.0
    events_per_minute: float = 1.0
    """Every second one is a moment, one message; the others are opened and closed, two."""
    picture_share: float = 1.0
    """Of the events that have a picture."""
    tracks: int = 3
    """In an observation, on average."""


class Act(StrEnum):
    """What is due."""

    OBSERVE = "observe"
    REPORT = "report"
    OPEN = "open"
    CLOSE = "close"


class Due(NamedTuple):
    """Something that a camera does at a time."""

    at: float
    """Seconds since 1970."""
    camera: int
    """Its number."""
    act: Act
    ordinal: int
    """How many of its kind this camera had before."""


class Script:
    """The schedule of some cameras: even, and out of step with each other.

    Args:
        cameras: their numbers.
        rates: how much each has to say.
        begin: when it starts, seconds since 1970.
    """

    def __init__(self, cameras: Sequence[int], rates: Rates, begin: float) -> None:
        self._periods = {
            Act.OBSERVE: _period(rates.observations_per_second),
            Act.REPORT: rates.status_seconds,
            Act.OPEN: _period(rates.events_per_minute / 60),
        }
        self._queue = [
            Due(begin + (camera * GOLDEN) % 1.0 * period, camera, act, 0)
            for camera in cameras
            for act, period in self._periods.items()
            if period < math.inf
        ]
        heapq.heapify(self._queue)

    def until(self, time: float) -> Iterator[Due]:
        """What is due up to ``time``, in order; each once."""
        while self._queue and self._queue[0].at <= time:
            due = self._queue[0]
            if due.act is Act.CLOSE:
                heapq.heappop(self._queue)
            else:
                after = Due(due.at + self._periods[due.act], due.camera, due.act, due.ordinal + 1)
                heapq.heapreplace(self._queue, after)
                if due.act is Act.OPEN and has_life(due.ordinal):
                    closing = Due(due.at + LIFE_SECONDS, due.camera, Act.CLOSE, due.ordinal)
                    heapq.heappush(self._queue, closing)
            yield due

    @property
    def next_at(self) -> float:
        """When the next thing is due; infinity when there is none."""
        return self._queue[0].at if self._queue else math.inf


def camera_name(number: int) -> str:
    """The id of a camera."""
    return f"cam-{number:05d}"


def has_life(ordinal: int) -> bool:
    """Whether an event is opened and closed, rather than a moment."""
    return ordinal % 2 == 1


def has_picture(ordinal: int, share: float) -> bool:
    """Whether an event has a picture: so many of any row of them as ``share`` says."""
    return math.floor((ordinal + 1) * share) > math.floor(ordinal * share)


def observation_of(due: Due, rates: Rates) -> Observation:
    """One analysed frame: between none and twice as many tracks as on average, walking."""
    count = (due.ordinal // 25 + due.camera) % (2 * rates.tracks + 1)
    return Observation(
        camera_id=camera_name(due.camera),
        captured_at=_time(due.at),
        frame_index=round(due.ordinal * FPS / max(rates.observations_per_second, 1e-9)),
        width=WIDTH,
        height=HEIGHT,
        inferred=count > 0,
        tracks=tuple(_track(number, due.ordinal % STEPS) for number in range(count)),
    )


def status_of(due: Due, rates: Rates, worker: str, pending: int) -> Status:
    """How the camera fares: live, with a ledger that adds up."""
    seconds = int(due.ordinal * rates.status_seconds)
    analysed = round(seconds * rates.observations_per_second)
    received = max(seconds * FPS, analysed)
    now = _time(due.at)
    return Status(
        camera_id=camera_name(due.camera),
        worker=worker,
        reported_at=now,
        state=CameraState.LIVE,
        since=now - timedelta(seconds=seconds),
        width=WIDTH,
        height=HEIGHT,
        codec="h264",
        last_frame_at=now,
        analysed_fps=rates.observations_per_second,
        decode="full",
        ledger=LedgerCounts(received=received, analysed=analysed, sampled_out=received - analysed),
        outbox_pending=pending,
    )


def event_of(due: Due, rates: Rates) -> Event:
    """The revision of an event that is due: a moment, an opening, or the closing of one."""
    kind = KINDS[(due.ordinal + due.camera) % len(KINDS)]
    life, closing = has_life(due.ordinal), due.act is Act.CLOSE
    now = _time(due.at)
    opened = now - timedelta(seconds=LIFE_SECONDS) if closing else now
    camera_id = camera_name(due.camera)
    # By ordinal, not by time: an id may not hang on how a sum of floats is rounded.
    event_id = derive_event_id(camera_id, f"{kind}-{due.ordinal}", CONFIG, _time(0.0), due.ordinal)
    revision = 2 if closing else 1
    pictured = revision == 1 and has_picture(due.ordinal, rates.picture_share)
    return Event(
        event_id=event_id,
        revision=revision,
        phase=Phase.OPENED if life and not closing else Phase.CLOSED,
        camera_id=camera_id,
        kind=kind,
        rule=f"{kind}-rule",
        occurred_at=now,
        opened_at=opened,
        closed_at=now if closing or not life else None,
        tracks=(TrackEvidence(track_id=due.ordinal, label="person", confidence=0.81, box=_box(0, due.at)),),
        zone="yard",
        attributes={"dwell_seconds": LIFE_SECONDS} if closing else {},
        snapshot=f"{event_id}-{revision}.jpg" if pictured else None,
        config=CONFIG,
    )


@cache
def _track(number: int, step: int) -> TrackState:
    # The same for all cameras: what is simulated is what is sent, not what it costs to make it up.
    seconds = 0.2 * step
    return TrackState(
        track_id=number,
        label=LABELS[number % len(LABELS)],
        confidence=0.62 + 0.03 * (number % 10),
        box=_box(number, seconds),
        velocity=(0.0123, 0.0045),
        age_seconds=seconds,
    )


def _box(number: int, seconds: float) -> Box:
    x = 0.4 + 0.35 * math.sin(0.2 * seconds + number)
    y = 0.4 + 0.25 * math.cos(0.13 * seconds + 2 * number)
    return (x, y, x + 0.05, y + 0.14)


def _period(rate: float) -> float:
    return 1.0 / rate if rate > 0 else math.inf


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
