"""Sources of pictures, one kind a module, chosen by the scheme of a camera's address."""

import threading
from collections.abc import Sequence
from urllib.parse import urlsplit

from ingest.attention import Attention
from ingest.packet_tap import PacketTap
from ingest.sources.base import Source
from ingest.sources.file import FileSource
from ingest.sources.http import HttpSource
from ingest.sources.rtsp import RtspSource
from safecity.camera import Camera


def open_source(
    camera: Camera,
    allowed_networks: Sequence[str],
    read_timeout: float,
    stopping: threading.Event,
    attention: Attention,
    tap: PacketTap | None = None,
) -> Source:
    """Open a camera's source.

    Args:
        camera: whose pictures are wanted.
        allowed_networks: CIDR; a camera elsewhere is refused.
        read_timeout: seconds of silence after which a live camera is given up.
        stopping: ends waits of the source's own.
        attention: how much has to be decoded.
        tap: gets the packets as they came; None: nobody wants them.

    Raises:
        SourceError: it cannot be opened.
    """
    scheme = urlsplit(camera.url).scheme
    if scheme == "file":
        return FileSource(camera, stopping, attention, tap)
    if scheme in {"rtsp", "rtsps"}:
        return RtspSource(camera, allowed_networks, read_timeout, attention, tap)
    return HttpSource(camera, allowed_networks, read_timeout, attention, tap)
