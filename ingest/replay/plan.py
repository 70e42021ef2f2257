"""What is replayed, and when it was: files, folders and segment lists become segments in event time."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from ingest.replay.recording import Recording, Segment, examine, to_seconds
from safecity.message import format_utc

VIDEO_SUFFIXES = frozenset(
    {
        ".avi",
        ".flv",
        ".h264",
        ".h265",
        ".hevc",
        ".m4v",
        ".mjpeg",
        ".mkv",
        ".mov",
        ".mp4",
        ".mpg",
        ".ts",
        ".webm",
    }
)
LIST_SUFFIXES = frozenset({".json", ".list", ".txt"})
BREAK_SECONDS = 60
"""After a gap of so long nothing that was seen before it matters: the analysis begins anew, as rules and
tracker would have forgotten everything. What lies between two such gaps can be replayed on its own."""
SAME_MOMENT = Fraction(1, 1000)
"""A given time so near to the end of the file before means that nothing is missing between them."""
NOT_PLACED = "not read: the file before it tells no length, so its time is not known; give a segment list"
NAMED_TO = Fraction(1)
"""Names tell whole seconds, so a file may seem to begin up to so long before or after its time."""

_STAMP = re.compile(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})[-_T ](\d{2})[-:._h]?(\d{2})[-:._m]?(\d{2})(?!\d)(Z)?")


class PlanError(ValueError):
    """What was given cannot be replayed; the message says what is wanted."""


@dataclass(frozen=True)
class Unread:
    """A file that is not read, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Missing:
    """A time of which there is no footage."""

    begin: Fraction
    end: Fraction
    reason: str | None = None
    """As the recorder put it on record; None: nobody has said."""


@dataclass(frozen=True)
class Plan:
    """The segments, in order of event time, and how their times were found."""

    stretches: tuple[tuple[Segment, ...], ...]
    """Each of them contiguous but for gaps of under :data:`BREAK_SECONDS`."""
    timed_by: str
    """For people."""
    unread: tuple[Unread, ...] = ()
    gaps: tuple[Missing, ...] = ()

    @property
    def segments(self) -> list[Segment]:
        """All of them."""
        return [segment for stretch in self.stretches for segment in stretch]

    @property
    def seconds(self) -> float:
        """Of footage, as far as the files say."""
        return float(sum(segment.recording.seconds for segment in self.segments))


def make_plan(given: Sequence[Path], start: datetime | None, timezone: tzinfo = UTC) -> Plan:
    """Place what was given in event time.

    Args:
        given: files, folders and segment lists.
        start: event time of the first frame; None: as a list or the files' names say.
        timezone: of times in the names of files that do not say one.

    Raises:
        PlanError: nothing to replay, or no way to tell when it was.
    """
    named = _expand(given)
    recordings = [examine(path) for path, _ in named]
    stamps = [stamp for _, stamp in named]
    if all(stamp is not None for stamp in stamps):
        times = [stamp for stamp in stamps if stamp is not None]
        return _at(recordings, times, start, "the segment list", SAME_MOMENT)
    if any(stamp is not None for stamp in stamps):
        raise PlanError("some files come from a segment list with times and some do not; give a list of all")
    found = [_stamp_of(path, timezone) for path, _ in named]
    times = [time for time in found if time is not None]
    if len(times) == len(found) and len(set(times)) == len(times) and (len(times) > 1 or start is None):
        return _at(recordings, times, start, "the times in the files' names", NAMED_TO)
    if start is None:
        raise PlanError(
            "--start: when was the first frame? Want a time like 2026-03-01T12:00:00Z, a segment list, "
            "or files whose names tell it like yard-20260301-120000.mp4"
        )
    return _one_after_the_other(recordings, start)


def _expand(given: Sequence[Path]) -> list[tuple[Path, datetime | None]]:
    found: list[tuple[Path, datetime | None]] = []
    for path in given:
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix.lower() in VIDEO_SUFFIXES and p.is_file())
            if not inside:
                raise PlanError(f"{path}: no video in this folder; want {', '.join(sorted(VIDEO_SUFFIXES))}")
            found += [(p, None) for p in inside]
        elif path.suffix.lower() in LIST_SUFFIXES:
            found += _read_list(path)
        else:
            found.append((path, None))
    for path, _ in found:
        if not path.is_file():
            raise PlanError(f"{path}: there is no such file")
    return found


