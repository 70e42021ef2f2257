"""A tap on a source's packets: what wants the stream as it came gets it here, before it is decoded."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Protocol

from ingest.decoder import VideoPacket


@dataclass(frozen=True)
class Anchor:
    """Ties a stream's time stamps to event time."""

    begin: datetime
    """Event time, UTC, at ``origin``."""
    origin: float
    """A time stamp of the stream, seconds."""

    def event_time(self, pts: int, time_base: Fraction) -> datetime:
        """Event time of the time stamp ``pts``, in ticks of ``time_base``; to the microsecond."""
        return self.begin + timedelta(seconds=pts * float(time_base) - self.origin)


@dataclass(frozen=True)
class TappedPacket:
    """A packet with its times, as the source understands them."""

    packet: VideoPacket
    """The decoder's own: to be copied, not changed."""
    pts: int
    dts: int
    time_base: Fraction
    anchor: Anchor

    @property
    def event_time(self) -> datetime:
        """When its picture was taken, UTC."""
        return self.anchor.event_time(self.pts, self.time_base)


class PacketTap(Protocol):
    """Takes the packets of one camera's stream, in the thread that reads it."""

    def take(self, tapped: TappedPacket) -> None:
        """The next packet, in the order of decoding. Raises nothing, and does not wait."""
        ...

    def away(self, reason: str) -> None:
        """The stream ended or broke; the next packet is of another one."""
        ...


def tapped(packet: VideoPacket, time_base: Fraction, anchor: Anchor) -> TappedPacket | None:
    """A packet with the times that the stream gave it; None when it gave it none."""
    pts = packet.pts if packet.pts is not None else packet.dts
    if pts is None:
        return None
    return TappedPacket(packet, pts, packet.dts if packet.dts is not None else pts, time_base, anchor)
