"""Cameras that send MJPEG over HTTP."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from fractions import Fraction

from ingest.attention import Attention
from ingest.decoder import VideoPacket
from ingest.packet_tap import Anchor, PacketTap, TappedPacket
from ingest.snapshots import PrivacyMask
from ingest.sources.address import check_address
from ingest.sources.base import Capture, SourceError
from ingest.sources.container import VideoContainer
from safecity.camera import Camera
from safecity.steady_clock import STEADY

ARRIVAL_BASE = Fraction(1, 90_000)
"""Of the time stamps that packets are recorded with: the stream has none of its own."""


class HttpSource:
    """A ``multipart/x-mixed-replace`` stream of JPEGs. Event time is arrival: the stream has no clock."""

    def __init__(
        self,
        camera: Camera,
        allowed_networks: Sequence[str],
        read_timeout: float,
        attention: Attention,
        tap: PacketTap | None = None,
    ) -> None:
        self._attention, self._mask, self._tap = attention, PrivacyMask(camera.masks), tap
        check_address(camera.url, allowed_networks)
        options = {
            "protocol_whitelist": "tcp,tls,http,https,crypto",
            "format_whitelist": "mpjpeg,mjpeg",
            "max_redirects": "0",
            "analyzeduration": "100000",
        }
        self._container = VideoContainer(
            camera.url, options, open_timeout=read_timeout, read_timeout=read_timeout, silence=read_timeout
        )
        self.codec = self._container.codec

    def captures(self) -> Iterator[Capture]:
        """See :class:`ingest.sources.base.Source`."""
        came = False
        for decoded in self._container.decoded(self._attention, self._mask, self._tapping()):
            arrival = datetime.fromtimestamp(decoded.arrival, UTC)
            came = came or decoded.picture is not None
            yield Capture(decoded.picture, arrival, arrival, decoded.unseen, decoded.late, decoded.packet)
        raise SourceError("the camera ended the stream" if came else "the stream opened, but no picture came")

    def _tapping(self) -> Callable[[VideoPacket], None] | None:
        tap = self._tap
        if tap is None:
            return None
        anchor = Anchor(STEADY.now(), 0.0)

        def on_packet(packet: VideoPacket) -> None:
            ticks = round((STEADY.now() - anchor.begin).total_seconds() / ARRIVAL_BASE)
            tap.take(TappedPacket(packet, ticks, ticks, ARRIVAL_BASE, anchor))

        return on_packet

    def close(self) -> None:
        """See :class:`ingest.sources.base.Source`."""
        self._container.close()
