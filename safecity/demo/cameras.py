"""Recordings served as RTSP cameras, by Debian's gst-rtsp-server."""

import json
import os
import signal
import struct
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self
from urllib.parse import quote

import av

SYSTEM_PYTHON = "/usr/bin/python3"
SERVER = Path(__file__).with_name("rtsp_server.py")
PACKAGES = "gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
PROBE = """
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
missing = [name for name in ("appsrc", "h264parse", "rtph264pay") if Gst.ElementFactory.find(name) is None]
raise SystemExit(" ".join(missing) or 0)
"""


class RtspServerError(Exception):
    """The RTSP server did not start."""


def rtsp_server_available() -> str | None:
    """None when recordings can be served over RTSP here, else what is missing and how to get it."""
    try:
        probe = subprocess.run([SYSTEM_PYTHON, "-c", PROBE], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return f"{SYSTEM_PYTHON} is missing or hangs"
    return None if probe.returncode == 0 else f"to have one: apt-get install {PACKAGES}"


class RtspServer:
    """Some recordings as endless RTSP cameras on this machine, in a process of their own.

    Args:
        files: name of the stream → H.264 recording.
        port: to listen on; 0: a free one.
        user: with ``password``: what clients have to give, by digest authentication.
        password: see ``user``.

    Raises:
        RtspServerError: it did not start.
    """

    def __init__(
        self,
        files: Mapping[str, Path],
        *,
        port: int = 0,
        user: str | None = None,
        password: str | None = None,
    ) -> None:
        self.port = port
        self._user = user
        self._password = password
        self._folder = tempfile.TemporaryDirectory(prefix="safecity-rtsp-")
        self._streams = [
            _cut(name, path, Path(self._folder.name) / f"{index}.h264")
            for index, (name, path) in enumerate(files.items())
        ]
        self._process = self._start()

    def url(self, name: str) -> str:
        """Address of a stream, with user and password."""
        login = f"{quote(self._user, '')}:{quote(self._password or '', '')}@" if self._user else ""
        return f"rtsp://{login}127.0.0.1:{self.port}/{name}"

    @property
    def pid(self) -> int:
        """Of the server's process."""
        return self._process.pid

    def kill(self) -> None:
        """End it as a power cut does."""
        self._process.kill()
        self._process.wait()
        self._close_pipes()

    def pause(self) -> None:
        """Freeze it: connections stay open, nothing comes."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after :meth:`pause`."""
        os.kill(self.pid, signal.SIGCONT)

    def restart(self) -> None:
        """Start it again, on the same port."""
        self._process = self._start()

    def close(self) -> None:
        """End it and remove what it had on disk."""
        if self._process.poll() is None:
            self.kill()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [SYSTEM_PYTHON, str(SERVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        # Through a pipe: an argument or a variable would show the password to everybody on the machine.
        order = {
            "port": self.port,
            "user": self._user,
            "password": self._password,
            "streams": self._streams,
        }
        process.stdin.write(json.dumps(order).encode() + b"\n")
        process.stdin.flush()
        answer = process.stdout.readline().split()
        if len(answer) != 2 or answer[0] != b"ready":
            process.kill()
            process.wait()
            raise RtspServerError(f"the RTSP server did not start on port {self.port}; is the port in use?")
        self.port = int(answer[1])
        return process

    def _close_pipes(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


def _cut(name: str, recording: Path, target: Path) -> dict[str, str]:
    """Write a recording's access units to ``target``, as the server's process reads them."""
    with av.open(str(recording)) as container, target.open("wb") as output:
        stream = container.streams.video[0]
        rate = stream.average_rate
        for key, unit in _access_units(container, stream):
            output.write(struct.pack(">BI", key, len(unit)) + unit)
    return {
        "name": name,
        "path": str(target),
        "rate": f"{rate.numerator}/{rate.denominator}" if rate else "25/1",
    }


def _access_units(
    container: "av.container.InputContainer", stream: "av.VideoStream"
) -> Iterator[tuple[bool, bytes]]:
    annex_b = av.BitStreamFilterContext("h264_mp4toannexb", stream)
    for packet in container.demux(stream):
        if packet.size:
            key = packet.is_keyframe
            for filtered in annex_b.filter(packet):
                yield key, bytes(filtered)
