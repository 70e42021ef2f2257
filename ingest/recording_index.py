"""What has been recorded of a camera, and where it has gaps: read from the recorder's folder, no database.

``DIR/CAMERA/DAY/START.mp4`` is a segment, DAY and START being its event time in UTC. ``index.jsonl`` beside
it has a line for each segment that was finished and for each time that nothing could be recorded, with the
reason. A segment that is being written, or that a killed worker left, has ``START.open.json`` beside it and
no line. A last line that a power failure cut is passed over.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from safecity.camera import Polygon
from safecity.message import Message, Name, UtcTime

INDEX = "index.jsonl"
OPEN = ".open.json"
NAME_FORMAT = "%Y%m%dT%H%M%S.%fZ"
JOIN_SECONDS = 0.5
"""Segments no further apart than that follow each other: a picture's duration is not always known."""
LONGEST = timedelta(hours=2)
"""No segment is longer, so that what began on the day before is found."""


class SegmentHead(Message):
    """What is known of a segment from its first packet on."""

    camera_id: Name
    codec: str = Field(description="in FFmpeg's terms: h264, hevc, mjpeg …")
    width: int
    height: int
    masks: tuple[Polygon, ...] = Field(default=(), description="privacy masks when it was recorded")


class Segment(SegmentHead):
    """A recorded file."""

    path: Path = Field(description="relative to the recorder's folder")
    start: UtcTime = Field(description="event time of the first picture")
    end: UtcTime = Field(description="event time of the end of the last picture")
    packets: int
    size_bytes: int
    sha256: str
    recovered: bool = Field(default=False, description="finished after its worker had been killed")

    @property
    def seconds(self) -> float:
        """Its length in event time."""
        return (self.end - self.start).total_seconds()


class Gap(Message):
    """A time of which there is no recording."""

    camera_id: Name
    start: UtcTime
    end: UtcTime
    reason: str


@dataclass(frozen=True)
class Recorded:
    """What there is of a camera between two times, in order."""

    segments: tuple[Segment, ...]
    gaps: tuple[Gap, ...]


def segment_path(camera_id: str, start: datetime) -> Path:
    """Where a segment is, relative to the recorder's folder."""
    utc = start.astimezone(UTC)
    return Path(camera_id) / utc.date().isoformat() / f"{utc.strftime(NAME_FORMAT)}.mp4"


def append(folder: Path, entry: Segment | Gap) -> None:
    """Put a line into the index of the day that ``entry`` begins on.

    Raises:
        OSError: the disk does not take it.
    """
    day = folder / segment_path(entry.camera_id, entry.start).parent
    day.mkdir(parents=True, exist_ok=True, mode=0o700)
    kind = "segment" if isinstance(entry, Segment) else "gap"
    # The line end goes first: a line that was cut must not spoil this one.
    with (day / INDEX).open("a", encoding="utf-8") as index:
        index.write("\n" + json.dumps({kind: json.loads(entry.model_dump_json())}, separators=(",", ":")))


def cameras(folder: Path) -> list[str]:
    """Cameras of which there is something."""
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def days(folder: Path, camera_id: str) -> list[date]:
    """Days (UTC) of which there is something of a camera, oldest first."""
    camera = folder / camera_id
    names = (path.name for path in camera.iterdir()) if camera.is_dir() else ()
    return sorted(day for name in names if (day := _day(name)) is not None)


def recorded(folder: Path, camera_id: str, begin: datetime, end: datetime) -> Recorded:
    """What there is of a camera from ``begin`` to ``end``.

    Args:
        folder: the recorder's.
        camera_id: whose pictures.
        begin: event time, aware; segments that end later are listed.
        end: event time, aware; segments that begin earlier are listed.

    Returns:
        the finished segments, whole, and the gaps, cut to the times asked for.
    """
    first, last = (begin - LONGEST).astimezone(UTC).date(), end.astimezone(UTC).date()
    wanted = [day for day in days(folder, camera_id) if first <= day <= last]
    entries = [entry for day in wanted for entry in entries_of(folder, camera_id, day)]
    segments = sorted(
        (e for e in entries if isinstance(e, Segment) and e.start < end and e.end > begin),
        key=lambda segment: segment.start,
    )
    known = [entry for entry in entries if isinstance(entry, Gap)]
    return Recorded(tuple(segments), tuple(_holes(camera_id, segments, known, begin, end)))


def entries_of(folder: Path, camera_id: str, day: date) -> Iterator[Segment | Gap]:
    """The lines of a day's index, without those of segments that are deleted."""
    seen: set[Path] = set()
    for line in _lines(folder / camera_id / day.isoformat() / INDEX):
        entry = _entry(line)
        if isinstance(entry, Segment):
            if entry.path in seen or not (folder / entry.path).is_file():
                continue
            seen.add(entry.path)
        if entry is not None:
            yield entry


def open_segments(folder: Path, camera_id: str) -> list[Path]:
    """Segments that are being written or were left by a killed worker: the paths of their files."""
    return sorted(
        path.with_name(path.name.removesuffix(OPEN) + ".mp4")
        for path in (folder / camera_id).glob(f"*/*{OPEN}")
    )


def last_end(folder: Path, camera_id: str) -> datetime | None:
    """Event time of the end of the newest segment; None when there is none."""
    for day in reversed(days(folder, camera_id)):
        ends = [e.end for e in entries_of(folder, camera_id, day) if isinstance(e, Segment)]
        if ends:
            return max(ends)
    return None


def _holes(
    camera_id: str, segments: Iterable[Segment], known: list[Gap], begin: datetime, end: datetime
) -> Iterator[Gap]:
    reached = begin
    for start, stop in [*((s.start, s.end) for s in segments), (end, end)]:
        if (start - reached).total_seconds() > JOIN_SECONDS:
            yield Gap(camera_id=camera_id, start=reached, end=start, reason=_reason(known, reached, start))
        reached = max(reached, stop)


def _reason(known: list[Gap], begin: datetime, end: datetime) -> str:
    reasons = [gap.reason for gap in known if gap.start < end and gap.end > begin]
    return ", ".join(dict.fromkeys(reasons)) or "not recorded"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _entry(line: str) -> Segment | Gap | None:
    try:
        said: dict[str, Any] = json.loads(line)
        if "segment" in said:
            return Segment.model_validate_json(json.dumps(said["segment"]))
        return Gap.model_validate_json(json.dumps(said["gap"]))
    except (ValueError, KeyError, TypeError, ValidationError):
        return None


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None
