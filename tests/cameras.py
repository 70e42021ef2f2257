"""Small real cameras on loopback, good and bad, for the tests of sources."""

import base64
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import cv2
import numpy as np


def picture(number: int, width: int = 320, height: int = 240) -> np.ndarray:
    """A picture (h, w, 3) in which something moves."""
    canvas = np.full((height, width, 3), 90, np.uint8)
    left = 5 * number % (width - 40)
    cv2.rectangle(canvas, (left, 60), (left + 40, 140), (30, 200, 240), -1)
    return canvas


def write_video(
    path: Path,
    frames: int,
    *,
    size: tuple[int, int] = (320, 240),
    fps: int = 10,
    creation_time: str | None = None,
) -> Path:
    """An H.264 recording."""
    with av.open(str(path), "w") as container:
        if creation_time is not None:
            container.metadata["creation_time"] = creation_time
        stream = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.gop_size = fps
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(number, *size), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@dataclass
class MjpegCamera:
    """How a camera that sends MJPEG over HTTP behaves; may be changed while it runs."""

    fps: float = 20.0
    login: str | None = None
    """user:password, basic authentication."""
    redirect: str | None = None
    stalled: threading.Event = field(default_factory=threading.Event)
    garbage: bool = False
    close_after: int | None = None
    size: tuple[int, int] = (320, 240)
    served: int = 0
    url: str = ""


@contextmanager
def mjpeg_camera(**behaviour: object) -> Iterator[MjpegCamera]:
    camera = MjpegCamera(**behaviour)  # type: ignore[arg-type]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if camera.redirect is not None:
                self.send_response(302)
                self.send_header("Location", camera.redirect)
                self.end_headers()
                return
            wanted = camera.login and "Basic " + base64.b64encode(camera.login.encode()).decode()
            if wanted and self.headers.get("Authorization") != wanted:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            try:
                self.send_pictures()
            except OSError:
                self.close_connection = True

        def send_pictures(self) -> None:
            for number in range(100_000):
                if number == camera.close_after or ended.is_set():
                    return
                while camera.stalled.is_set() and not ended.is_set():
                    time.sleep(0.02)
                jpeg = cv2.imencode(".jpg", picture(number, *camera.size))[1].tobytes()
                if camera.garbage:
                    jpeg = b"\xff\xd8" + bytes(len(jpeg))
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + jpeg + b"\r\n")
                camera.served += 1
                ended.wait(1 / camera.fps)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    ended = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    login = f"{camera.login}@" if camera.login else ""
    camera.url = f"http://{login}127.0.0.1:{server.server_port}/video.mjpg"
    try:
        yield camera
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextmanager
def tcp_server(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that does ``answer`` with each connection; gives its port."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.1)
    ended, connections = threading.Event(), []

    def serve() -> None:
        while not ended.is_set():
            try:
                connection, _ = listening.accept()
            except TimeoutError:
                continue
            connections.append(connection)
            answer(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        ended.set()
        thread.join(5)
        for connection in connections:
            connection.close()
        listening.close()


def say_nothing(_connection: socket.socket) -> None:
    """Take the connection, and never say a word."""


def say_garbage(connection: socket.socket) -> None:
    """Answer whatever is asked with nonsense, and hang up."""
    try:
        connection.sendall(b"\x00\xffnonsense\r\n\r\n" * 2000)
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        connection.close()
