"""Regions hold what moves, cost no more than the whole picture, and boxes come back to their place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.cards import load_card
from detectors.detector import build_detector
from detectors.model_input import ModelInput
from detectors.regions import MOST_SCALE, Region, plan_regions, uncut
from safecity.geometry import iou
from safecity.settings import DetectorSettings
from tests.detectors.footage import street

INPUT = load_card("nanodet-g").input
HD = (1280, 720)
NOTHING = np.zeros((0, 4))


def boxes(*rows):
    return np.array(rows, np.float64).reshape(-1, 4)


@st.composite
def moving_boxes(draw):
    rows = []
    for _ in range(draw(st.integers(1, 5))):
        x, y = draw(st.floats(0, 1240)), draw(st.floats(0, 680))
        rows.append((x, y, min(1280, x + draw(st.floats(4, 300))), min(720, y + draw(st.floats(4, 300)))))
    return boxes(*rows)


@given(moving_boxes())
def test_regions_hold_all_that_moves_and_cost_less_than_the_whole(moving):
    regions = plan_regions(moving, NOTHING, HD, INPUT)
    if regions is None:
        return
    whole = INPUT.size_for(*HD)
    assert sum(r.size[0] * r.size[1] for r in regions) < whole[0] * whole[1]
    for region in regions:
        assert all(side % INPUT.free == 0 for side in region.size)
        assert region.left >= 0
        assert region.top >= 0
        assert region.left + region.width <= HD[0]
        assert region.top + region.height <= HD[1]
    for box in moving:
        assert any(
            r.xyxy[0] <= box[0] + 1
            and r.xyxy[1] <= box[1] + 1
            and r.xyxy[2] >= box[2] - 1
            and r.xyxy[3] >= box[3] - 1
            for r in regions
        )


def test_what_is_small_is_enlarged_and_what_is_large_is_not():
    (small,) = plan_regions(boxes((600, 300, 610, 324)), NOTHING, HD, INPUT)
    (large,) = plan_regions(boxes((600, 200, 700, 460)), NOTHING, HD, INPUT)
    assert 1.9 < small.size[1] / small.height <= MOST_SCALE * 1.4
    assert large.size[1] / large.height < 0.6


def test_a_picture_full_of_motion_is_looked_at_as_a_whole():
    everywhere = boxes(*((x, y, x + 60, y + 120) for x in range(0, 1280, 160) for y in (100, 400)))
    assert plan_regions(everywhere, NOTHING, HD, INPUT) is None


def test_a_model_of_fixed_size_looks_at_the_whole_picture():
    assert plan_regions(boxes((600, 300, 610, 324)), NOTHING, HD, ModelInput(width=416, height=416)) is None


def test_what_the_edge_of_a_region_cuts_is_left_out_unless_it_is_the_picture_s():
    region = Region(100, 0, 200, 200, (224, 224))
    found = boxes((99, 50, 150, 100), (150, 0, 180, 60), (120, 80, 160, 199), (140, 60, 190, 120)).astype(
        np.float32
    )
    assert uncut(found, region, HD).tolist() == [False, True, False, True]


def test_people_are_where_the_whole_picture_shows_them():
    detector = build_detector(DetectorSettings(labels=("person",)))
    picture = street(1)[0]
    height, width = picture.shape[:2]
    whole = detector.detect(picture)
    sure = whole.select(whole.confidence >= 0.6)
    assert len(sure) >= 3
    for box in sure.xyxy.astype(np.float64):
        regions = plan_regions(box[None], NOTHING, (width, height), detector.input)
        assert regions is not None
        found = detector.detect_in(picture, regions)
        assert iou(box[None], found.select(found.confidence >= 0.4).xyxy).max(initial=0.0) > 0.6


@pytest.mark.parametrize("look", ["regions", "elsewhere"])
def test_the_tracker_misses_only_what_was_looked_at(look):
    from detectors.detections import Detections
    from detectors.tracking import Tracker

    tracker = Tracker(["person"])
    box = np.array([[100, 100, 140, 200]], np.float32)
    seen = Detections(box, np.array([0.9], np.float32), np.array([0]))
    for k in range(5):
        tracker.update(seen, k / 5)
    where = boxes((50, 50, 250, 250)) if look == "regions" else boxes((600, 50, 700, 250))
    tracks = tracker.update(Detections.empty(), 1.0, looked_at=where)
    assert len(tracks) == (0 if look == "regions" else 1)
    assert tracker.expected(1.2) == pytest.approx(box, abs=3)
