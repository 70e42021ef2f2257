"""Recordings: once or for ever in real time, like a camera, or once as fast as they can be analysed."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote, urlsplit

from ingest.attention import Attention
from ingest.decoder import Decoded
from ingest.snapshots import PrivacyMask
from ingest.sources.base import Capture, SourceError
from ingest.sources.container import VideoContainer
from safecity.camera import Camera

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class FileSource:
    """A video file.

    Args:
        camera: its source is a ``file://`` URL; ``playback`` says how it is read.
        stopping: ends a wait for the next picture's time.
    """

    def __init__(self, camera: Camera, stopping: threading.Event, attention: Attention) -> None:
        self._camera = camera
        self._attention, self._mask = attention, PrivacyMask(camera.masks)
        self._stopping = stopping
        options = {"protocol_whitelist": "file"}
        self._container = VideoContainer(path_of(camera), options, deblocking=camera.deblocking)
        self.codec = self._container.codec

    def captures(self) -> Iterator[Capture]:
        """See :class:`ingest.sources.base.Source`."""
        if self._camera.playback == "fast":
            yield from self._as_recorded()
        else:
            yield from self._in_real_time(repeat=self._camera.playback == "loop")

    def close(self) -> None:
        """See :class:`ingest.sources.base.Source`."""
        self._container.close()

    def _as_recorded(self) -> Iterator[Capture]:
        begin = begin_of(self._camera, self._container)
        for decoded, seconds in self._timed(self._camera.start_offset_seconds):
            yield _capture(decoded, begin + timedelta(seconds=seconds))

    def _in_real_time(self, *, repeat: bool) -> Iterator[Capture]:
        begin, anchor = datetime.now(UTC), time.monotonic()
        offset, passed = self._camera.start_offset_seconds, 0.0
        while True:
            came, first, last, spacing = False, passed, passed, 0.0
            for decoded, seconds in self._timed(offset):
                due = first + seconds - offset
                if self._stopping.wait(max(0.0, anchor + due - time.monotonic())):
                    return
                spacing = due - last if due > last else spacing
                came, last = True, due
                yield _capture(decoded, begin + timedelta(seconds=due))
            if not came:
                raise SourceError(f"the recording has no picture after {offset:g} s")
            if not repeat:
                return
            offset, passed = 0.0, last + (spacing or 0.04)
            self._container.seek(0.0)

    def _timed(self, offset: float) -> Iterator[tuple[Decoded, float]]:
        """What becomes of the packets, with their seconds from the file's beginning, from ``offset`` on."""
        if offset > 0:
            self._container.seek(offset)
        base, start, seconds = float(self._container.time_base), self._container.start_seconds, offset
        for decoded in self._container.decoded(self._attention, self._mask):
            if decoded.pts is not None:
                seconds = decoded.pts * base - start
            if seconds >= offset - 1e-6:
                yield decoded, seconds


def path_of(camera: Camera) -> str:
    """Where a camera's recording lies."""
    return unquote(urlsplit(camera.url).path)


def begin_of(camera: Camera, recording: VideoContainer) -> datetime:
    """Event time of the first frame of a recording that is played fast."""
    return camera.start_time or _parse(recording.creation_time) or EPOCH


def _capture(decoded: Decoded, captured_at: datetime) -> Capture:
    return Capture(
        decoded.picture, captured_at, datetime.now(UTC), decoded.unseen, decoded.late, decoded.packet
    )


def _parse(creation_time: str | None) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(creation_time or "")
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
