"""The main stream beside a substream: kept undecoded, decoded for the picture of an event, and masked."""

import time
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import av
import cv2
import numpy as np
import pytest

from detectors.detections import Detections
from detectors.detector import build_detector
from ingest.check import try_cameras
from ingest.frame import Frame
from ingest.held_packets import MOST_PACKETS, HeldPackets, decode_nearest
from ingest.main_stream import TOLERANCE_SECONDS, MainPicture, MainRecording, MainStream
from ingest.picture_taking import PictureTaker
from ingest.seen import Seen
from ingest.snapshots import PrivacyMask
from safecity.camera import DEFAULT_NETWORKS, Camera
from safecity.free_port import free_port
from safecity.settings import DetectorSettings
from tests.cameras import mjpeg_camera, picture, write_video
from tests.detectors.footage import street
from tests.rtsp import rtsp_server
from tests.system.processes import wait_until

BEGIN = datetime(2026, 5, 1, 12, tzinfo=UTC)


def bgr(found):
    return found.picture.to_ndarray(format="bgr24")


def packets_of(path, fps=10):
    with av.open(str(path)) as container:
        for number, packet in enumerate(container.demux(video=0)):
            if packet.size:
                yield packet, number / fps


class Reading:
    """A main stream that is being read."""

    def __init__(self, camera, read_timeout=2.0):
        self.stream = MainStream(camera, allowed_networks=DEFAULT_NETWORKS, read_timeout=read_timeout)

    def __enter__(self):
        self.stream.start()
        return self.stream

    def __exit__(self, *_):
        self.stream.stop(10)


def test_the_picture_is_that_of_the_moment_asked_for(tmp_path):
    held = HeldPackets()
    for packet, seconds in packets_of(write_video(tmp_path / "x.mp4", 40)):
        held.add(packet, seconds)
    for number in (0, 7, 10, 19, 25, 39):
        found, at = decode_nearest(held.group_of(number / 10 + 0.01), number / 10 + 0.01)
        assert at == number / 10
        shown = found.to_ndarray(format="bgr24").astype(int)
        assert np.abs(shown - picture(number)).mean() < 6
        errors = [np.abs(shown - picture(other)).mean() for other in range(number - 3, number + 4)]
        assert int(np.argmin(errors)) == 3


def test_what_is_held_is_bounded_and_begins_with_a_key_frame(tmp_path):
    held, seconds = HeldPackets(), 0.0
    for _ in range(8):
        for packet, _ in packets_of(write_video(tmp_path / "x.mp4", 30)):
            held.add(packet, seconds)
            seconds += 0.1
            assert held.group_of(0.0)[0][0].is_keyframe
    # Five seconds, and what begins the group that the oldest of them lies in.
    assert 50 <= len(held) <= 70
    packet = next(packet for packet, _ in packets_of(tmp_path / "x.mp4") if not packet.is_keyframe)
    for _ in range(MOST_PACKETS):
        held.add(packet, seconds)
    # A stream without end between two key frames: nothing of it can be held.
    assert (len(held), held.size) == (0, 0)
    assert decode_nearest(held.group_of(seconds), seconds) is None


def test_a_live_main_stream_gives_the_picture_of_now_and_none_when_it_is_gone():
    with mjpeg_camera(fps=20, size=(640, 480)) as camera, Reading(Camera(id="c", source=camera.url)) as main:
        wait_until(lambda: main.nearest(datetime.now(UTC)) is not None, 10, "a picture")
        when = datetime.now(UTC) - timedelta(seconds=0.2)
        found = main.nearest(when)
        assert (found.picture.width, found.picture.height) == (640, 480)
        assert abs((found.captured_at - when).total_seconds()) < TOLERANCE_SECONDS
        assert main.nearest(when - timedelta(seconds=60)) is None
        assert main.trouble is None
        camera.stalled.set()
        wait_until(lambda: main.trouble is not None, 20, "the stall to be noticed")
        assert main.nearest(datetime.now(UTC)) is None
        camera.stalled.clear()
        wait_until(lambda: main.trouble is None, 20, "it to come back")
        wait_until(lambda: main.nearest(datetime.now(UTC)) is not None, 10, "a picture again")


def test_an_rtsp_main_stream_is_read_without_being_decoded():
    with rtsp_server() as server:
        url = server.url("street")
        with Reading(Camera(id="c", source=url), read_timeout=8.0) as main:
            wait_until(lambda: main.nearest(datetime.now(UTC)) is not None, 20, "a picture")
            begin = main.cpu_seconds
            time.sleep(2)
            assert main.cpu_seconds - begin < 0.2
            found = main.nearest(datetime.now(UTC))
    assert found.picture.width > 600
    assert bgr(found).std() > 20


