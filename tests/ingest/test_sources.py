"""Sources, each read from a real server or file."""

import threading
import time
import wave
from collections import deque
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest

from ingest.attention import Attention
from ingest.check import try_cameras
from ingest.sources import open_source
from ingest.sources.base import SourceError
from ingest.sources.file import EPOCH
from safecity.camera import DEFAULT_NETWORKS, Camera
from tests.cameras import mjpeg_camera, say_garbage, say_nothing, tcp_server, write_video
from tests.rtsp import rtsp_server

TIMEOUT = 2.0
SECRET = "hidden-Pa55word"


def open_camera(url, *, networks=DEFAULT_NETWORKS, **more):
    camera = Camera(id="cam-1", source=url, **more)
    return open_source(camera, networks, TIMEOUT, threading.Event(), Attention())


def read(url, count, **more):
    source = open_camera(url, **more)
    try:
        return list(islice(source.captures(), count))
    finally:
        source.close()


@pytest.mark.rtsp
def test_rtsp_with_digest_gives_pictures_with_even_event_times():
    with rtsp_server(user="operator", password=SECRET) as server:
        captures = read(server.url("street"), 30)
    assert all((c.picture.width, c.picture.height) == (768, 576) for c in captures)
    times = [capture.captured_at for capture in captures]
    assert times == sorted(times)
    # The camera's own clock: ten pictures a second, however they arrive once the first are through.
    late = [(later - earlier).total_seconds() for earlier, later in pairwise(times[10:])]
    assert late == pytest.approx([0.1] * len(late), abs=0.02)
    assert abs((datetime.now(UTC) - times[-1]).total_seconds()) < 10


@pytest.mark.rtsp
def test_an_rtsp_camera_tells_its_time_after_some_seconds_and_it_is_ours():
    with rtsp_server() as server:
        source = open_camera(server.url("street"))
        assert source._container.camera_time is None
        begin, told = time.monotonic(), None
        for capture in source.captures():
            told, error = source._container.camera_time, capture.clock_error
            assert error is None or abs(error) < 2.0
            if told is not None and error is not None:
                break
            assert time.monotonic() - begin < 20
        assert abs(told - time.time()) < 30
        source.close()


@pytest.mark.rtsp
@pytest.mark.parametrize("login", ["", "operator:wrong-word@"])
def test_rtsp_without_the_right_password_is_refused_in_words(login):
    with rtsp_server(user="operator", password=SECRET) as server:
        with pytest.raises(SourceError, match="another user or password") as refused:
            open_camera(f"rtsp://{login}127.0.0.1:{server.port}/street")
        assert "wrong-word" not in str(refused.value)
        with pytest.raises(SourceError, match="knows no such path"):
            open_camera(server.url("none"))


@pytest.mark.rtsp
def test_a_killed_rtsp_server_is_noticed():
    with rtsp_server() as server:
        source = open_camera(server.url("street"))
        captures = source.captures()
        next(captures)
        server.kill()
        with pytest.raises(SourceError):
            deque(captures)
        source.close()


@pytest.mark.rtsp
def test_a_frozen_rtsp_server_is_noticed_in_its_time():
    with rtsp_server() as server:
        source = open_camera(server.url("street"))
        captures = source.captures()
        next(captures)
        server.pause()
        begin = time.monotonic()
        with pytest.raises(SourceError):
            deque(captures)
        assert time.monotonic() - begin < 10 * TIMEOUT, "without a deadline it hangs for more than a minute"
        server.resume()
        source.close()


def test_mjpeg_comes_with_the_time_of_its_arrival():
    with mjpeg_camera(fps=20) as camera:
        before = datetime.now(UTC)
        captures = read(camera.url, 25)
    assert {capture.picture.width for capture in captures} == {320}
    times = [capture.captured_at for capture in captures]
    assert times == sorted(times)
    assert before <= times[0] <= times[-1] <= datetime.now(UTC)


def test_mjpeg_with_a_password():
    with mjpeg_camera(login=f"operator:{SECRET}") as camera:
        assert len(read(camera.url, 3)) == 3
        with pytest.raises(SourceError, match="another user or password"):
            open_camera(camera.url.replace(SECRET, "wrong-word"))


def test_mjpeg_that_stalls_ends_and_sends_nonsense():
    with mjpeg_camera() as camera:
        captures = open_camera(camera.url).captures()
        next(captures)
        camera.stalled.set()
        with pytest.raises(SourceError, match="in time"):
            deque(captures)
    with mjpeg_camera(close_after=20) as camera, pytest.raises(SourceError):
        read(camera.url, 1000)
    with mjpeg_camera(garbage=True) as camera, pytest.raises(SourceError):
        assert all(capture.picture is None for capture in read(camera.url, 10_000))


