"""Packets to pictures, and no more of them than can matter.

Decoding is what a camera costs when nothing happens. Under ``on_demand`` a stream in which the motion gate
has seen nothing move for a while goes to *sleep*: its packets are kept undecoded, but for the key frames,
which are compared with each other. Two that differ mean that something happened between them, so the packets
between them are decoded after all, late but not lost. A packet that is larger than stillness explains wakes
the stream at once, where the sizes have proved to say something. Nothing rests on them alone: with a
constant bit rate they say nothing, and in a street that is always busy the gate never lets the stream go to
sleep.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import av
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from detectors.motion import MotionGate, shrink
from ingest.attention import Attention, DecodePolicy
from ingest.frame import luma_of
from ingest.ledger import Outcome
from ingest.packet_sizes import PacketSizes
from ingest.snapshots import PrivacyMask
from safecity.steady_clock import STEADY

QUIET_SECONDS = 2.0
"""Nothing has moved for so long before a stream may go to sleep."""
MOST_KEY_SECONDS = 2.5
"""Key frames further apart would tell too late what happened, and rules would take the gap for an absence."""
MOST_HELD = 150
"""Packets; a stream that sends more without a key frame is decoded."""

VideoPacket: TypeAlias = "Packet[VideoStream]"


@dataclass(frozen=True)
class Decoded:
    """What became of one packet."""

    picture: VideoFrame | None
    """None: it was not decoded, or no picture came of it."""
    pts: int | None
    arrival: float
    """Wall clock at which the packet came, seconds since the epoch."""
    unseen: Outcome | None = None
    """Why it was not decoded; None: it was."""
    late: bool = False
    """Decoded only when the next key frame had shown that something happened."""
    packet: "VideoPacket | None" = None
    """What came, where nothing is to be decoded."""


class Decoder:
    """One stream's decoder.

    Args:
        context: of the stream, opened or not; used by nobody else.
        seconds_per_tick: of the stream's time stamps.
        attention: what the analysis sees, and the policy.
        mask: burned into what is compared.
    """

    def __init__(
        self, context: VideoCodecContext, seconds_per_tick: float, attention: Attention, mask: PrivacyMask
    ) -> None:
        self._context = context
        self._tick = seconds_per_tick
        self._attention = attention
        self._mask = mask
        self._sizes = PacketSizes()
        self._keys = MotionGate(look_seconds=float("inf"))
        self._key_pts: int | None = None
        self._key_seconds = float("inf")
        self._asleep = False
        self._held: list[tuple[VideoPacket, float]] = []
        self._gap = False

    @property
    def asleep(self) -> bool:
        """Only key frames are decoded now."""
        return self._asleep

    def feed(self, packet: VideoPacket) -> Iterator[Decoded]:
        """What is known of this packet and of earlier ones that were kept."""
        arrival = STEADY.time()
        if not packet.size:
            yield from self._release()
            yield from self._decode(packet, arrival)
            return
        policy = self._attention.policy
        if policy is not DecodePolicy.ON_DEMAND and self._asleep:
            yield from self._wake(shed=policy is not DecodePolicy.FULL)
        if packet.is_keyframe:
            self._measure(packet)
        if self._passes_over(packet, policy):
            kept = packet if policy is DecodePolicy.NONE else None
            yield Decoded(None, packet.pts, arrival, unseen=Outcome.SHED, packet=kept)
        elif policy is not DecodePolicy.ON_DEMAND:
            yield from self._decode(packet, arrival)
        elif packet.is_keyframe:
            yield from self._key_frame(packet, arrival)
        elif self._asleep:
            yield from self._keep(packet, arrival)
        else:
            self._sizes.learn(packet.size, moving=self._attention.still_seconds == 0.0)
            yield from self._decode(packet, arrival)

    def _passes_over(self, packet: VideoPacket, policy: DecodePolicy) -> bool:
        """Whether it is shed. After a gap nothing can be decoded before the next key frame."""
        if policy is DecodePolicy.NONE or (policy is DecodePolicy.KEY_FRAMES and not packet.is_keyframe):
            self._gap = True
        elif packet.is_keyframe:
            if self._gap:
                self._context.flush_buffers()
            self._gap = False
        return self._gap

    def _key_frame(self, packet: VideoPacket, arrival: float) -> Iterator[Decoded]:
        if self._asleep:
            self._context.flush_buffers()
        came = list(self._decode(packet, arrival))
        changed = self._changed(came)
        if self._asleep and changed:
            yield from self._decode_after_all()
            yield from self._decode(packet, arrival)
            return
        if self._asleep:
            yield from self._release()
        self._asleep = not changed and self._may_sleep()
        self._held = [(packet, arrival)] if self._asleep else []
        yield from came

    def _keep(self, packet: VideoPacket, arrival: float) -> Iterator[Decoded]:
        self._held.append((packet, arrival))
        noticed = self._attention.still_seconds == 0.0
        stands_out = self._sizes.trusted and self._sizes.stands_out(packet.size)
        if noticed or stands_out or len(self._held) > MOST_HELD:
            yield from self._wake()

    def _wake(self, *, shed: bool = False) -> Iterator[Decoded]:
        """Go on from the key frame, which the decoder has, to now; or give up what was kept."""
        held, self._held, self._asleep = self._held[1:], [], False
        for packet, arrival in held:
            if shed:
                yield Decoded(None, packet.pts, arrival, unseen=Outcome.SHED)
            else:
                yield from self._decode(packet, arrival, late=True)

    def _decode_after_all(self) -> Iterator[Decoded]:
        """The packets from the last key frame on; that key frame has been seen, but is decoded from."""
        held, self._held, self._asleep = self._held, [], False
        self._context.flush_buffers()
        for index, (packet, arrival) in enumerate(held):
            came = self._decode(packet, arrival, late=True)
            if index:
                yield from came
            else:
                list(came)
        self._context.flush_buffers()

    def _release(self) -> Iterator[Decoded]:
        """Nothing happened in what was kept."""
        held, self._held = self._held[1:], []
        for packet, arrival in held:
            yield Decoded(None, packet.pts, arrival, unseen=Outcome.STILL)

    def _decode(self, packet: VideoPacket, arrival: float, *, late: bool = False) -> Iterator[Decoded]:
        try:
            pictures = self._context.decode(packet)
        except (av.error.InvalidDataError, av.error.EOFError):
            if packet.size:
                yield Decoded(None, packet.pts, arrival)
            return
        for picture in pictures:
            yield Decoded(None if picture.is_corrupt else picture, picture.pts, arrival, late=late)

    def _measure(self, packet: VideoPacket) -> None:
        if packet.pts is None:
            return
        if self._key_pts is not None:
            self._key_seconds = abs(packet.pts - self._key_pts) * self._tick
        self._key_pts = packet.pts

    def _changed(self, came: list[Decoded]) -> bool:
        """Whether the key frame differs from the last one, or gave no picture at once to tell it by."""
        if len(came) != 1 or came[0].picture is None or self._key_pts is None or came[0].pts != self._key_pts:
            return True
        small = shrink(self._mask.burn(luma_of(came[0].picture)))
        seen = self._keys.update(small, self._key_pts * self._tick)
        return seen.whole or len(seen.patches) > 0

    def _may_sleep(self) -> bool:
        return self._key_seconds <= MOST_KEY_SECONDS and self._attention.still_seconds >= QUIET_SECONDS
