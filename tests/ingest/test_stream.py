"""Camera streams: what they do when cameras do what cameras do. The ledger adds up in every case."""

import threading
import time

import pytest

from ingest.attention import Attention
from ingest.ledger import Ledger, Outcome
from ingest.mailbox import Mailbox
from ingest.stream import CameraStream
from safecity.camera import DEFAULT_NETWORKS, Camera
from safecity.free_port import free_port
from safecity.status import CameraState
from tests.cameras import mjpeg_camera, write_video
from tests.rtsp import rtsp_server
from tests.system.processes import wait_until


class Watched:
    """A stream, its mailbox, and what it said."""

    def __init__(self, url, **more):
        self.ledger, self.wake = Ledger(), threading.Event()
        self.mailbox = Mailbox(self.wake)
        self.turns = []
        camera = Camera(id="cam-1", source=url, **more)
        self.stream = CameraStream(
            camera,
            self.mailbox,
            self.ledger,
            Attention(),
            allowed_networks=DEFAULT_NETWORKS,
            read_timeout=2.0,
            on_state=self.turns.append,
        )

    def __enter__(self):
        self.stream.start()
        return self

    def __exit__(self, *_):
        self.stream.stop(10)
        while self.mailbox.take() is not None:
            self.ledger.settle(Outcome.SHED)
        counts = self.ledger.counts()
        assert (counts.in_flight, counts.residue) == (0, 0)

    @property
    def state(self):
        return self.stream.state.state

    def take(self):
        """The next frame, as the analysis takes it."""
        while (frame := self.mailbox.take()) is None:
            assert self.wake.wait(20), "no frame came"
            self.wake.clear()
        self.ledger.settle(Outcome.ANALYSED)
        return frame


def test_a_live_camera_is_live_and_its_newest_frame_is_there():
    with mjpeg_camera(fps=25) as camera, Watched(camera.url, analysed_fps=25) as watched:
        first = watched.take()
        assert watched.state is CameraState.LIVE
        wait_until(lambda: watched.ledger.counts().overwritten >= 3, 10, "newer frames")
        later = watched.take()
        assert later.index > first.index + 1
        assert later.captured_at > first.captured_at
        state = watched.stream.state
        assert (state.width, state.height, state.codec) == (320, 240, "mjpeg")
    assert watched.state is CameraState.STOPPED


def test_frames_between_samples_are_counted():
    with mjpeg_camera(fps=25) as camera, Watched(camera.url, analysed_fps=5) as watched:
        for _ in range(6):
            watched.take()
        counts = watched.ledger.counts()
    assert counts.sampled_out > 2 * counts.analysed


def test_a_camera_that_comes_later_is_found():
    port = free_port()
    with Watched(f"http://127.0.0.1:{port}/x") as watched:
        wait_until(lambda: watched.state is CameraState.RECONNECTING, 10, "the refusal")
        assert "refuses the connection" in watched.stream.state.reason


@pytest.mark.parametrize("fault", ["stalls", "hangs up"])
def test_a_camera_that_fails_is_opened_again(fault):
    with mjpeg_camera() as camera, Watched(camera.url) as watched:
        watched.take()
        if fault == "stalls":
            camera.stalled.set()
        else:
            camera.close_after = 1
        wait_until(lambda: watched.state is CameraState.RECONNECTING, 15, "its state to turn")
        assert watched.stream.state.reason
        camera.stalled.clear()
        camera.close_after = None
        served = watched.stream.state.last_frame_at
        wait_until(lambda: watched.state is CameraState.LIVE, 20, "it to be live again")
        wait_until(lambda: watched.stream.state.last_frame_at > served, 10, "a frame")
        assert watched.stream.state.reconnects >= 1
        assert watched.stream.state.reason is None


@pytest.mark.rtsp
def test_an_rtsp_camera_that_is_killed_and_comes_back():
    with (
        rtsp_server(user="operator", password="hidden-word") as server,
        Watched(server.url("street")) as watched,
    ):
        watched.take()
        server.kill()
        wait_until(lambda: watched.state is CameraState.RECONNECTING, 15, "its state to turn")
        assert "hidden-word" not in str(watched.turns)
        server.restart()
        wait_until(lambda: watched.state is CameraState.LIVE, 20, "it to be live again")


def test_what_cannot_be_decoded_is_corrupt_and_never_live():
    with mjpeg_camera(garbage=True, fps=100) as camera, Watched(camera.url) as watched:
        wait_until(lambda: watched.state is CameraState.RECONNECTING, 20, "it to be given up")
        assert CameraState.LIVE not in {turn.state for turn in watched.turns}


def test_another_size_in_the_middle_is_taken_in_stride():
    with mjpeg_camera(fps=10) as camera, Watched(camera.url, analysed_fps=10) as watched:
        assert watched.take().width == 320
        camera.size = (640, 480)
        wait_until(lambda: watched.take().width == 640, 15, "the new size")
        assert watched.state is CameraState.LIVE
        assert (watched.stream.state.width, watched.stream.state.height) == (640, 480)


def test_a_recording_read_fast_loses_no_frame_however_slow_the_analysis(tmp_path):
    path = write_video(tmp_path / "clip.mp4", 40)
    with Watched(f"file://{path}", playback="fast", analysed_fps=5) as watched:
        indices = []
        while watched.state is not CameraState.ENDED or len(indices) < 20:
            indices.append(watched.take().index)
            time.sleep(0.01)
            if len(indices) == 20:
                wait_until(lambda: watched.state is CameraState.ENDED, 10, "the end")
        counts = watched.ledger.counts()
    assert indices == list(range(0, 40, 2))
    assert (counts.received, counts.sampled_out, counts.overwritten) == (40, 20, 0)
    assert watched.state is CameraState.ENDED, "a stop does not undo the end"


def test_a_stop_does_not_wait_for_a_camera_that_hangs():
    with mjpeg_camera() as camera:
        watched = Watched(camera.url)
        with watched:
            watched.take()
            camera.stalled.set()
            time.sleep(0.2)
            begin = time.monotonic()
            watched.stream.stop(0.5)
            assert time.monotonic() - begin < 1.5
            assert watched.state is CameraState.STOPPED
