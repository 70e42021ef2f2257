"""Cameras that send MJPEG over HTTP."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from ingest.attention import Attention
from ingest.snapshots import PrivacyMask
from ingest.sources.address import check_address
from ingest.sources.base import Capture, SourceError
from ingest.sources.container import VideoContainer
from safecity.camera import Camera


class HttpSource:
    """A ``multipart/x-mixed-replace`` stream of JPEGs. Event time is arrival: the stream has no clock."""

    def __init__(
        self,
        camera: Camera,
        allowed_networks: Sequence[str],
        read_timeout: float,
        attention: Attention,
    ) -> None:
        self._attention, self._mask = attention, PrivacyMask(camera.masks)
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
        for decoded in self._container.decoded(self._attention, self._mask):
            arrival = datetime.fromtimestamp(decoded.arrival, UTC)
            came = came or decoded.picture is not None
            yield Capture(decoded.picture, arrival, arrival, decoded.unseen, decoded.late, decoded.packet)
        raise SourceError("the camera ended the stream" if came else "the stream opened, but no picture came")

    def close(self) -> None:
        """See :class:`ingest.sources.base.Source`."""
        self._container.close()
