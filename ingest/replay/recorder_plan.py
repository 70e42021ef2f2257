"""What a camera's recorder kept between two times, as segments: each picture at its own event time."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ingest.recorded_times import RecordedTimes
from ingest.recording_index import NAME_FORMAT, cameras, days, open_segments, recorded
from ingest.recording_index import Segment as Kept
from ingest.replay.plan import Missing, Plan, PlanError, Unread, stretches_of
from ingest.replay.recording import Segment, examine, to_seconds
from safecity.message import format_utc

UNFINISHED = "not read: it is not finished (being written, or left by a worker that was killed)"
NOT_OURS = "it does not say what event time its pictures have; has it been written anew?"


def plan_recorded(folder: Path, camera_id: str, begin: datetime, end: datetime) -> Plan:
    """Place what was recorded of a camera; pictures before ``begin``, at ``end`` and later are left out.

    Args:
        folder: the recorder's.
        camera_id: whose recordings.
        begin: event time, aware.
        end: event time, aware.

    Raises:
        PlanError: nothing is recorded between them.
    """
    found = recorded(folder, camera_id, begin, end)
    unread = tuple(_unfinished(folder, camera_id, begin, end))
    if not found.segments:
        raise PlanError(
            f"--recorded {camera_id}: nothing is recorded from {format_utc(begin)} to {format_utc(end)}; "
            f"{_what_there_is(folder, camera_id, open_ones=bool(unread))}"
        )
    segments = [_segment(folder, kept, begin, end) for kept in found.segments]
    gaps = tuple(Missing(to_seconds(gap.start), to_seconds(gap.end), gap.reason) for gap in found.gaps)
    return Plan(stretches_of(segments), "the recorder", unread, gaps)


def _segment(folder: Path, kept: Kept, begin: datetime, end: datetime) -> Segment:
    path = folder / kept.path
    recording = examine(path)
    times = RecordedTimes.from_comment(recording.comment)
    if times is None and recording.unreadable is None:
        recording = replace(recording, unreadable=NOT_OURS)
    # The index, not the file, says how long it is: a broken file must not move what follows it.
    recording = replace(recording, seconds=to_seconds(kept.end) - to_seconds(kept.start))
    return Segment(recording, to_seconds(kept.start), times, begin, end)


def _unfinished(folder: Path, camera_id: str, begin: datetime, end: datetime) -> Iterator[Unread]:
    """Segments without an end that may have pictures between the two times.

    A camera has one segment open at a time: a finished one that begins later is the end of an open one.
    """
    for path in open_segments(folder, camera_id):
        start = datetime.strptime(path.stem, NAME_FORMAT).replace(tzinfo=UTC)
        later = recorded(folder, camera_id, start, begin).segments if start < begin else ()
        if start < end and not any(segment.start > start for segment in later):
            yield Unread(path, UNFINISHED)


def _what_there_is(folder: Path, camera_id: str, *, open_ones: bool) -> str:
    if open_ones:
        return "the segment that is being written is read once it is finished"
    if dates := days(folder, camera_id):
        return f"of {camera_id} there are the days {dates[0]} to {dates[-1]}"
    others = ", ".join(cameras(folder)[:10]) or "no camera"
    return f"in {folder} there is something of {others}"
