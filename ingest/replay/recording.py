"""One recorded file: what it says of itself, and its pictures with their event time, exactly."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

from ingest.attention import Attention
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


@dataclass(frozen=True)
class Segment:
    """A recording and its place in event time."""

    recording: Recording
    begin: Fraction
    """Seconds since 1970, exactly: over many segments nothing is rounded twice."""

    @property
    def end(self) -> Fraction:
        """Where the next one begins, if nothing is missing between them."""
        return self.begin + self.recording.seconds


def examine(path: Path) -> Recording:
    """Look at a file without decoding it."""
    try:
        container = _open(path)
    except SourceError as error:
        return Recording(path, None, Fraction(0), str(error))
    try:
        seconds = container.duration
        return Recording(path, container.frames, Fraction(0) if seconds is None else seconds)
    finally:
        container.close()


def captures(segment: Segment, camera: Camera, attention: Attention) -> Iterator[Capture]:
    """Every picture of a segment in order, and the place of each that cannot be decoded.

    Raises:
        SourceError: it cannot be read, or not to its end.
    """
    container = _open(segment.recording.path, deblocking=camera.deblocking)
    try:
        base, start, seconds = container.time_base, container.start, Fraction(0)
        for decoded in container.decoded(attention, PrivacyMask(camera.masks)):
            if decoded.pts is not None:
                seconds = decoded.pts * base - start
            at = to_time(segment.begin + seconds)
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
