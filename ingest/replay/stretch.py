"""One stretch of footage through one camera's analysis: what is told of each picture, and of each file."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from detectors.detector import Detector
from ingest.attention import Attention, DecodePolicy
from ingest.ledger import Ledger
from ingest.pipeline import Analysis
from ingest.replay.analysis import RecordedCamera
from ingest.replay.recording import Segment, captures, to_time
from ingest.sources.base import SourceError
from safecity.camera import Camera
from safecity.event import Event
from safecity.message import format_utc
from safecity.settings import DetectorSettings

Key = tuple[str, str, int]
"""Order of events in a file: event time, event id, revision."""


@dataclass(frozen=True)
class Job:
    """What every process has to know."""

    camera: Camera
    detector: DetectorSettings
    stretches: tuple[tuple[Segment, ...], ...]
    speed: float | None = None
    """Times real time at the most; None: as fast as it goes."""
    pictures: bool = False
    """Whether the events' pictures are wanted."""
    observations: bool = False
    """Whether the observations are wanted."""


@dataclass(frozen=True)
class ToldEvent:
    """One revision of an event."""

    key: Key
    value: bytes
    """Canonical JSON."""
    picture: tuple[str, bytes] | None = None
    """Name and JPEG."""


@dataclass(frozen=True)
class Looked:
    """What came of one picture that was looked at."""

    seconds: float
    """Footage since the picture before."""
    events: tuple[ToldEvent, ...]
    observation: bytes | None


@dataclass(frozen=True)
class FileRead:
    """What was read of a file, and what not."""

    path: str
    begin: str
    seconds: float
    """As the file says."""
    read_seconds: float
    """To the last picture."""
    frames_said: int | None
    frames: int
    """That came, corrupt ones included."""
    corrupt: int
    left_out: int
    """Of these pictures, those outside the times that were asked for."""
    analysed: int
    reason: str | None
    """Why it was not read to its end."""

    @property
    def complete(self) -> bool:
        """All that the file says it has was read."""
        return self.reason is None and self.corrupt == 0


Step = Looked | FileRead


def told(event: Event, picture: tuple[str, bytes] | None = None) -> ToldEvent:
    """An event as it is written."""
    return ToldEvent(event_key(event), event.to_bytes(), picture)


def event_key(event: Event) -> Key:
    """Where an event stands in a file."""
    return format_utc(event.occurred_at), event.event_id, event.revision


def run_stretch(job: Job, stretch: Sequence[Segment], detector: Detector) -> Iterator[Step]:
    """Replay one stretch; the state of gate, tracker and rules goes on from file to file."""
    ledger, attention = Ledger(), Attention(DecodePolicy.FULL)
    recorded = RecordedCamera(
        job.camera, detector, ledger, attention, start_confidence=job.detector.confidence
    )
    pace = _Pace(job.speed)
    for segment in stretch:
        yield from _run_segment(job, segment, recorded, ledger, attention, pace)


def _run_segment(
    job: Job,
    segment: Segment,
    recorded: RecordedCamera,
    ledger: Ledger,
    attention: Attention,
    pace: "_Pace",
) -> Iterator[Step]:
    before, reason, left_out = ledger.counts(), segment.recording.unreadable, 0
    begin = last = shown = _first_second(segment)
    try:
        for capture in captures(segment, job.camera, attention) if reason is None else ():
            if not segment.holds(capture.captured_at):
                left_out += 1
                continue
            last = capture.captured_at.timestamp()
            pace.wait(last)
            analysis = recorded.take(capture)
            if analysis is not None:
                yield _looked(job, analysis, last - shown)
                shown = last
    except SourceError as error:
        reason = str(error)
    counts = ledger.counts()
    frames, said = counts.received - before.received + left_out, segment.recording.frames
    if reason is None and frames == 0:
        reason = "there is no picture in it"
    elif reason is None and said is not None and frames < said:
        reason = f"it ends after {frames} of {said} pictures"
    yield FileRead(
        path=str(segment.recording.path),
        begin=format_utc(to_time(segment.begin)),
        seconds=float(segment.recording.seconds),
        read_seconds=last - begin,
        frames_said=said,
        frames=frames,
        corrupt=counts.corrupt - before.corrupt,
        left_out=left_out,
        analysed=counts.analysed + counts.still - before.analysed - before.still,
        reason=reason,
    )


def _first_second(segment: Segment) -> float:
    """Event time of the first picture that is asked for, seconds since 1970."""
    begin = float(segment.begin)
    return begin if segment.since is None else max(begin, segment.since.timestamp())


def _looked(job: Job, analysis: Analysis, seconds: float) -> Looked:
    events = []
    for decision in analysis.decisions:
        event, picture = decision.event, decision.picture
        named = None
        if job.pictures and picture is not None and event.snapshot is not None:
            named = event.snapshot, picture
        events.append(told(event, named))
    return Looked(seconds, tuple(events), analysis.observation.to_bytes() if job.observations else None)


class _Pace:
    """Keeps to a speed; over a gap it does not wait."""

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._due = time.monotonic()
        self._last: float | None = None

    def wait(self, seconds: float) -> None:
        """Until the picture of event time ``seconds`` is due."""
        if self._speed is None:
            return
        step = 0.0 if self._last is None else seconds - self._last
        self._last = seconds
        self._due += min(max(step, 0.0), 1.0) / self._speed
        time.sleep(max(0.0, self._due - time.monotonic()))
