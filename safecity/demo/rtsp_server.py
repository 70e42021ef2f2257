"""An RTSP server in a process of its own, run by the system's Python, which has GStreamer.

It reads one line of JSON from standard input (port, user, password, streams), prints ``ready PORT``, and ends
when standard input does: it does not outlive the program that started it. Only GStreamer and the standard
library are at hand here; the access units come ready cut from :mod:`safecity.demo.cameras`.
"""

import json
import struct
import sys
import threading
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
gi.require_version("GstRtsp", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402  after the versions are chosen

ROLE = "viewer"
LAUNCH = (
    "( appsrc name=source is-live=true format=time block=false max-buffers=2 "
    "caps=video/x-h264,stream-format=byte-stream,alignment=au,framerate={rate} "
    "! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96 config-interval=-1 )"
)


class Footage:
    """Access units in a loop, with time stamps that rise for ever.

    Args:
        path: of records of one byte (1: key frame), four bytes of length and the access unit.
        rate: frames a second, a fraction as text.
    """

    def __init__(self, path: Path, rate: str) -> None:
        numerator, denominator = map(int, rate.split("/"))
        self._duration = Gst.SECOND * denominator // numerator
        self._units: list[tuple[bool, bytes]] = []
        content, place = path.read_bytes(), 0
        while place < len(content):
            key, length = struct.unpack_from(">BI", content, place)
            self._units.append((bool(key), content[place + 5 : place + 5 + length]))
            place += 5 + length

    def feed(self, _factory: Any, media: Any) -> None:
        """Give a newly configured media its access units as it asks for them."""
        source = media.get_element().get_by_name("source")
        numbers = iter(range(sys.maxsize))

        def push(element: Any, _length: int) -> None:
            element.emit("push-buffer", self._buffer(next(numbers)))

        source.connect("need-data", push)

    def _buffer(self, number: int) -> Any:
        key, unit = self._units[number % len(self._units)]
        buffer = Gst.Buffer.new_wrapped(unit)
        buffer.pts = buffer.dts = number * self._duration
        buffer.duration = self._duration
        if not key:
            buffer.set_flags(Gst.BufferFlags.DELTA_UNIT)
        return buffer


def digest_only(user: str, password: str) -> Any:
    """Authentication by digest, never in clear."""
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", ROLE)
    auth.add_digest(user, password, token)
    return auth


def serve(order: dict[str, Any]) -> None:
    """Serve the streams of ``order`` until standard input ends."""
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(order["port"]))
    if order["user"]:
        server.set_auth(digest_only(order["user"], order["password"]))
    for stream in order["streams"]:
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_shared(True)
        factory.set_launch(LAUNCH.format(rate=stream["rate"]))
        factory.connect("media-configure", Footage(Path(stream["path"]), stream["rate"]).feed)
        if order["user"]:
            permissions = GstRtspServer.RTSPPermissions()
            permissions.add_permission_for_role(ROLE, "media.factory.access", True)
            permissions.add_permission_for_role(ROLE, "media.factory.construct", True)
            factory.set_permissions(permissions)
        server.get_mount_points().add_factory(f"/{stream['name']}", factory)
    loop = GLib.MainLoop()
    if server.attach(None) == 0:
        sys.exit("the port is in use")
    threading.Thread(target=lambda: (sys.stdin.read(), loop.quit()), daemon=True).start()
    print("ready", server.get_bound_port(), flush=True)
    loop.run()


if __name__ == "__main__":
    serve(json.loads(sys.stdin.readline()))
