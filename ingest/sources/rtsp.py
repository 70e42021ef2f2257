"""RTSP cameras."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from ingest.event_time import ArrivalClock, CameraClock
from ingest.sources.address import check_address
from ingest.sources.base import Capture, SourceError
from ingest.sources.container import VideoContainer
from safecity.camera import Camera


class RtspSource:
    """A camera's RTSP stream, with digest or basic authentication from its URL.

    FFmpeg waits twice the read timeout on RTSP, so it is given half of it; its ``timeout`` covers the
    connection itself (``stimeout`` is ignored, and hangs for ever).
    """

    def __init__(self, camera: Camera, allowed_networks: Sequence[str], read_timeout: float) -> None:
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
        )
        self.codec = self._container.codec

    def captures(self) -> Iterator[Capture]:
        """See :class:`ingest.sources.base.Source`."""
        clock, camera_clock, base = ArrivalClock(), CameraClock(), float(self._container.time_base)
        came = False
        for picture in self._container.pictures():
            arrival = time.time()
            stamp = None if picture is None or picture.pts is None else picture.pts * base
            event_time = datetime.fromtimestamp(clock.event_time(stamp, arrival), UTC)
            came = came or picture is not None
            error = camera_clock.error(stamp, arrival, self._container.camera_time)
            yield Capture(picture, event_time, datetime.fromtimestamp(arrival, UTC), error)
        # A server that is killed ends the stream without an error.
        raise SourceError("the camera ended the stream" if came else "the stream opened, but no picture came")

    def close(self) -> None:
        """See :class:`ingest.sources.base.Source`."""
        self._container.close()
