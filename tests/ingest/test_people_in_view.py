"""Who is in view after looks at parts of it; and on the footage, nobody is left clear in a stored picture."""

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.detections import Detections
from detectors.detector import build_detector
from ingest.people_in_view import FROM_CONFIDENCE, PeopleInView
from ingest.pipeline import CameraPipeline
from safecity.camera import Camera
from safecity.settings import DetectorSettings
from tests.footage.street import frames

SIZE = (200, 100)


def people(*boxes, confidence=0.5, class_id=0):
    xyxy = np.array(boxes, np.float32).reshape(-1, 4)
    return Detections(xyxy, np.full(len(xyxy), confidence, np.float32), np.full(len(xyxy), class_id))


def in_pixels(view):
    return np.rint(view.boxes * [*SIZE, *SIZE]).tolist()


def test_a_look_at_everything_replaces_all():
    view = PeopleInView(["person", "car"])
    view.saw(people([10, 10, 20, 40], [50, 10, 60, 40]), SIZE, None)
    view.saw(people([12, 10, 22, 40]), SIZE, None)
    assert in_pixels(view) == [[12, 10, 22, 40]]


def test_a_look_at_a_region_replaces_who_was_in_it_and_nobody_else():
    view = PeopleInView(["person", "car"])
    at_the_edge = [95, 10, 110, 40]
    view.saw(people([10, 10, 20, 40], at_the_edge, [150, 10, 160, 40]), SIZE, None)
    view.saw(people([30, 10, 40, 40]), SIZE, np.array([[0.0, 0.0, 100.0, 100.0]]))
    assert in_pixels(view) == [at_the_edge, [150, 10, 160, 40], [30, 10, 40, 40]]


def test_faint_people_count_and_cars_do_not():
    view = PeopleInView(["person", "car"])
    view.saw(people([10, 10, 20, 40], confidence=FROM_CONFIDENCE), SIZE, None)
    assert len(view.boxes) == 1
    view.saw(people([10, 10, 20, 40], class_id=1), SIZE, None)
    assert len(view.boxes) == 0


@given(st.lists(st.tuples(st.integers(0, 80), st.integers(0, 60)), max_size=12), st.integers(0, 60))
def test_nobody_outside_a_region_is_forgotten(corners, left):
    boxes = [[x, y, x + 10, y + 30] for x, y in corners]
    view = PeopleInView(["person"])
    view.saw(people(*boxes), SIZE, None)
    view.saw(people(), SIZE, np.array([[left, 0.0, left + 50.0, 100.0]]))
    left_over = [box for box in boxes if box[0] < left or box[2] > left + 50]
    assert in_pixels(view) == left_over


def test_nobody_whom_a_look_at_the_whole_picture_would_find_is_clear_in_a_stored_picture():
    settings = DetectorSettings()
    detector = build_detector(settings)
    rule = {"kind": "zone_entered", "name": "in", "zone": "all"}
    zone = {"name": "all", "polygon": [(0, 0), (1, 0), (1, 1), (0, 1)]}
    camera = Camera.model_validate({"id": "c", "source": "file:///x.mp4", "zones": [zone], "rules": [rule]})
    pipeline = CameraPipeline(camera, detector, start_confidence=settings.confidence)
    checked = 0
    for frame in frames()[:120]:
        for decision in pipeline.process(frame).decisions:
            assert decision.picture is not None
            shown = cv2.imdecode(np.frombuffer(decision.picture, np.uint8), cv2.IMREAD_COLOR)
            original = frame.bgr()
            whole = detector.detect(original)
            sure = (whole.class_id == detector.labels.index("person")) & (whole.confidence > 0.5)
            for x1, y1, x2, y2 in whole.xyxy[sure].astype(int):
                difference = np.abs(shown[y1:y2, x1:x2].astype(int) - original[y1:y2, x1:x2])
                assert difference.mean() > 5, (frame.index, x1, y1, x2, y2)
                checked += 1
    assert checked > 15
