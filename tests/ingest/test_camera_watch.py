"""Faults of a camera as events, through the whole pipeline."""

from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest
from prometheus_client import generate_latest

from detectors.detections import Detections
from detectors.model_input import ModelInput
from ingest.frame import Frame
from ingest.metrics import WorkerMetrics
from ingest.pipeline import CameraPipeline
from safecity.camera import Camera
from safecity.camera_fault import CameraFault
from safecity.event import Phase, Severity
from tests.detectors.footage import street

BEGIN = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Blind:
    """A detector that never finds anything: what is told is told of the camera."""

    labels = ("person",)
    identity = "blind@0"
    input = ModelInput(width=416, height=416)

    def detect(self, picture):
        return Detections.empty()


def run(pipeline, pictures, begin=0, rate=5):
    """Every decision about ``pictures``, ``rate`` a second."""
    decisions = []
    for number, picture in enumerate(pictures, begin):
        at = BEGIN + timedelta(seconds=number / rate)
        frame = Frame.from_bgr("cam-1", number, at, at, picture)
        decisions += pipeline.process(frame).decisions
    return decisions


def pipeline_of(**more):
    return CameraPipeline(Camera(id="cam-1", source="file:///x.mp4", **more), Blind(), start_confidence=0.4)


def seconds_after_begin(moment):
    return (moment - BEGIN).total_seconds()


@pytest.fixture(scope="module")
def pictures():
    return [cv2.resize(picture, (640, 360)) for picture in street(300, step=2)]


@pytest.mark.parametrize("motion_gate", [True, False])
def test_a_frozen_camera_opens_an_event_with_a_picture_and_closes_the_same(pictures, motion_gate):
    pipeline = pipeline_of(motion_gate=motion_gate)
    assert run(pipeline, pictures[:50]) == []
    (opened,) = run(pipeline, [pictures[50]] * 200, begin=50)
    assert pipeline.faults == ("frozen",)
    event = opened.event
    assert (event.kind, event.rule, event.phase) == ("camera_frozen", "camera-health", Phase.OPENED)
    assert (event.revision, event.severity, event.closed_at) == (1, Severity.HIGH, None)
    assert seconds_after_begin(event.opened_at) == pytest.approx(10, abs=1.1)
    assert seconds_after_begin(event.occurred_at) == pytest.approx(40, abs=2.1)
    assert event.attributes["unchanged_seconds"] >= 30
    assert event.snapshot == f"{event.event_id}-1.jpg"
    seen = cv2.imdecode(np.frombuffer(opened.picture, np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(seen.astype(int) - pictures[50]).mean() < 5

    (closed,) = run(pipeline, pictures[51:120], begin=250)
    assert pipeline.faults == ()
    assert (closed.event.event_id, closed.event.revision) == (event.event_id, 2)
    assert (closed.event.phase, closed.event.opened_at) == (Phase.CLOSED, event.opened_at)
    assert closed.event.closed_at == closed.event.occurred_at > event.occurred_at
    assert closed.event.attributes["lasted_seconds"] > 40


def test_two_faults_at_once_are_two_events(pictures):
    pipeline = pipeline_of(health={"expected_fps": 100.0, "raise_seconds": 10.0})
    decisions = run(pipeline, [picture // 40 for picture in pictures[:200]])
    assert {d.event.kind for d in decisions} == {"camera_dark", "camera_slow"}
    assert len({d.event.event_id for d in decisions}) == 2


def test_health_switched_off_says_nothing(pictures):
    pipeline = pipeline_of(health={"enabled": False})
    assert run(pipeline, [pictures[0]] * 250) == []
    assert pipeline.faults == ()


def test_a_mask_is_not_the_cameras_fault(pictures):
    mask = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    assert run(pipeline_of(masks=(mask,)), pictures[:200]) == []


def test_the_events_are_the_same_again_and_under_other_settings_they_are_others(pictures):
    def ids(**more):
        return [d.event.event_id for d in run(pipeline_of(**more), [pictures[0]] * 250)]

    assert ids() == ids() != ids(health={"frozen_seconds": 20.0})


def test_the_gauge_has_every_fault_of_a_camera_and_no_more():
    metrics = WorkerMetrics()
    metrics.show_faults("cam-1", ("blurred",))
    metrics.show_faults("cam-1", ("moved", "slow"))
    lines = generate_latest(metrics.registry).decode().splitlines()
    shown = {line for line in lines if line.startswith("safecity_worker_camera_fault{")}
    assert shown == {
        f'safecity_worker_camera_fault{{camera_id="cam-1",fault="{fault.value}"}} '
        f"{float(fault in (CameraFault.MOVED, CameraFault.SLOW))}"
        for fault in CameraFault
    }
