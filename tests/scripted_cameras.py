"""Many live cameras whose pictures say by themselves what is to be seen in them, and workers that share them.

Every camera shows somebody who paces to and fro over a line. Which picture is shown depends on the clock
alone, so two workers that read one camera see the same pictures, and everything that happens is known
beforehand (:meth:`ScriptedCameras.crossings`).
"""

import hashlib
import json
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from detectors.backends.scripted import NUMBERED, paint_number

FPS = 2.0
PERIOD = 16
"""Pictures in which somebody goes to the right and comes back."""
CARD = """
name = "pacing"
file = "script.jsonl"
head = "end_to_end"
sha256 = "{digest}"
labels = ["person"]
[input]
width = 96
height = 96
"""
LINE = {"name": "line", "start": [0.5, 0.0], "end": [0.5, 1.0]}
CROSSED = {"kind": "line_crossed", "name": "crossed", "line": "line", "count": "every"}
ZONE = {"name": "right", "polygon": [[0.5, 0.0], [1.0, 0.0], [1.0, 1.0], [0.5, 1.0]]}
ENTERED = {"kind": "zone_entered", "name": "entered", "zone": "right"}


def centre_at(number: int) -> float:
    """Where the person is in a picture, share of its width."""
    step = number % PERIOD
    return 0.2 + 0.6 * min(step, PERIOD - step) / (PERIOD / 2)


def write_script(folder: Path) -> Path:
    """The script's model card."""
    lines = [NUMBERED]
    for number in range(PERIOD):
        x = centre_at(number)
        seen = {"label": "person", "confidence": 0.9, "box": [x - 0.2, 0.3, x + 0.2, 0.9]}
        lines.append(json.dumps([seen]))
    script = "\n".join(lines)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "script.jsonl").write_text(script)
    card = folder / "script.toml"
    card.write_text(CARD.format(digest=hashlib.sha256(script.encode()).hexdigest()))
    return card


def jpegs() -> list[bytes]:
    """The pictures of a period."""
    found = []
    for number in range(PERIOD):
        canvas = np.full((72, 128, 3), 90, np.uint8)
        left = round((centre_at(number) - 0.2) * 128)
        cv2.rectangle(canvas, (left, 22), (left + 51, 65), (30, 200, 240), -1)
        paint_number(canvas, number)
        found.append(cv2.imencode(".jpg", canvas)[1].tobytes())
    return found


class ScriptedCameras:
    """Serves any number of cameras at ``/NAME/video.mjpg``."""

    def __init__(self) -> None:
        self._pictures = jpegs()
        self._begin = time.time()
        self._ended = threading.Event()
        cameras = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                try:
                    for picture in cameras.live(self.path.split("/")[1]):
                        head = (
                            f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                        )
                        self.wfile.write(head.encode() + picture + b"\r\n")
                except OSError:
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def live(self, camera_id: str) -> Iterator[bytes]:
        """Each picture when its time has come."""
        begin = self._begin_of(camera_id)
        number = int((time.time() - begin) * FPS) + 1
        while not self._ended.wait(max(0.0, begin + number / FPS - time.time())):
            yield self._pictures[number % PERIOD]
            number += 1

    def camera(self, camera_id: str, **settings: Any) -> dict[str, Any]:
        """A camera's configuration."""
        return {
            "id": camera_id,
            "source": f"http://127.0.0.1:{self._server.server_port}/{camera_id}/video.mjpg",
            "analysed_fps": 60,
            "motion_gate": False,
            "health": {"enabled": False},
            "lines": [LINE],
            "rules": [CROSSED],
            **settings,
        }

    def crossings(self, camera_id: str, since: float, until: float) -> list[float]:
        """When the line was crossed (the first picture clear of it), seconds since 1970."""
        begin = self._begin_of(camera_id)
        numbers = range(int((since - begin) * FPS) + 1, int((until - begin) * FPS))
        return [begin + n / FPS for n in numbers if _is_clear(n) and not _is_clear(n - 1)]

    def _begin_of(self, camera_id: str) -> float:
        # Cameras do not send their pictures all in the same moment.
        return self._begin + zlib.crc32(camera_id.encode()) % 100 / 100 / FPS

    def close(self) -> None:
        """End all streams."""
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def _is_clear(number: int) -> bool:
    """Whether the person is clear of the line, so that the rule can tell the side."""
    return abs(centre_at(number) - 0.5) > 0.01


@contextmanager
def scripted_cameras() -> Iterator[ScriptedCameras]:
    cameras = ScriptedCameras()
    try:
        yield cameras
    finally:
        cameras.close()


def write_worker(folder: Path, name: str, bus: Mapping[str, Any], **worker: Any) -> Path:
    """The site file of a worker that shares the cameras on ``bus``."""
    folder = folder / name
    document = {
        "name": "shared",
        "data_dir": str(folder / "data"),
        "bus": dict(bus),
        "detector": {"backend": "scripted", "model": str(write_script(folder)), "labels": ["person"]},
        "worker": {
            "name": name,
            "cameras": "bus",
            "processes": 1,
            "metrics_port": 0,
            "status_seconds": 1.0,
            "cpu_share": 1.0,
            **worker,
        },
    }
    site = folder / "site.json"
    site.write_text(json.dumps(document))
    return site


def write_cameras(path: Path, cameras: list[dict[str, Any]]) -> Path:
    """A file with cameras only."""
    path.write_text(json.dumps({"cameras": cameras}))
    return path
