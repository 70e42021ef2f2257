"""One recorded file: what it says of itself, and its pictures with their event time, exactly."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

from ingest.attention import Attention
from ingest.recorded_times import RecordedTimes
from ingest.snapshots import PrivacyMask
from ingest.sources.base import Capture, SourceError
from ingest.sources.container import VideoContainer
from safecity.camera import Camera

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Recording:
    """What a file says of itself."""

    path: Path
    frames: int | None
    """How many pictures it should have; None: it does not say."""
    seconds: Fraction
    """How long it should be; 0 when it cannot be read."""
    unreadable: str | None = None
    """Why nothing of it can be read."""
    comment: str = ""
    """What its writer noted in it."""


@dataclass(frozen=True)
class Segment:
    """A recording and its place in event time."""

    recording: Recording
    begin: Fraction
    """Seconds since 1970, exactly: over many segments nothing is rounded twice."""
    times: RecordedTimes | None = None
    """Of what the recorder wrote: every picture has the event time that it had when it came."""
    since: datetime | None = None
    """Earlier pictures are not asked for."""
    until: datetime | None = None
    """Nor are these and later ones."""

    @property
    def end(self) -> Fraction:
        """Where the next one begins, if nothing is missing between them."""
        return self.begin + self.recording.seconds

    def holds(self, at: datetime) -> bool:
        """Whether a picture of this event time is asked for."""
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)


def examine(path: Path) -> Recording:
    """Look at a file without decoding it."""
    try:
        container = _open(path)
    except SourceError as error:
        return Recording(path, None, Fraction(0), str(error))
    try:
        seconds = container.duration
        known = Fraction(0) if seconds is None else seconds
        return Recording(path, container.frames, known, comment=container.comment)
    finally:
        container.close()


def captures(segment: Segment, camera: Camera, attention: Attention) -> Iterator[Capture]:
    """Every picture of a segment in order, and the place of each that cannot be decoded.

    Raises:
        SourceError: it cannot be read, or not to its end.
    """
    container = _open(segment.recording.path, deblocking=camera.deblocking)
    try:
        base, start, at = container.time_base, container.start, to_time(segment.begin)
        for decoded in container.decoded(attention, PrivacyMask(camera.masks)):
            if decoded.pts is not None and segment.times is not None:
                at = segment.times.event_time(decoded.pts, base)
            elif decoded.pts is not None:
                at = to_time(segment.begin + decoded.pts * base - start)
            yield Capture(decoded.picture, at, at, decoded.unseen, decoded.late)
    finally:
        container.close()


def to_time(seconds: Fraction) -> datetime:
    """Seconds since 1970 to the nearest microsecond."""
    return EPOCH + round(seconds * 1_000_000) * MICROSECOND


def to_seconds(time: datetime) -> Fraction:
    """An aware time as seconds since 1970, exactly."""
    return Fraction((time - EPOCH) // MICROSECOND, 1_000_000)


def _open(path: Path, *, deblocking: bool = True) -> VideoContainer:
    if path.stat().st_size == 0:
        raise SourceError("it is empty")
    return VideoContainer(str(path.resolve()), {"protocol_whitelist": "file"}, deblocking=deblocking)
