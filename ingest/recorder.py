"""A camera's recorder: its packets as they came, in MP4 segments on the disk.

It runs in the thread that reads the camera and costs it next to nothing: a packet is copied, never decoded
or encoded. Whatever goes wrong with the disk stops the recording, says so, and is tried again; the analysis
goes on.
"""

import shutil
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import structlog

from ingest.packet_tap import TappedPacket
from ingest.pre_roll import PreRoll
from ingest.recording_index import JOIN_SECONDS, Gap, append, entries_of, last_end, segment_path
from ingest.recording_recovery import finish_left
from ingest.segment_writer import SegmentWriter
from safecity.camera import Camera
from safecity.settings import RecordingSettings

RETRY_SECONDS = 10.0
"""A disk that took nothing is tried again after so long."""
LOOK_SECONDS = 5.0
"""Between two looks at how much of the disk is free."""
JUMP_SECONDS = 2.0
"""A step in event time larger than that ends a segment: pictures are missing, or a clock was set."""
DISK_FULL = "disk full"

_FAILURES = (av.error.FFmpegError, OSError, ValueError)
_log = structlog.get_logger()


class DiskFullError(OSError):
    """Less of the disk is free than has to stay free."""


class Recorder:
    """Records one camera as its configuration says: around events, or everything.

    Args:
        camera: its ``recording`` is not off.
        folder: the recorder's.
        settings: of the site.
    """

    def __init__(self, camera: Camera, folder: Path, settings: RecordingSettings) -> None:
        self._camera, self._folder, self._settings = camera, folder, settings
        self._events_only = camera.recording == "events"
        self._pre_roll = PreRoll(camera.pre_roll_seconds)
        self._post_roll = timedelta(seconds=camera.post_roll_seconds)
        self._lock = threading.Lock()
        self._until: datetime | None = None
        self._writer: SegmentWriter | None = None
        self._newest: datetime | None = None
        self._ended: datetime | None = None
        self._why = "worker down"
        self._retry_at = self._look_at = 0.0
        self._begun = False
        self._known_until = datetime.min.replace(tzinfo=UTC)
        self._longest = timedelta(seconds=settings.segment_seconds)
        self.trouble: str | None = None
        """Why nothing is recorded now though it should be; None: nothing is wrong."""
        self.segments = 0
        """Finished so far."""

    def event(self, at: datetime) -> None:
        """An event was decided at the event time ``at``; from any thread."""
        with self._lock:
            until = at + self._post_roll
            self._until = until if self._until is None else max(self._until, until)

    def take(self, tapped: TappedPacket) -> None:
        """See :class:`ingest.packet_tap.PacketTap`."""
        try:
            if self._retry_at and time.monotonic() < self._retry_at:
                return
            self._begin()
            self._check_disk()
            self._record(tapped)
        except _FAILURES as error:
            self._fail(error)

    def away(self, reason: str) -> None:
        """See :class:`ingest.packet_tap.PacketTap`."""
        try:
            if self._wanted_now() and self._writer is None:
                self._flush_pre_roll()
            self._finish(reason)
        except _FAILURES as error:
            self._fail(error)
        self._pre_roll.clear()
        self._newest = None
        self._why = self.trouble or reason

    def _record(self, tapped: TappedPacket) -> None:
        now = tapped.event_time
        if self._newest is not None and abs((now - self._newest).total_seconds()) > JUMP_SECONDS:
            self._finish("pictures missing")
            self._pre_roll.clear()
        self._newest = now
        if self._events_only and not self._wanted_now():
            self._finish("no event")
            self._pre_roll.keep(tapped)
            return
        key = tapped.packet.is_keyframe
        if self._writer is not None and key and now - self._writer.start >= self._longest:
            self._finish(self._why)
        if self._writer is None and self._events_only:
            self._pre_roll.keep(tapped)
            self._flush_pre_roll()
        elif self._writer is not None:
            self._writer.write(tapped)
        elif key:
            self._open(tapped)

    def _wanted_now(self) -> bool:
        if not self._events_only:
            return False
        with self._lock:
            return self._until is not None and self._newest is not None and self._newest <= self._until

    def _flush_pre_roll(self) -> None:
        for tapped in self._pre_roll.take():
            if self._writer is not None:
                self._writer.write(tapped)
            elif tapped.packet.is_keyframe:
                self._open(tapped)

    def _open(self, first: TappedPacket) -> None:
        start = first.event_time
        path = segment_path(self._camera.id, start)
        if start < self._known_until:
            return
        if (self._folder / path).exists():
            # The same footage played again: it is kept once.
            same = (e for e in entries_of(self._folder, self._camera.id, start.date()) if e.start == start)
            self._known_until = max((entry.end for entry in same), default=start)
            return
        self._writer = SegmentWriter(self._folder, path, self._camera, first)
        self._writer.write(first)
        if self._ended is not None and (start - self._ended).total_seconds() > JOIN_SECONDS:
            append(
                self._folder,
                Gap(camera_id=self._camera.id, start=self._ended, end=start, reason=self._why),
            )
        self._why = "pictures missing"
        if self.trouble is not None:
            _log.info("records again", camera_id=self._camera.id)
            self.trouble = None

    def _finish(self, reason: str) -> None:
        """End the open segment, if there is one; until the next the gap has this reason."""
        writer, self._writer = self._writer, None
        if writer is None:
            return
        segment = writer.close()
        append(self._folder, segment)
        writer.settled()
        self._ended, self._why = segment.end, reason
        self.segments += 1

    def _begin(self) -> None:
        """Finish what a killed worker left; at the first packet, and after a failure."""
        if self._begun:
            return
        finish_left(self._folder, self._camera.id)
        self._ended = last_end(self._folder, self._camera.id)
        self._begun = True

    def _check_disk(self) -> None:
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + LOOK_SECONDS
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        free = shutil.disk_usage(self._folder).free
        if free < self._settings.least_free_mb * 1_000_000:
            raise DiskFullError(
                f"{DISK_FULL}: {free / 1e6:.0f} MB free, "
                f"recording.least_free_mb is {self._settings.least_free_mb}"
            )

    def _fail(self, error: Exception) -> None:
        """Stop for a while, loudly. What was written stays."""
        self._retry_at, self._look_at = time.monotonic() + RETRY_SECONDS, 0.0
        writer, self._writer = self._writer, None
        if writer is not None:
            self._close_after(writer)
        self._pre_roll.clear()
        self._begun = False
        said = getattr(error, "strerror", None) or str(error)
        reason = DISK_FULL if isinstance(error, DiskFullError) else f"disk: {said}"
        if self.trouble != reason:
            _log.error(
                "nothing is recorded: free some space or mend the disk; the analysis goes on",
                camera_id=self._camera.id,
                reason=said,
                folder=str(self._folder),
                since=datetime.now(UTC).isoformat(timespec="seconds"),
            )
        self.trouble = self._why = reason

    def _close_after(self, writer: SegmentWriter) -> None:
        try:
            segment = writer.close()
            append(self._folder, segment)
            writer.settled()
        except _FAILURES as error:
            # It is finished from its fragments when the disk takes something again.
            _log.warning("a segment stays open", camera_id=self._camera.id, reason=str(error))
