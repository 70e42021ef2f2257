"""What the trackers know, kept on disk over a restart: a parked car stays the same car, no id is given twice.

One small file a camera, beside the outbox. Boxes and numbers only: no colours, no pictures. Recordings are
left out: read again, they must give the same events again.
"""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import structlog
from pydantic import BaseModel, ConfigDict

from ingest.pipeline import CameraPipeline
from safecity.camera import Camera
from safecity.message import UtcTime

KEEP_SECONDS = 5.0
SKIPPED_IDS = 1000
"""More than a camera gives out in KEEP_SECONDS: left out after a kill, which keeps nothing at the end."""

_log = structlog.get_logger()


class KeptTracks(BaseModel):
    """One camera's file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    captured_at: UtcTime
    """Event time of the last frame that is in it."""
    complete: bool
    """Kept at the end: nothing came after it."""
    tracker: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """What was kept; None when there is nothing.

        Raises:
            ValueError: the file is none of ours.
            OSError: it cannot be read.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None


class TrackMemory:
    """Keeps what the pipelines of a shard know.

    Args:
        folder: the files' folder; made when missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._due = 0.0
        self._ids: dict[str, int] = {}

    def recall(self, camera: Camera, pipeline: CameraPipeline) -> None:
        """Give a new pipeline what was kept of its camera. A file that cannot be used is reported."""
        if _is_recording(camera):
            return
        path = self._path(camera)
        try:
            kept = KeptTracks.read(path)
            if kept is not None:
                skipped = 0 if kept.complete else SKIPPED_IDS
                pipeline.restore_tracks(kept.captured_at, kept.tracker, skipped)
                # From now on ids are given out that the file does not know.
                tracker = {**kept.tracker, "next_id": kept.tracker["next_id"] + skipped}
                self._write(camera, kept.model_copy(update={"complete": False, "tracker": tracker}))
        except (ValueError, OSError) as error:
            _log.warning(
                "tracks could not be restored", camera_id=camera.id, file=str(path), error=str(error)
            )

    def keep(self, cameras: Iterable[tuple[Camera, CameraPipeline]], *, complete: bool = False) -> None:
        """Write what has changed, every KEEP_SECONDS and when it is ``complete``: the worker is to end."""
        if not complete and time.monotonic() < self._due:
            return
        self._due = time.monotonic() + KEEP_SECONDS
        for camera, pipeline in cameras:
            known = pipeline.tracks()
            if known is not None and not _is_recording(camera):
                self._write(camera, KeptTracks(captured_at=known[0], complete=complete, tracker=known[1]))

    def _write(self, camera: Camera, kept: KeptTracks) -> None:
        path = self._path(camera)
        idle = not kept.tracker["targets"] and kept.tracker["next_id"] == self._ids.get(camera.id)
        if idle and not kept.complete:
            return
        half = path.with_suffix(".part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            half.write_text(kept.model_dump_json(), encoding="utf-8")
            half.replace(path)
        except OSError as error:
            _log.warning("tracks could not be kept", camera_id=camera.id, file=str(path), error=str(error))
        else:
            self._ids[camera.id] = kept.tracker["next_id"]

    def _path(self, camera: Camera) -> Path:
        return self._folder / f"{camera.id}.json"


def _is_recording(camera: Camera) -> bool:
    return camera.url.startswith("file:")
