"""The trackers' memory on disk, with real pipelines on the shipped footage."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from detectors.detector import build_detector
from ingest.frame import Frame
from ingest.pipeline import CameraPipeline
from ingest.track_memory import SKIPPED_IDS, TrackMemory
from safecity.camera import Camera
from safecity.settings import DetectorSettings
from tests.detectors.footage import street

BEGIN = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
LIVE = Camera(id="gate", source="rtsp://127.0.0.1/gate")


@pytest.fixture(scope="module")
def detector():
    return build_detector(DetectorSettings())


def pipeline_of(camera, detector):
    return CameraPipeline(camera, detector, start_confidence=0.5)


def show(pipeline, pictures, start=BEGIN):
    """Track ids of the last observation."""
    for index, picture in enumerate(pictures):
        at = start + timedelta(seconds=index / 5)
        analysis = pipeline.process(Frame.from_bgr("gate", index, at, at, picture))
    return {track.track_id for track in analysis.observation.tracks}


def test_a_worker_that_is_started_anew_goes_on_with_the_same_tracks(detector, tmp_path):
    pictures = street(40, step=5)
    whole, first, second = (pipeline_of(LIVE, detector) for _ in range(3))
    show(whole, pictures)
    before = show(first, pictures[:39])
    TrackMemory(tmp_path).keep([(LIVE, first)], complete=True)
    TrackMemory(tmp_path).recall(LIVE, second)
    after = show(second, pictures[39:], BEGIN + timedelta(seconds=39 / 5))
    assert before & after, "who was there is still the same"
    assert after <= set(range(1, whole.tracks()[1]["next_id"]))


def test_after_a_kill_no_number_is_given_twice(detector, tmp_path):
    first = pipeline_of(LIVE, detector)
    show(first, street(20, step=5))
    TrackMemory(tmp_path).keep([(LIVE, first)])
    known = first.tracks()[1]["next_id"]
    for kills in range(1, 4):
        again = pipeline_of(LIVE, detector)
        TrackMemory(tmp_path).recall(LIVE, again)
        show(again, street(1), BEGIN + timedelta(hours=1))
        assert again.tracks()[1]["next_id"] == known + kills * SKIPPED_IDS


def test_a_worker_that_was_stopped_and_killed_before_it_kept_anything_gives_none_twice(detector, tmp_path):
    first, second, third = (pipeline_of(LIVE, detector) for _ in range(3))
    show(first, street(20, step=5))
    TrackMemory(tmp_path).keep([(LIVE, first)], complete=True)
    TrackMemory(tmp_path).recall(LIVE, second)
    TrackMemory(tmp_path).recall(LIVE, third)
    show(third, street(1), BEGIN + timedelta(hours=1))
    assert third.tracks()[1]["next_id"] == first.tracks()[1]["next_id"] + SKIPPED_IDS


def test_a_recording_is_read_as_if_for_the_first_time(detector, tmp_path):
    recording = Camera(id="gate", source="file:///gate.mp4")
    pipeline = pipeline_of(recording, detector)
    show(pipeline, street(5, step=5))
    memory = TrackMemory(tmp_path)
    memory.keep([(recording, pipeline)], complete=True)
    assert list(tmp_path.iterdir()) == []
    TrackMemory(tmp_path).keep([(LIVE, pipeline)], complete=True)
    again = pipeline_of(recording, detector)
    memory.recall(recording, again)
    assert show(again, street(20, step=5)) == show(pipeline_of(recording, detector), street(20, step=5))


@pytest.mark.parametrize(
    "text", ["", "{}", "not JSON", '{"captured_at": "2026-05-01T08:00:00Z", "complete": true}']
)
def test_a_file_that_cannot_be_used_harms_nothing(detector, tmp_path, text):
    (tmp_path / "gate.json").write_text(text)
    pipeline, memory = pipeline_of(LIVE, detector), TrackMemory(tmp_path)
    memory.recall(LIVE, pipeline)
    show(pipeline, street(3, step=5))
    memory.keep([(LIVE, pipeline)])
    assert json.loads((tmp_path / "gate.json").read_text())["tracker"]["next_id"] >= 1


def test_a_folder_that_cannot_be_written_harms_nothing(detector, tmp_path):
    (tmp_path / "tracks").write_text("a file where a folder should be")
    pipeline, memory = pipeline_of(LIVE, detector), TrackMemory(tmp_path / "tracks")
    memory.recall(LIVE, pipeline)
    show(pipeline, street(3, step=5))
    memory.keep([(LIVE, pipeline)], complete=True)
    assert (tmp_path / "tracks").is_file()


def test_only_boxes_and_numbers_are_kept(detector, tmp_path):
    pipeline = pipeline_of(LIVE, detector)
    show(pipeline, street(20, step=5))
    TrackMemory(tmp_path).keep([(LIVE, pipeline)], complete=True)
    (target, *_) = json.loads((tmp_path / "gate.json").read_text())["tracker"]["targets"]
    assert set(target) == {
        "track_id", "filter", "votes", "confidence", "hits", "born", "unseen_seconds", "anchor",
        "anchored_at", "stationary",
    }  # fmt: skip
