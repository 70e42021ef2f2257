"""Deleting recordings: what is too old, and the oldest when they fill too much of the disk. Held stay."""

import shutil
import threading
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import structlog

from ingest.recording_holds import holds
from ingest.recording_index import INDEX, Segment, cameras, days, entries_of
from safecity.settings import RecordingSettings
from safecity.steady_clock import STEADY

EVERY_SECONDS = 300.0

_log = structlog.get_logger()


@dataclass(frozen=True)
class Deleted:
    """What one round did."""

    segments: int
    size_bytes: int
    short_bytes: int
    """Above the limit though nothing more may be deleted: the rest is held."""


class DaySizes:
    """Bytes of each camera's recordings of a day; a folder that has not changed is not looked into again."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[int, int]] = {}

    def of(self, place: Path) -> int:
        """Bytes of the segments in one folder."""
        changed = place.stat().st_mtime_ns
        known = self._known.get(place)
        if known is None or known[0] != changed:
            known = (changed, sum(file.stat().st_size for file in place.glob("*.mp4")))
            self._known[place] = known
        return known[1]


def delete_old(
    folder: Path,
    settings: RecordingSettings,
    now: datetime,
    disk_bytes: int | None = None,
    sizes: DaySizes | None = None,
) -> Deleted:
    """One round of retention.

    Args:
        folder: the recorder's.
        settings: say how old and how much.
        now: UTC; ages are those of event time.
        disk_bytes: size of the disk; looked up when not given.
        sizes: what was found in earlier rounds.

    Raises:
        OSError, ValueError: the holds cannot be read, so nothing is deleted; or a file cannot be removed.
    """
    if not folder.is_dir():
        return Deleted(0, 0, 0)
    kept, sizes = holds(folder), sizes or DaySizes()
    limit = settings.max_disk_share * (disk_bytes or shutil.disk_usage(folder).total)
    oldest = now - timedelta(days=settings.max_age_days)
    places: dict[date, list[str]] = {}
    for camera_id in cameras(folder):
        for day in days(folder, camera_id):
            places.setdefault(day, []).append(camera_id)
    total = sum(sizes.of(folder / c / day.isoformat()) for day, ids in places.items() for c in ids)
    deleted = freed = 0
    for day in sorted(places):
        if day > oldest.date() and total - freed <= limit:
            break
        for segment in _segments(folder, places[day], day):
            if segment.end >= oldest and total - freed <= limit:
                break
            if not any(hold.covers(segment.camera_id, segment.start, segment.end) for hold in kept):
                (folder / segment.path).unlink(missing_ok=True)
                deleted, freed = deleted + 1, freed + segment.size_bytes
        _remove_empty(folder, places[day], day, now)
    return Deleted(deleted, freed, max(0, int(total - freed - limit)))


class RecordingRetention:
    """Runs :func:`delete_old` every five minutes in a thread of its own, until :meth:`stop`."""

    def __init__(self, folder: Path, settings: RecordingSettings) -> None:
        self._folder, self._settings = folder, settings
        self._sizes = DaySizes()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recording retention", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; a round that runs is waited for."""
        self._stopping.set()
        self._thread.join(10)

    def _run(self) -> None:
        while True:
            try:
                done = delete_old(self._folder, self._settings, STEADY.now(), sizes=self._sizes)
            except (OSError, ValueError) as error:
                _log.error("recordings cannot be deleted", folder=str(self._folder), reason=str(error))
            else:
                if done.segments:
                    _log.info(
                        "recordings deleted", segments=done.segments, megabytes=done.size_bytes // 10**6
                    )
                if done.short_bytes:
                    _log.error("held recordings fill more than their share", over_bytes=done.short_bytes)
            if self._stopping.wait(EVERY_SECONDS):
                return


def _segments(folder: Path, camera_ids: list[str], day: date) -> list[Segment]:
    found = (e for camera_id in camera_ids for e in entries_of(folder, camera_id, day))
    return sorted((e for e in found if isinstance(e, Segment)), key=lambda segment: segment.start)


def _remove_empty(folder: Path, camera_ids: list[str], day: date, now: datetime) -> None:
    for camera_id in camera_ids:
        place = folder / camera_id / day.isoformat()
        if day < now.date() and not any(place.glob("*.mp4")):
            (place / INDEX).unlink(missing_ok=True)
            place.rmdir()
