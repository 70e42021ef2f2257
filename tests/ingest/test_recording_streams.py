"""Recording from what comes over the network: RTSP is copied packet by packet, MJPEG picture by picture."""

import json
import threading
from itertools import islice

import pytest

from ingest.attention import Attention, DecodePolicy
from ingest.recorder import Recorder
from ingest.sources import open_source
from safecity.camera import Camera
from safecity.settings import RecordingSettings
from tests.cameras import mjpeg_camera
from tests.ingest.recordings import payloads
from tests.ingest.test_recordings import safecity
from tests.rtsp import rtsp_server


class Both:
    """A recorder, with the bytes that it was given."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder, self.given = recorder, []

    def take(self, tapped):
        self.given.append(bytes(tapped.packet))
        self.recorder.take(tapped)


def record_from(url, folder, pictures):
    """Record so many pictures of a camera; the bytes of all its packets."""
    camera = Camera.model_validate({"id": "gate", "source": url, "recording": "continuous"})
    settings = RecordingSettings.model_validate({"least_free_mb": 0, "segment_seconds": 2})
    tap = Both(Recorder(camera, folder, settings))
    source = open_source(camera, ("127.0.0.0/8",), 20.0, threading.Event(), Attention(DecodePolicy.FULL), tap)
    try:
        assert (
            len(list(islice((c for c in source.captures() if c.picture is not None), pictures))) == pictures
        )
    finally:
        tap.recorder.away("worker stopped")
        source.close()
    return tap.given


def listed(folder):
    """The segments, as ``safecity recordings`` lists them, once it has found nothing wrong with them."""
    verified = safecity("verify", "--dir", folder)
    assert verified.returncode == 0, verified.stderr
    said = json.loads(safecity("list", "--dir", folder, "--segments", "--json").stdout)
    return said["cameras"][0]["segments"]


def slices_of_stream(packet):
    """The coded slices (NAL units of type 1 and 5, H.264 7.4.1) between the start codes of a packet."""
    units = packet.replace(b"\x00\x00\x00\x01", b"\x00\x00\x01").split(b"\x00\x00\x01")
    return [unit for unit in units if unit and unit[0] & 31 in (1, 5)]


def slices_of_file(packet):
    """The same, of a packet of an MP4 file: each has its length in four bytes before it."""
    found, at = [], 0
    while at < len(packet):
        size = int.from_bytes(packet[at : at + 4])
        unit = packet[at + 4 : at + 4 + size]
        found += [unit] if unit[0] & 31 in (1, 5) else []
        at += 4 + size
    return found


@pytest.mark.rtsp
def test_rtsp_is_copied_into_segments_that_are_in_order(tmp_path):
    with rtsp_server() as server:
        given = record_from(server.url("street"), tmp_path, 120)
    segments = listed(tmp_path)
    assert len(segments) >= 2
    assert {segment["codec"] for segment in segments} == {"h264"}
    recorded = [unit for p in payloads(tmp_path / s["path"] for s in segments) for unit in slices_of_file(p)]
    came = [unit for packet in given for unit in slices_of_stream(packet)]
    assert len(recorded) >= 100
    first = came.index(recorded[0])
    assert came[first : first + len(recorded)] == recorded


def test_mjpeg_is_recorded_as_the_jpegs_that_came(tmp_path):
    with mjpeg_camera(fps=20) as camera:
        given = record_from(camera.url, tmp_path, 60)
    segments = listed(tmp_path)
    assert {segment["codec"] for segment in segments} == {"mjpeg"}
    recorded = payloads(tmp_path / segment["path"] for segment in segments)
    assert len(recorded) >= 55
    first = given.index(recorded[0])
    assert given[first : first + len(recorded)] == recorded
