"""What a worker holds: bounded with many cameras, and the same after a camera has come and gone 200 times."""

import json
import socket
import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import cv2
import pytest

from ingest.attention import Attention
from ingest.backoff import Backoff
from ingest.ledger import Ledger, Outcome
from ingest.mailbox import Mailbox
from ingest.stream import CameraStream
from safecity.camera import DEFAULT_NETWORKS, Camera
from tests.cameras import mjpeg_camera, tcp_server
from tests.detectors.footage import street
from tests.system.processes import Part, children_of, parts, wait_until

CAMERAS = 20
MOST_BYTES = 1_000_000_000
SETTLED, RECONNECTIONS = 60, 200
NOISE_BYTES = 8_000_000
"""What an allocator keeps or gives back between two looks: 40 kB a reconnection would be seen."""


def status_of(pid: int | str, field: str) -> int:
    """A number out of /proc: kB or a count."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(f"{field}:")))


def write_street(path: Path, seconds: int, fps: int = 25) -> Path:
    """The street, 640 x 360, as a camera's second stream sends it."""
    pictures = [cv2.resize(picture, (640, 360)) for picture in street(10 * seconds)]
    with av.open(str(path), "w") as container:
        options = {"preset": "ultrafast", "bf": "0"}
        stream = container.add_stream("libx264", rate=fps, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 640, 360, "yuv420p", 2 * fps
        for number in range(seconds * fps):
            frame = av.VideoFrame.from_ndarray(pictures[number * 10 // fps], format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_a_worker_with_20_cameras_stays_under_1_gb(tmp_path):
    source = write_street(tmp_path / "street.mp4", seconds=6).as_uri()
    cameras = [{"id": f"cam-{n}", "source": source, "playback": "loop"} for n in range(CAMERAS)]
    document = {
        "name": "twenty",
        "data_dir": str(tmp_path / "data"),
        "bus": {"backend": "embedded"},
        "worker": {"processes": 1, "metrics_port": 0},
        "cameras": cameras,
    }
    site, summary = tmp_path / "site.json", tmp_path / "summary.json"
    site.write_text(json.dumps(document))
    worker = Part(["worker", "--site", str(site), "--summary", str(summary)], tmp_path / "log", {})
    with parts(worker):
        worker.start()
        wait_until(lambda: worker.said.count("state=live") == CAMERAS, 120, "all cameras to be live")
        time.sleep(10)
        peaks = [
            status_of(pid, "VmHWM") << 10 for pid in (worker.process.pid, *children_of(worker.process.pid))
        ]
        assert worker.stop() == 0
    ledgers = json.loads(summary.read_text())["ledger"]
    assert len(ledgers) == CAMERAS
    assert all(ledger["received"] > 100 for ledger in ledgers.values())
    # Twenty busy streets are more than a core can look at: some are given less, by the overload ladder.
    assert sum(ledger["analysed"] > 0 for ledger in ledgers.values()) >= CAMERAS // 4
    print(f"\npeak resident: {', '.join(f'{peak / 1e6:.0f} MB' for peak in peaks)}")
    assert max(peaks) < MOST_BYTES


class Flapping:
    """A camera that comes and goes, read by a stream that hardly waits in between."""

    def __init__(self, url: str) -> None:
        self.ledger, self.mailbox = Ledger(), Mailbox(threading.Event())
        self.opened = 0
        self.stream = CameraStream(
            Camera(id="cam-1", source=url),
            self.mailbox,
            self.ledger,
            Attention(),
            allowed_networks=DEFAULT_NETWORKS,
            read_timeout=2.0,
            on_state=lambda _: None,
            backoff=Counting(self),
        )

    def __enter__(self):
        self.stream.start()
        return self

    def __exit__(self, *_):
        self.stream.stop(10)
        while self.mailbox.take() is not None:
            self.ledger.settle(Outcome.SHED)
        assert self.ledger.counts().residue == 0

    def holds(self, after: int) -> tuple[int, int, int]:
        """Resident bytes, open files and threads once it has been opened ``after`` times."""
        wait_until(lambda: self.opened >= after, 60, f"{after} reconnections")
        threads = status_of("self", "Threads")
        return status_of("self", "VmRSS") << 10, len(list(Path("/proc/self/fd").iterdir())), threads


class Counting(Backoff):
    """Counts what it is asked."""

    def __init__(self, owner: Flapping) -> None:
        super().__init__(shortest=0.002, longest=0.004)
        self._owner = owner

    def next_wait(self) -> float:
        self._owner.opened += 1
        return super().next_wait()


def hang_up(connection: socket.socket) -> None:
    connection.close()


def send_garbage(connection: socket.socket) -> None:
    connection.settimeout(2)
    try:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace\r\n\r\n")
        connection.sendall(b"\x00\xffnonsense\r\n\r\n" * 2000)
    except OSError:
        pass
    finally:
        connection.close()


def assert_nothing_is_left(before: tuple[int, int, int], after: tuple[int, int, int]) -> None:
    names = ("resident bytes", "open files", "threads")
    print("\n" + ", ".join(f"{n}: {b} → {a}" for n, b, a in zip(names, before, after, strict=True)))
    assert after[0] - before[0] < NOISE_BYTES
    # A connection may be in the making at either look.
    assert abs(after[1] - before[1]) <= 2
    assert abs(after[2] - before[2]) <= 1


@pytest.mark.parametrize("answer", [hang_up, send_garbage])
@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_200_refusals_leave_nothing_behind(answer, scheme):
    with tcp_server(answer) as port, Flapping(f"{scheme}://127.0.0.1:{port}/video.mjpg") as camera:
        before = camera.holds(SETTLED)
        assert_nothing_is_left(before, camera.holds(SETTLED + RECONNECTIONS))


def test_200_streams_of_two_pictures_leave_nothing_behind():
    with mjpeg_camera(fps=1000, close_after=2) as server, Flapping(server.url) as camera:
        before = camera.holds(SETTLED)
        assert_nothing_is_left(before, camera.holds(SETTLED + RECONNECTIONS))
        assert camera.stream.state.reconnects > RECONNECTIONS / 2
        assert camera.ledger.counts().received >= RECONNECTIONS
