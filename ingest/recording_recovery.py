"""Segments that a killed worker left open: finished from their fragments, removed when there are none."""

from contextlib import suppress
from datetime import date
from pathlib import Path

import av
import structlog
from av.packet import Packet
from av.video.stream import VideoStream

from ingest.recorded_times import RecordedTimes
from ingest.recording_index import OPEN, Segment, SegmentHead, append, entries_of, open_segments
from ingest.segment_writer import DEFAULT_SPACING, describe

_log = structlog.get_logger()


def finish_left(folder: Path, camera_id: str) -> list[Segment]:
    """Finish the segments of a camera that nobody writes any more.

    Raises:
        OSError: the disk does not take it.
    """
    finished = []
    for file in open_segments(folder, camera_id):
        beside = file.with_name(file.stem + OPEN)
        if not _is_listed(folder, camera_id, file):
            segment = _finish(folder, file, beside)
            if segment is None:
                _log.warning("an open segment held nothing", camera_id=camera_id, file=file.name)
                file.unlink(missing_ok=True)
            else:
                append(folder, segment)
                finished.append(segment)
                _log.info("an open segment is finished", camera_id=camera_id, seconds=segment.seconds)
        beside.unlink(missing_ok=True)
    return finished


def _is_listed(folder: Path, camera_id: str, file: Path) -> bool:
    day = date.fromisoformat(file.parent.name)
    return any(
        isinstance(entry, Segment) and folder / entry.path == file
        for entry in entries_of(folder, camera_id, day)
    )


def _finish(folder: Path, file: Path, beside: Path) -> Segment | None:
    """Copy what can be read into an ordinary MP4 file of the same name; None: nothing can."""
    unfinished = file.with_suffix(".part")
    try:
        head = SegmentHead.from_bytes(beside.read_bytes())
        with av.open(str(file)) as source:
            stream = source.streams.video[0]
            comment = source.metadata.get("comment", "")
            times = RecordedTimes.from_comment(comment)
            packets = [p for p in _readable(source, stream) if p.pts is not None and p.dts is not None]
            if times is None or not packets:
                return None
            _write(unfinished, stream, packets, comment)
            base = stream.time_base
            stamps = sorted(packet.pts or 0 for packet in packets)
    except (ValueError, IndexError, av.error.FFmpegError) as error:
        _log.warning("an open segment cannot be read", file=file.name, reason=str(error))
        unfinished.unlink(missing_ok=True)
        return None
    if base is None:
        return None
    unfinished.chmod(0o600)
    unfinished.replace(file)
    spacing = stamps[-1] - stamps[-2] if len(stamps) > 1 else round(DEFAULT_SPACING / base)
    return describe(
        folder,
        file.relative_to(folder),
        head,
        times.event_time(packets[0].pts or 0, base),
        times.event_time(stamps[-1] + spacing, base),
        len(packets),
        recovered=True,
    )


def _readable(source: av.container.InputContainer, stream: VideoStream) -> "list[Packet[VideoStream]]":
    """The packets up to where the file was cut."""
    packets: list[Packet[VideoStream]] = []
    with suppress(av.error.FFmpegError):
        packets.extend(packet for packet in source.demux(stream) if packet.size and not packet.is_corrupt)
    return packets


def _write(path: Path, stream: VideoStream, packets: "list[Packet[VideoStream]]", comment: str) -> None:
    with av.open(
        str(path), "w", format="mp4", options={"avoid_negative_ts": "disabled", "use_editlist": "0"}
    ) as output:
        output.metadata["comment"] = comment
        copy = output.add_stream_from_template(stream)
        copy.time_base = stream.time_base
        for packet in packets:
            packet.stream = copy
            output.mux(packet)
