"""A real RTSP camera for tests: the shipped footage, served by Debian's gst-rtsp-server."""

from functools import cache

import pytest

from safecity.demo.cameras import RtspServer, rtsp_server_available
from safecity.demo.scenes import FOOTAGE

_reason = cache(rtsp_server_available)


def rtsp_server(user: str | None = None, password: str | None = None) -> RtspServer:
    """The footage as ``url("street")``; skips the test, loudly, where there is no gst-rtsp-server."""
    if (missing := _reason()) is not None:
        pytest.skip(f"NO RTSP SERVER: {missing}")
    return RtspServer({"street": FOOTAGE}, user=user, password=password)
