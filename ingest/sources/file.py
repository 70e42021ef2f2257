"""Recordings: once or for ever in real time, like a camera, or once as fast as they can be analysed."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote, urlsplit

from ingest.attention import Attention
from ingest.decoder import Decoded, VideoPacket
from ingest.packet_tap import Anchor, PacketTap, tapped
from ingest.recorded_times import RecordedTimes
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
        attention: how much has to be decoded.
        tap: gets the packets as they are.
    """

    def __init__(
        self,
        camera: Camera,
        stopping: threading.Event,
        attention: Attention,
        tap: PacketTap | None = None,
    ) -> None:
        self._camera, self._tap = camera, tap
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
        times = RecordedTimes.from_comment(self._container.comment)
        if times is not None and self._camera.start_time is None:
            yield from self._as_when_it_came(times)
            return
        begin = begin_of(self._camera, self._container)
        for decoded, seconds in self._timed(self._camera.start_offset_seconds, begin):
            yield _capture(decoded, begin + timedelta(seconds=seconds))

    def _as_when_it_came(self, times: RecordedTimes) -> Iterator[Capture]:
        """A recording of our own: every picture at the event time that it had in the stream."""
        base = self._container.time_base
        begin = at = times.event_time(round(self._container.start_seconds / base), base)
        for decoded, _ in self._timed(self._camera.start_offset_seconds, begin):
            if decoded.pts is not None:
                at = times.event_time(decoded.pts, base)
            yield _capture(decoded, at)

    def _in_real_time(self, *, repeat: bool) -> Iterator[Capture]:
        begin, anchor = datetime.now(UTC), time.monotonic()
        offset, passed = self._camera.start_offset_seconds, 0.0
        while True:
            came, first, last, spacing = False, passed, passed, 0.0
            for decoded, seconds in self._timed(offset, begin + timedelta(seconds=first - offset)):
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

    def _timed(self, offset: float, begin: datetime) -> Iterator[tuple[Decoded, float]]:
        """What becomes of the packets, with their seconds from the file's beginning, from ``offset`` on.

        ``begin`` is the event time of the file's beginning.
        """
        if offset > 0:
            self._container.seek(offset)
        base, start, seconds = float(self._container.time_base), self._container.start_seconds, offset
        on_packet = self._tapping(Anchor(begin, start))
        for decoded in self._container.decoded(self._attention, self._mask, on_packet):
            if decoded.pts is not None:
                seconds = decoded.pts * base - start
            if seconds >= offset - 1e-6:
                yield decoded, seconds

    def _tapping(self, anchor: Anchor) -> Callable[[VideoPacket], None] | None:
        tap, base = self._tap, self._container.time_base
        if tap is None:
            return None

        def on_packet(packet: VideoPacket) -> None:
            if (with_times := tapped(packet, base, anchor)) is not None:
                tap.take(with_times)

        return on_packet


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
