"""One segment: packets copied into an MP4 file that is readable up to its last fragment while it grows.

FFmpeg's hybrid form: fragments while it is written, so that a kill -9 costs the last moment only, and an
ordinary MP4 file once it is closed, which every browser plays and seeks in.
"""

import hashlib
from datetime import datetime, timedelta
from pathlib import Path

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from ingest.packet_tap import TappedPacket
from ingest.recorded_times import RecordedTimes
from ingest.recording_index import OPEN, Segment, SegmentHead
from safecity.camera import Camera

FRAGMENT_SECONDS = 2.0
OPTIONS = {
    "movflags": "hybrid_fragmented+empty_moov+frag_keyframe+default_base_moof",
    "use_editlist": "0",
    "frag_duration": str(int(FRAGMENT_SECONDS * 1e6)),
    "flush_packets": "1",
    "avoid_negative_ts": "disabled",
}
DEFAULT_SPACING = 0.04


class SegmentWriter:
    """Writes one segment, from a key frame on.

    Args:
        folder: the recorder's.
        path: of the segment, relative to it.
        camera: whose pictures they are.
        first: the key frame.

    Attributes:
        start: event time of the first picture.

    Raises:
        OSError: the disk does not take it (``av.error.FFmpegError`` is one where the system says why).
    """

    def __init__(self, folder: Path, path: Path, camera: Camera, first: TappedPacket) -> None:
        self._file = folder / path
        self._beside = self._file.with_name(self._file.stem + OPEN)
        self._folder, self._path = folder, path
        self._base, self._shift = first.time_base, first.dts
        self._anchor = first.anchor
        self.start = first.event_time
        self._last_dts = -1
        self._newest = first.pts
        self._spacing = round(DEFAULT_SPACING / self._base)
        self._packets = 0
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        stream = first.packet.stream
        context = stream.codec_context
        self._head = SegmentHead(
            camera_id=camera.id,
            codec=context.name,
            width=context.width,
            height=context.height,
            masks=camera.masks,
        )
        self._beside.write_bytes(self._head.to_bytes())
        self._file.touch(mode=0o600)
        self._container: OutputContainer = av.open(str(self._file), "w", format="mp4", options=OPTIONS)
        times = RecordedTimes(camera.id, self._anchor, self._base, self._shift)
        self._container.metadata["comment"] = times.to_comment()
        self._stream: VideoStream = self._container.add_stream_from_template(stream)
        self._stream.time_base = self._base

    def write(self, tapped: TappedPacket) -> None:
        """Copy a packet. One that does not come after the last in the order of decoding is left out.

        Raises:
            OSError: the disk does not take it.
        """
        dts = tapped.dts - self._shift
        if dts <= self._last_dts:
            return
        packet = Packet(bytes(tapped.packet))
        packet.pts, packet.dts, packet.time_base = tapped.pts - self._shift, dts, self._base
        packet.is_keyframe = tapped.packet.is_keyframe
        packet.stream = self._stream
        if tapped.packet.duration:
            packet.duration = tapped.packet.duration
        if self._packets:
            self._spacing = dts - self._last_dts
        self._container.mux(packet)
        self._last_dts, self._packets = dts, self._packets + 1
        self._newest = max(self._newest, tapped.pts)

    def close(self) -> Segment:
        """Finish the file.

        Raises:
            OSError: the disk does not take the rest; the file stays readable up to its last fragment.
        """
        self._container.close()
        end = self._anchor.event_time(self._newest + self._spacing, self._base)
        end = max(end, self.start + timedelta(microseconds=1))
        return describe(self._folder, self._path, self._head, self.start, end, self._packets)

    def settled(self) -> None:
        """The segment is in the index: what said that it is open goes."""
        self._beside.unlink(missing_ok=True)


def describe(
    folder: Path,
    path: Path,
    head: SegmentHead,
    start: datetime,
    end: datetime,
    packets: int,
    *,
    recovered: bool = False,
) -> Segment:
    """A finished segment, with the size and the hash of its file, ``path`` in ``folder``.

    Raises:
        OSError: it cannot be read.
    """
    with (folder / path).open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return Segment(
        **dict(head),
        path=path,
        start=start,
        end=end,
        packets=packets,
        size_bytes=(folder / path).stat().st_size,
        sha256=digest,
        recovered=recovered,
    )