def test_a_recording_played_fast_is_sought_in(tmp_path):
    path = write_video(tmp_path / "x.mp4", 60)
    camera = Camera(id="c", source=path.as_uri(), playback="fast", start_time=BEGIN)
    main = MainRecording(camera)
    for number in (3, 41, 20):
        found = main.nearest(BEGIN + timedelta(seconds=number / 10))
        assert found.captured_at == BEGIN + timedelta(seconds=number / 10)
        assert np.abs(bgr(found).astype(int) - picture(number)).mean() < 6
    assert main.nearest(BEGIN + timedelta(seconds=30)) is None
    path.unlink()
    assert main.nearest(BEGIN) is None


class Nobody:
    """A detector that never finds anybody."""

    labels = ("person",)

    def detect(self, picture):
        return Detections.empty()


class Shown:
    """A main stream with one picture."""

    def __init__(self, picture, at=BEGIN):
        self.frame, self.at = av.VideoFrame.from_ndarray(picture, format="bgr24"), at

    def nearest(self, when):
        return MainPicture(self.frame, self.at)


def taken(detector, main, sub, masks=(), found=None):
    frame = Frame.from_bgr("c", 0, BEGIN, BEGIN, sub)
    taker = PictureTaker(detector, PrivacyMask(masks), main)
    taker.saw(found or Detections.empty(), frame, None)
    jpeg = taker.take(frame, Seen([]))
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


def changed(shown, original, xyxy):
    """How far a box is from what it was, grey levels."""
    x1, y1, x2, y2 = (int(v) for v in xyxy)
    return float(np.abs(shown[y1:y2, x1:x2].astype(int) - original[y1:y2, x1:x2]).mean())


@pytest.fixture(scope="module")
def detector():
    return build_detector(DetectorSettings(confidence=0.4))


def test_masks_hold_on_the_main_picture():
    white = np.full((720, 1280, 3), 255, np.uint8)
    mask = ((0.25, 0.5), (0.5, 0.5), (0.5, 1.0), (0.25, 1.0))
    shown = taken(Nobody(), Shown(white), np.zeros((360, 640, 3), np.uint8), [mask])
    assert shown.shape == (720, 1280, 3)
    assert shown[380:700, 330:630].max() < 30
    assert shown[:340].min() > 220


def test_people_that_only_the_main_picture_shows_are_pixelated(detector):
    main = cv2.resize(street(1)[0], (1280, 720))
    found = detector.detect(main)
    people = found.xyxy[(found.class_id == detector.labels.index("person")) & (found.confidence > 0.4)]
    assert len(people) >= 2
    shown = taken(detector, Shown(main), np.full((360, 640, 3), 128, np.uint8))
    for box in np.clip(people, 0, [1280, 720, 1280, 720]):
        assert changed(shown, main, box) > 7
    outside = np.ones(main.shape[:2], bool)
    for x1, y1, x2, y2 in detector.detect(main).xyxy.astype(int):
        outside[max(0, y1 - 20) : y2 + 20, max(0, x1 - 20) : x2 + 20] = False
    assert np.abs(shown[outside].astype(int) - main[outside]).mean() < 3


def test_people_that_only_the_substream_shows_are_pixelated_in_the_main_picture():
    main = cv2.resize(street(1)[0], (1280, 720))
    boxes = np.array([[100, 50, 160, 200]], np.float32)
    found = Detections(boxes, np.array([0.3], np.float32), np.array([0]))
    shown = taken(Nobody(), Shown(main), np.zeros((360, 640, 3), np.uint8), found=found)
    assert changed(shown, main, boxes[0] * 2) > 3 * changed(shown, main, (700, 100, 900, 400))


def test_check_tries_both_streams(tmp_path):
    path = write_video(tmp_path / "x.mp4", 20)
    good = Camera(id="a", source=path.as_uri(), substream=path.as_uri())
    bad = Camera(id="b", source=path.as_uri(), substream=(tmp_path / "none.mp4").as_uri())
    results = try_cameras([good, bad], DEFAULT_NETWORKS, 5.0)
    assert [(r.camera_id, r.stream, r.ok) for r in results] == [
        ("a", "source", True),
        ("a", "substream", True),
        ("b", "source", True),
        ("b", "substream", False),
    ]


def test_no_password_of_a_substream_gets_out():
    secret = "hidden-Sub5tream"
    port = free_port()
    url = f"http://viewer:{secret}@127.0.0.1:{port}/sub"
    camera = Camera(id="a", source=f"http://127.0.0.1:{port}/main", substream=url)
    assert urlsplit(camera.analysed.url).password == secret
    assert secret not in str((camera.public(), camera, camera.analysed.public_url))
    assert camera.public()["substream"] == f"http://***@127.0.0.1:{port}/sub"
    (_, result) = try_cameras([camera], DEFAULT_NETWORKS, 2.0)
    assert not result.ok
    assert secret not in str(result)
