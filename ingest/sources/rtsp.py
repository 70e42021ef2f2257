"""RTSP cameras."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from ingest.attention import Attention
from ingest.decoder import VideoPacket
from ingest.event_time import ArrivalClock, CameraClock
from ingest.packet_tap import Anchor, PacketTap, tapped
from ingest.snapshots import PrivacyMask
from ingest.sources.address import check_address
from ingest.sources.base import Capture, SourceError
from ingest.sources.container import VideoContainer
from safecity.camera import Camera
from safecity.steady_clock import STEADY


class RtspSource:
    """A camera's RTSP stream, with digest or basic authentication from its URL.

    FFmpeg waits twice the read timeout on RTSP, so it is given half of it; its ``timeout`` covers the
    connection itself (``stimeout`` is ignored, and hangs for ever).
    """

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
            "rtsp_transport": camera.transport,
            "allowed_media_types": "video",
            "protocol_whitelist": "rtsp,rtp,udp,tcp,tls,http,https,crypto",
            "analyzeduration": "100000",
            "timeout": str(int(read_timeout / 2 * 1e6)),
        }
        self._container = VideoContainer(
            camera.url,
            options,
            open_timeout=read_timeout,
            read_timeout=read_timeout / 2,
            silence=read_timeout,
            deblocking=camera.deblocking,
        )
        self.codec = self._container.codec

    def captures(self) -> Iterator[Capture]:
        """See :class:`ingest.sources.base.Source`."""
        clock, camera_clock, base = ArrivalClock(), CameraClock(), float(self._container.time_base)
        came = False
        for decoded in self._container.decoded(self._attention, self._mask, self._tapping(clock)):
            stamp = None if decoded.pts is None else decoded.pts * base
            event_time = datetime.fromtimestamp(clock.event_time(stamp, decoded.arrival), UTC)
            came = came or decoded.picture is not None
            arrival = datetime.fromtimestamp(decoded.arrival, UTC)
            error = camera_clock.error(stamp, decoded.arrival, self._container.camera_time)
            yield Capture(
                decoded.picture, event_time, arrival, decoded.unseen, decoded.late, decoded.packet, error
            )
        # A server that is killed ends the stream without an error.
        raise SourceError("the camera ended the stream" if came else "the stream opened, but no picture came")

    def _tapping(self, clock: ArrivalClock) -> Callable[[VideoPacket], None] | None:
        tap, base = self._tap, self._container.time_base
        if tap is None:
            return None

        def on_packet(packet: VideoPacket) -> None:
            stamp = None if packet.pts is None else float(packet.pts * base)
            event_time = datetime.fromtimestamp(clock.event_time(stamp, STEADY.time()), UTC)
            with_times = tapped(packet, base, Anchor(event_time, stamp or 0.0))
            if with_times is not None:
                tap.take(with_times)

        return on_packet

    def close(self) -> None:
        """See :class:`ingest.sources.base.Source`."""
        self._container.close()
