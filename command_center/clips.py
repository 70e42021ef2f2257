"""Clips of events, cut from the workers' recordings by a program of its own.

The centre loads no video library: what came from a camera is never parsed in the process that holds the
store. So ``safecity recordings export`` does it, and its answer is kept beside the clip.
"""

import hashlib
import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from command_center.known_cameras import KnownCameras
from command_center.media import delete_older_than
from safecity.event import Event
from safecity.message import format_utc
from safecity.redaction import redact
from safecity.settings import Site

SECONDS = 120.0
"""Time to cut one clip in; a masked one is encoded."""
LONGEST = timedelta(minutes=5)
AT_ONCE = 2
PARTIAL_SECONDS = 60.0
"""A clip with something missing is cut anew after so long: it may have been recorded since."""


class NoClipError(Exception):
    """There is no clip; the message says why."""


@dataclass(frozen=True)
class StoredClip:
    """A clip as a file."""

    path: Path
    codec: str
    masked: bool
    plays_in_browsers: bool
    start: str
    """Event time of its first picture, RFC 3339."""
    seconds: float
    gaps: tuple[str, ...]


class Clips:
    """Cuts clips when somebody asks for them, and keeps them.

    Args:
        site: says where recordings are.
        cameras: say what is masked.
        folder: where clips are kept.
    """

    def __init__(self, site: Site, cameras: KnownCameras, folder: Path) -> None:
        self._cameras, self._folder = cameras, folder
        self._recordings = site.centre_recordings
        self._cutting = threading.BoundedSemaphore(AT_ONCE)

    def of(self, event: Event) -> StoredClip:
        """The clip of an event, from before it to after it as its camera is recorded.

        Raises:
            NoClipError: nothing is recorded there, or it cannot be cut now.
        """
        camera = self._cameras.get(event.camera_id)
        if camera is None:
            raise NoClipError(f"the site has no camera {event.camera_id} any more")
        if not self._recordings.is_dir():
            raise NoClipError(
                "no recordings here: no camera is recorded, "
                "or centre.recordings_dir is not the workers' folder"
            )
        begin = event.opened_at - timedelta(seconds=camera.pre_roll_seconds)
        end = (event.closed_at or event.occurred_at) + timedelta(seconds=camera.post_roll_seconds)
        end = min(end, begin + LONGEST)
        # Masks are part of the name: a mask that was drawn later holds for clips that were cut before.
        masks = json.dumps(camera.model_dump(mode="json")["masks"])
        path = self._folder / event.event_id[:2] / f"{event.event_id}-{event.revision}-{_digest(masks)}.mp4"
        with self._cutting:
            return self._read(path) or self._cut(path, event.camera_id, begin, end, masks)

    def delete_older_than(self, seconds: float) -> int:
        """Delete clips that were cut longer ago than that, and say how many files."""
        return delete_older_than(self._folder, seconds)

    def _read(self, path: Path) -> StoredClip | None:
        try:
            said = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        if not path.is_file() or (said["gaps"] and time.time() - path.stat().st_mtime > PARTIAL_SECONDS):
            return None
        return _stored(path, said)

    def _cut(self, path: Path, camera_id: str, begin: datetime, end: datetime, masks: str) -> StoredClip:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        command = [sys.executable, "-m", "safecity", "recordings", "export", "--json"]
        command += ["--dir", str(self._recordings), "--camera", camera_id, "--out", str(path)]
        command += ["--from", format_utc(begin), "--to", format_utc(end), "--masks", masks]
        try:
            done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
            said = json.loads(done.stdout)
        except subprocess.TimeoutExpired:
            raise NoClipError(f"the clip was not ready in {SECONDS:.0f} s") from None
        except (OSError, ValueError) as error:
            raise NoClipError(f"the clip could not be cut: {redact(error)}") from None
        if "error" in said:
            raise NoClipError(str(said["error"]))
        path.with_suffix(".json").write_text(json.dumps(said), encoding="utf-8")
        return _stored(path, said)


def _stored(path: Path, said: dict[str, Any]) -> StoredClip:
    return StoredClip(
        path,
        codec=str(said["codec"]),
        masked=bool(said["masked"]),
        plays_in_browsers=bool(said["plays_in_browsers"]),
        start=str(said["start"]),
        seconds=float(said["seconds"]),
        gaps=tuple(said["gaps"]),
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
