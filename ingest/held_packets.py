"""The newest packets of a stream, undecoded, from which one picture can be decoded when it is wanted."""

from collections import deque
from dataclasses import dataclass, field
from typing import cast

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ingest.decoder import VideoPacket

HELD_SECONDS = 5.0
"""The analysis may be so far behind the stream."""
MOST_PACKETS = 600
MOST_BYTES = 16_000_000
"""Of one camera: five seconds at 25 Mbit/s."""


@dataclass
class _Group:
    """A key frame and what is decoded from it."""

    packets: list[tuple[VideoPacket, float]] = field(default_factory=list)
    size: int = 0


class HeldPackets:
    """Bounded in time, packets and bytes. Whole groups are given up, the oldest first: what is left always
    begins with a key frame."""

    def __init__(self) -> None:
        self._groups: deque[_Group] = deque()

    def __len__(self) -> int:
        """Packets held."""
        return sum(len(group.packets) for group in self._groups)

    @property
    def size(self) -> int:
        """Bytes held."""
        return sum(group.size for group in self._groups)

    def add(self, packet: VideoPacket, seconds: float) -> None:
        """Hold the next packet, of event time ``seconds``; one before the first key frame is of no use."""
        if packet.is_keyframe:
            self._groups.append(_Group())
        if not self._groups:
            return
        self._groups[-1].packets.append((packet, seconds))
        self._groups[-1].size += packet.size
        while self._groups and self._too_much(seconds):
            self._groups.popleft()

    def clear(self) -> None:
        """The stream begins anew."""
        self._groups.clear()

    def group_of(self, seconds: float) -> list[tuple[VideoPacket, float]]:
        """The group with the packet nearest to event time ``seconds``; empty when nothing is held."""
        nearest = min(
            self._groups, key=lambda group: min(abs(s - seconds) for _, s in group.packets), default=None
        )
        return list(nearest.packets) if nearest else []

    def _too_much(self, newest: float) -> bool:
        if len(self) > MOST_PACKETS or self.size > MOST_BYTES:
            return True
        # The oldest group goes when the next one reaches far enough back.
        return len(self._groups) > 1 and self._groups[1].packets[0][1] < newest - HELD_SECONDS


def decode_nearest(
    packets: list[tuple[VideoPacket, float]], seconds: float
) -> tuple[VideoFrame, float] | None:
    """The picture of a group nearest to event time ``seconds``, and its own event time.

    Args:
        packets: with their event times, in the order of decoding, a key frame first.
        seconds: event time wanted.
    """
    if not packets:
        return None
    times = {packet.pts: at for packet, at in packets}
    context = _decoder_like(packets[0][0].stream)
    best: tuple[VideoFrame, float] | None = None
    for packet in (*(packet for packet, _ in packets), None):
        try:
            pictures = context.decode(packet)
        except (av.error.InvalidDataError, av.error.EOFError):
            continue
        for picture in pictures:
            at = times.get(picture.pts)
            if at is None or picture.is_corrupt:
                continue
            if best is None or abs(at - seconds) <= abs(best[1] - seconds):
                best = picture, at
            if at >= seconds:
                return best
    return best


def _decoder_like(stream: VideoStream) -> VideoCodecContext:
    """A decoder of its own, so that the stream's reader is not disturbed."""
    context = cast(VideoCodecContext, av.CodecContext.create(stream.codec_context.name, "r"))
    context.extradata = stream.codec_context.extradata
    context.thread_count = 1
    return context
