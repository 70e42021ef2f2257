"""The whole way of a frame, with lasting events, best pictures and changes of the scene, on the footage."""

import cv2
import numpy as np

from detectors.detector import build_detector
from ingest.frame import Frame
from ingest.pipeline import CameraPipeline
from safecity.camera import Camera
from safecity.demo.scenes import JUNCTION
from safecity.ruleset import RuleSet
from safecity.settings import DetectorSettings
from tests.footage.street import frames

RULES = (
    {"kind": "loitering", "name": "stays", "zone": "junction", "dwell_seconds": 4},
    {"kind": "object_left", "name": "left", "persistence_seconds": 5},
)
COUNT = 160
"""Frames: 32 seconds."""


def with_bag(frame):
    """A dark case on the lawn from the twelfth second on."""
    picture = frame.bgr()
    if frame.index >= 120:
        cv2.rectangle(picture, (150, 450), (175, 490), (30, 30, 30), -1)
    return Frame.from_bgr(frame.camera_id, frame.index, frame.captured_at, frame.received_at, picture)


def replay():
    settings = DetectorSettings()
    document = {"id": "street", "source": "file:///street.mp4", "zones": [JUNCTION], "rules": RULES}
    camera = Camera.model_validate(document)
    detector = build_detector(settings)
    pipeline = CameraPipeline(camera, detector, start_confidence=settings.confidence)
    analyses = [pipeline.process(with_bag(frame)) for frame in frames()[:COUNT]]
    return camera, detector, analyses


def test_events_live_have_their_pictures_and_come_out_of_the_observations_again():
    camera, detector, analyses = replay()
    decisions = [decision for analysis in analyses for decision in analysis.decisions]
    phases = {(d.event.rule, d.event.phase.value) for d in decisions}
    assert {("stays", "opened"), ("stays", "closed"), ("left", "opened")} <= phases

    (left,) = [d.event for d in decisions if d.event.rule == "left"]
    x1, y1, x2, y2 = np.array(left.box) * (768, 576, 768, 576)
    assert abs(x1 - 150) < 8
    assert abs(y2 - 490) < 8
    assert 15 < x2 - x1 < 40
    assert 30 < y2 - y1 < 55

    sent = set()
    for decision in decisions:
        if decision.picture is not None:
            assert decision.picture.startswith(b"\xff\xd8")
            sent.add(decision.event.snapshot)
        assert decision.event.snapshot in sent

    # Without a pixel: the stored observations give the same events, but for the names of pictures.
    rules = RuleSet(camera.rules, camera.scene(detector.identity))
    again = [event for analysis in analyses for event in rules.update(analysis.observation).events]
    assert again == [d.event.model_copy(update={"snapshot": None}) for d in decisions]
