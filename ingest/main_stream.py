"""A camera's main stream beside its substream: never decoded, but for the picture of an event."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import structlog
from av.video.frame import VideoFrame

from ingest.attention import Attention, DecodePolicy
from ingest.backoff import Backoff
from ingest.held_packets import HeldPackets, decode_nearest
from ingest.snapshots import PrivacyMask
from ingest.sources import open_source
from ingest.sources.base import SourceError
from ingest.sources.container import VideoContainer
from ingest.sources.file import begin_of, path_of
from safecity.camera import Camera
from safecity.redaction import redact

TOLERANCE_SECONDS = 0.5
"""A picture of the main stream further from the event is not that event's picture."""
STABLE_SECONDS = 5.0

_log = structlog.get_logger()


@dataclass(frozen=True)
class MainPicture:
    """A picture of the main stream."""

    picture: VideoFrame
    captured_at: datetime
    """Event time, UTC."""


class MainPictures(Protocol):
    """Gives pictures of the main stream, by event time."""

    def nearest(self, when: datetime) -> MainPicture | None:
        """The picture nearest to ``when``; None when there is none within the tolerance."""
        ...


class MainStream:
    """Reads a camera's main stream in a thread of its own and holds its newest packets.

    Args:
        camera: its ``source`` is read.
        allowed_networks: CIDR; a camera elsewhere is not opened.
        read_timeout: seconds of silence after which it is opened again.
        backoff: how long to wait before it is opened again.
    """

    def __init__(
        self,
        camera: Camera,
        *,
        allowed_networks: Sequence[str],
        read_timeout: float,
        backoff: Backoff | None = None,
    ) -> None:
        self._camera = camera
        self._allowed_networks = allowed_networks
        self._read_timeout = read_timeout
        self._backoff = backoff or Backoff()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._held = HeldPackets()
        self._trouble: str | None = None
        self._cpu_seconds = 0.0
        self._thread = threading.Thread(target=self._run, name=f"main stream {camera.id}", daemon=True)

    @property
    def trouble(self) -> str | None:
        """Why it is down, for people; None while it is not."""
        return self._trouble

    @property
    def cpu_seconds(self) -> float:
        """CPU time that reading it has cost."""
        return self._cpu_seconds

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._thread.is_alive()

    def request_stop(self) -> None:
        """Say that it is to end; returns at once."""
        self._stopping.set()

    def stop(self, timeout: float) -> None:
        """End it, and wait up to ``timeout`` seconds for that."""
        self.request_stop()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def nearest(self, when: datetime) -> MainPicture | None:
        """See :class:`MainPictures`. Decodes in the caller's thread, from the last key frame on."""
        with self._lock:
            packets = self._held.group_of(when.timestamp())
        return _within(decode_nearest(packets, when.timestamp()), when)

    def _run(self) -> None:
        while not self._stopping.is_set():
            opened_at = time.monotonic()
            try:
                self._read()
                # Only a recording ends without an error, and its last packets may still be wanted.
                return
            except SourceError as error:
                reason = redact(error)
            except Exception as error:  # noqa: BLE001  whatever it is, the stream is tried again
                _log.error("a main stream's reader failed", camera_id=self._camera.id, exc_info=error)
                reason = f"{type(error).__name__} in its reader; the log says more"
            if self._stopping.is_set():
                return
            self._lose(reason)
            if time.monotonic() - opened_at > STABLE_SECONDS:
                self._backoff.reset()
            self._stopping.wait(self._backoff.next_wait())

    def _lose(self, reason: str) -> None:
        with self._lock:
            self._held.clear()
        if reason != self._trouble:
            _log.warning("main stream down", camera_id=self._camera.id, reason=reason)
        self._trouble = reason

    def _read(self) -> None:
        attention = Attention(DecodePolicy.NONE)
        source = open_source(
            self._camera, self._allowed_networks, self._read_timeout, self._stopping, attention
        )
        try:
            for capture in source.captures():
                if self._stopping.is_set():
                    return
                if capture.packet is not None:
                    with self._lock:
                        self._held.add(capture.packet, capture.captured_at.timestamp())
                    self._trouble = None
                self._cpu_seconds = time.thread_time()
        finally:
            source.close()


class MainRecording:
    """A main stream that is a recording played fast: it is sought in, so the picture is always the same.

    Args:
        camera: its ``source`` is the recording.
    """

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._mask = PrivacyMask(camera.masks)

    def nearest(self, when: datetime) -> MainPicture | None:
        """See :class:`MainPictures`."""
        try:
            container = VideoContainer(path_of(self._camera), {"protocol_whitelist": "file"})
        except SourceError:
            return None
        try:
            return _within(self._search(container, when), when)
        except SourceError:
            return None
        finally:
            container.close()

    def _search(self, container: VideoContainer, when: datetime) -> tuple[VideoFrame, float] | None:
        wanted = when.timestamp()
        begin = begin_of(self._camera, container).timestamp() - container.start_seconds
        container.seek(max(0.0, wanted - begin))
        best: tuple[VideoFrame, float] | None = None
        for decoded in container.decoded(Attention(), self._mask):
            if decoded.picture is None or decoded.pts is None:
                continue
            at = begin + decoded.pts * float(container.time_base)
            if best is None or abs(at - wanted) <= abs(best[1] - wanted):
                best = decoded.picture, at
            if at >= wanted:
                break
        return best


def _within(found: tuple[VideoFrame, float] | None, when: datetime) -> MainPicture | None:
    if found is None or abs(found[1] - when.timestamp()) > TOLERANCE_SECONDS:
        return None
    return MainPicture(found[0], datetime.fromtimestamp(found[1], UTC))