def _read_list(path: Path) -> list[tuple[Path, datetime | None]]:
    """A path and its start a line (``#`` begins a comment), or JSON: ``[{"path": …, "start": …}]``."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"{path}: cannot be read: {error}") from None
    entries: list[tuple[str, str, str]] = []
    if path.suffix.lower() == ".json":
        try:
            entries = [(f"[{i}]", str(e["path"]), str(e["start"])) for i, e in enumerate(json.loads(text))]
        except (ValueError, TypeError, KeyError):
            raise PlanError(
                f'{path}: want [{{"path": "a.mp4", "start": "2026-03-01T12:00:00Z"}}, …]'
            ) from None
    else:
        for number, line in enumerate(text.splitlines(), 1):
            words = line.split("#")[0].strip().rsplit(maxsplit=1)
            if words and len(words) != 2:
                raise PlanError(
                    f"{path}: line {number}: want a path and its start, e.g. a.mp4 2026-03-01T12:00:00Z"
                )
            if words:
                entries.append((f"line {number}", words[0].rstrip(","), words[1]))
    if not entries:
        raise PlanError(f"{path}: the list names no file")
    return [(path.parent / name, parse_time(start, f"{path}: {where}")) for where, name, start in entries]


def parse_time(text: str, where: str) -> datetime:
    """An RFC 3339 time.

    Raises:
        PlanError: it is none, or has no zone.
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise PlanError(f"{where}: {text!r} is no time; want e.g. 2026-03-01T12:00:00Z") from None
    if time.tzinfo is None:
        raise PlanError(f"{where}: {text!r} says no time zone; want e.g. {text}Z or {text}+05:00")
    return time.astimezone(UTC)


def _stamp_of(path: Path, timezone: tzinfo) -> datetime | None:
    found = _STAMP.search(path.stem)
    if found is None:
        return None
    try:
        time = datetime(*(int(part) for part in found.groups()[:6]), tzinfo=UTC if found[7] else timezone)  # type: ignore[misc, arg-type]
    except ValueError:
        return None
    return time.astimezone(UTC)


def _at(
    recordings: list[Recording], times: list[datetime], start: datetime | None, by: str, tolerance: Fraction
) -> Plan:
    """At given times; a file that begins as the one before ends follows it without a gap."""
    order = sorted(range(len(times)), key=lambda i: times[i])
    shift = to_seconds(start) - to_seconds(times[order[0]]) if start is not None else Fraction(0)
    segments: list[Segment] = []
    for i in order:
        begin = to_seconds(times[i]) + shift
        if segments and abs(begin - segments[-1].end) <= tolerance:
            begin = segments[-1].end
        elif segments and begin < segments[-1].end:
            before = segments[-1].recording.path
            raise PlanError(
                f"{recordings[i].path} begins {float(segments[-1].end - begin):.3f} s before {before} ends; "
                "a camera has one picture at a time: mend the times"
            )
        segments.append(Segment(recordings[i], begin))
    return _plan(segments, by if start is None else f"{by}, moved to --start {format_utc(start)}")


def _one_after_the_other(recordings: list[Recording], start: datetime) -> Plan:
    segments: list[Segment] = []
    begin = to_seconds(start)
    for index, recording in enumerate(recordings):
        segments.append(Segment(recording, begin))
        begin = segments[-1].end
        if not recording.seconds and index + 1 < len(recordings):
            unread = tuple(Unread(recording.path, NOT_PLACED) for recording in recordings[index + 1 :])
            return _plan(segments, "--start and the files' lengths", unread)
    return _plan(segments, "--start" if len(recordings) == 1 else "--start and the files' lengths")


def _plan(segments: list[Segment], by: str, unread: tuple[Unread, ...] = ()) -> Plan:
    gaps = (Missing(a.end, b.begin) for a, b in pairwise(segments) if b.begin > a.end)
    return Plan(stretches_of(segments), by, unread, tuple(gaps))


def stretches_of(segments: Sequence[Segment]) -> tuple[tuple[Segment, ...], ...]:
    """Segments in order of event time, parted where nothing of what was before still matters."""
    stretches = [[segments[0]]]
    for before, segment in pairwise(segments):
        if segment.begin - before.end > BREAK_SECONDS:
            stretches.append([segment])
        else:
            stretches[-1].append(segment)
    return tuple(map(tuple, stretches))
