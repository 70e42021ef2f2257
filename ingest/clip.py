"""A clip: what was recorded between two times, as one MP4 file that plays from its first byte on.

Packets are copied, from the key frame before the beginning. Where anything is masked the pictures are
decoded, the masks of now and of then are burned in, and they are encoded anew: what is masked does not get
out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ingest.recorded_times import RecordedTimes
from ingest.recording_index import JOIN_SECONDS, NAME_FORMAT, OPEN, SegmentHead, open_segments, recorded
from ingest.segment_writer import FRAGMENT_SECONDS
from ingest.snapshots import PrivacyMask
from safecity.camera import Point, Polygon
from safecity.message import format_utc

BASE = Fraction(1, 90_000)
PLAYABLE = frozenset({"h264", "vp8", "vp9", "av1"})
"""Codecs that every browser of today plays."""
OPTIONS = {"movflags": "faststart", "use_editlist": "0", "avoid_negative_ts": "disabled"}
_ENCODER = {"preset": "veryfast", "crf": "23", "bf": "0"}


class ClipError(Exception):
    """There is no such clip; the message says why."""


@dataclass(frozen=True)
class Clip:
    """What a clip holds."""

    camera_id: str
    start: datetime
    """Event time of its first picture, UTC; a copy begins at a key frame, so earlier than asked."""
    seconds: float
    codec: str
    masked: bool
    """Masks are burned in, so it was encoded anew."""
    plays_in_browsers: bool
    gaps: tuple[str, ...]
    """What is missing, in words."""

    def to_json(self) -> dict[str, object]:
        """For programs."""
        return {**asdict(self), "start": format_utc(self.start)}


@dataclass(frozen=True)
class _Timed:
    packet: "Packet[VideoStream]"
    at: datetime
    """Event time."""
    lead: Fraction
    """Seconds from its decoding to its showing."""


@dataclass(frozen=True)
class _Piece:
    file: Path
    codec: str
    masks: tuple[Polygon, ...]
    is_open: bool


def cut(
    folder: Path,
    camera_id: str,
    begin: datetime,
    end: datetime,
    out: Path,
    masks: Sequence[Sequence[Point]] = (),
) -> Clip:
    """Write a camera's recording from ``begin`` to ``end`` (event time) to ``out``.

    Args:
        folder: the recorder's.
        camera_id: whose pictures.
        begin: aware.
        end: aware, later.
        out: written whole or not at all.
        masks: privacy masks of now; those of the time of recording hold too.

    Raises:
        ClipError: nothing is recorded there, or it cannot be read.
        OSError: it cannot be written.
    """
    pieces, gaps = _pieces(folder, camera_id, begin, end)
    burned = tuple(dict.fromkeys([*masks, *(mask for piece in pieces for mask in piece.masks)]))
    unfinished = out.with_name(f"{out.name}.part")
    try:
        with av.open(str(unfinished), "w", format="mp4", options=OPTIONS) as output:
            write = _encode if burned else _copy
            start, last, codec = write(output, pieces, begin, end, PrivacyMask(burned))
        unfinished.replace(out)
    except av.error.FFmpegError as error:
        raise ClipError(f"the recording cannot be read: {error.strerror}") from None
    finally:
        unfinished.unlink(missing_ok=True)
    if pieces[-1].is_open and (end - last).total_seconds() > 2 * FRAGMENT_SECONDS:
        gaps = (*gaps, f"{format_utc(last)} to {format_utc(end)}: not recorded yet")
    seconds = round((last - start).total_seconds(), 3)
    return Clip(camera_id, start, seconds, codec, bool(burned), codec in PLAYABLE, gaps)


def _pieces(
    folder: Path, camera_id: str, begin: datetime, end: datetime
) -> tuple[list[_Piece], tuple[str, ...]]:
    """The files that hold the time, the one that is being written too, and what is missing, in words."""
    found = recorded(folder, camera_id, begin, end)
    pieces = [_Piece(folder / s.path, s.codec, s.masks, is_open=False) for s in found.segments]
    opened = end
    for file in open_segments(folder, camera_id):
        start = datetime.strptime(file.stem, NAME_FORMAT).replace(tzinfo=UTC)
        if start < end and file.is_file():
            head = SegmentHead.from_bytes(file.with_name(file.stem + OPEN).read_bytes())
            pieces.append(_Piece(file, head.codec, head.masks, is_open=True))
            opened = min(opened, start)
    gaps = tuple(
        f"{format_utc(gap.start)} to {format_utc(gap.end)}: {gap.reason}"
        for gap in found.gaps
        if gap.end < end or (opened - gap.start).total_seconds() > JOIN_SECONDS
    )
    if not pieces:
        why = found.gaps[0].reason if found.gaps else "not recorded"
        raise ClipError(f"nothing of {camera_id} is recorded there: {why}")
    return pieces, gaps


def _copy(
    output: OutputContainer,
    pieces: Sequence[_Piece],
    begin: datetime,
    end: datetime,
    _mask: PrivacyMask,
) -> tuple[datetime, datetime, str]:
    stream, parameters, start, last, last_dts, offset = None, None, begin, begin, -1, 0
    for piece in pieces:
        for timed in _from_key_frame(piece.file, begin, end):
            context = timed.packet.stream.codec_context
            if stream is None:
                stream = output.add_stream_from_template(timed.packet.stream)
                stream.time_base, parameters = BASE, context.extradata
                start, offset = timed.at, round(timed.lead / BASE)
            if context.extradata != parameters:
                # One file has one set of parameters: the camera was set to something else here.
                return start, last, pieces[0].codec
            shown = _ticks(timed.at, start) + offset
            dts = max(last_dts + 1, shown - round(timed.lead / BASE))
            packet = Packet(bytes(timed.packet))
            packet.pts, packet.dts, packet.time_base = max(shown, dts), dts, BASE
            packet.is_keyframe, packet.stream = timed.packet.is_keyframe, stream
            output.mux(packet)
            last, last_dts = max(last, timed.at), dts
    if stream is None:
        raise ClipError("nothing that could be read is recorded there")
    return start, last, pieces[0].codec


def _encode(
    output: OutputContainer,
    pieces: Sequence[_Piece],
    begin: datetime,
    end: datetime,
    mask: PrivacyMask,
) -> tuple[datetime, datetime, str]:
    stream: VideoStream | None = None
    start, last, last_pts = begin, begin, -1
    for piece in pieces:
        for picture, at in _pictures(piece.file, begin, end):
            if stream is None:
                stream = output.add_stream("libx264", options=_ENCODER)
                stream.width, stream.height = picture.width // 2 * 2, picture.height // 2 * 2
                stream.pix_fmt, stream.time_base, start = "yuv420p", BASE, at
                stream.codec_context.time_base = BASE
            bgr = np.asarray(picture.to_ndarray(format="bgr24"), np.uint8)
            burned = VideoFrame.from_ndarray(mask.burn(bgr), format="bgr24")
            burned = burned.reformat(stream.width, stream.height, "yuv420p")
            last_pts = max(last_pts + 1, _ticks(at, start))
            burned.pts, burned.time_base = last_pts, BASE
            output.mux(stream.encode(burned))
            last = max(last, at)
    if stream is None:
        raise ClipError("nothing that could be read is recorded there")
    output.mux(stream.encode(None))
    return start, last, "h264"


def _pictures(file: Path, begin: datetime, end: datetime) -> Iterator[tuple[VideoFrame, datetime]]:
    with av.open(str(file)) as container:
        stream = container.streams.video[0]
        times, base = RecordedTimes.from_comment(container.metadata.get("comment", "")), stream.time_base
        if times is None or base is None:
            return
        for picture in container.decode(stream):
            if picture.pts is None:
                continue
            at = times.event_time(picture.pts, base)
            if at >= end:
                return
            if at >= begin:
                yield picture, at


def _from_key_frame(file: Path, begin: datetime, end: datetime) -> Iterator[_Timed]:
    """The packets from the last key frame that is not after ``begin``."""
    waiting: list[_Timed] = []
    with av.open(str(file)) as container:
        stream = container.streams.video[0]
        times, base = RecordedTimes.from_comment(container.metadata.get("comment", "")), stream.time_base
        if times is None or base is None:
            return
        for packet in container.demux(stream):
            if not packet.size or packet.pts is None or packet.dts is None:
                continue
            at = times.event_time(packet.pts, base)
            if times.event_time(packet.dts, base) >= end:
                return
            if packet.is_keyframe and at <= begin:
                waiting.clear()
            waiting.append(_Timed(packet, at, (packet.pts - packet.dts) * base))
            if at >= begin:
                yield from waiting
                waiting.clear()


def _ticks(at: datetime, start: datetime) -> int:
    return round((at - start).total_seconds() / float(BASE))