def test_a_camera_that_leads_elsewhere_is_not_followed():
    with mjpeg_camera() as elsewhere, mjpeg_camera(redirect=elsewhere.url) as camera:
        with pytest.raises(SourceError):
            open_camera(camera.url)
        assert elsewhere.served == 0
    with mjpeg_camera(redirect="file:///etc/passwd") as camera, pytest.raises(SourceError):
        open_camera(camera.url)


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
@pytest.mark.parametrize("answer", [say_nothing, say_garbage])
def test_servers_that_are_no_cameras(scheme, answer):
    with tcp_server(answer) as port, pytest.raises(SourceError) as refused:
        read(f"{scheme}://operator:{SECRET}@127.0.0.1:{port}/x", 1)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_an_address_outside_the_allowed_networks_is_never_opened(scheme):
    asked = []
    with tcp_server(asked.append) as port:
        with pytest.raises(SourceError, match="outside allowed_networks"):
            open_camera(f"{scheme}://localhost:{port}/x", networks=("10.0.0.0/8",))
        with pytest.raises(SourceError, match="is not known"):
            open_camera(f"{scheme}://no-such-camera.invalid/x")
    assert asked == []


def test_a_recording_read_fast_has_event_times_of_its_own(tmp_path):
    path = write_video(tmp_path / "clip.mp4", 30, creation_time="2025-05-06T07:08:09Z")
    captures = read(f"file://{path}", 1000, playback="fast")
    assert len(captures) == 30
    begin = datetime(2025, 5, 6, 7, 8, 9, tzinfo=UTC)
    assert [c.captured_at for c in captures] == [begin + timedelta(seconds=n / 10) for n in range(30)]
    given = datetime(2020, 1, 1, tzinfo=UTC)
    assert read(f"file://{path}", 1, playback="fast", start_time=given)[0].captured_at == given
    bare = write_video(tmp_path / "bare.mp4", 5)
    assert read(f"file://{bare}", 1, playback="fast")[0].captured_at == EPOCH


def test_an_offset_begins_later(tmp_path):
    path = write_video(tmp_path / "clip.mp4", 30)
    captures = read(f"file://{path}", 1000, playback="fast", start_offset_seconds=1.25)
    assert captures[0].captured_at == EPOCH + timedelta(seconds=1.3)
    assert len(captures) == 17
    with pytest.raises(SourceError, match="no picture after 60 s"):
        read(f"file://{path}", 1, playback="live", start_offset_seconds=60)


def test_a_recording_as_a_camera_takes_its_time_and_loops(tmp_path):
    path = write_video(tmp_path / "clip.mp4", 8)
    begin = time.monotonic()
    captures = read(f"file://{path}", 20, playback="loop")
    assert time.monotonic() - begin >= 1.8
    steps = [
        (later.captured_at - earlier.captured_at).total_seconds() for earlier, later in pairwise(captures)
    ]
    assert steps == pytest.approx([0.1] * 19, abs=1e-4), "also across the seam"
    assert len(read(f"file://{path}", 1000, playback="live")) == 8


def test_a_recording_that_is_broken_in_the_middle_gives_the_rest(tmp_path):
    path = write_video(tmp_path / "clip.mkv", 60)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = bytes(2000)
    path.write_bytes(content)
    captures = read(f"file://{path}", 1000, playback="fast")
    good = [capture for capture in captures if capture.picture is not None]
    assert 20 < len(good) < 60


@pytest.mark.parametrize("content", [b"", b"no video at all", b"\x00" * 5000])
def test_what_is_no_recording_says_so(tmp_path, content):
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceError, match="no video that can be read"):
        open_camera(f"file://{path}")
    with pytest.raises(SourceError, match="no such file"):
        open_camera(f"file://{path}.none")
    with pytest.raises(SourceError):
        open_camera(f"file://{tmp_path}")


def test_a_recording_of_sound_alone_says_so(tmp_path):
    path = tmp_path / "sound.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(16_000))
    with pytest.raises(SourceError, match="no video in it"):
        open_camera(f"file://{path}")


def test_cameras_are_tried_side_by_side_and_each_has_its_result(tmp_path):
    recording = write_video(tmp_path / "clip.mp4", 30)
    with mjpeg_camera() as good, tcp_server(say_nothing) as silent:
        sources = {
            "file": f"file://{recording}",
            "mjpeg": good.url,
            "silent": f"rtsp://operator:{SECRET}@127.0.0.1:{silent}/x",
        }
        cameras = [Camera(id=name, source=url, playback="loop") for name, url in sources.items()]
        file, mjpeg, none = try_cameras(cameras, DEFAULT_NETWORKS, TIMEOUT)
    assert (file.ok, file.width, file.height, file.codec, file.fps) == (True, 320, 240, "h264", 10.0)
    assert (mjpeg.ok, mjpeg.codec) == (True, "mjpeg")
    assert 10 < mjpeg.fps < 30
    assert (none.ok, none.width) == (False, None)
    assert SECRET not in none.reason
