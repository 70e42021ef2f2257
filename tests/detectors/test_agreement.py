import numpy as np
import pytest

from detectors.agreement import agreement
from detectors.detections import Detections


def seen(*rows):
    boxes = np.array([row[:4] for row in rows], np.float32).reshape(-1, 4)
    return Detections(
        boxes, np.array([row[4] for row in rows], np.float32), np.array([row[5] for row in rows], np.int64)
    )


HERE, THERE = (0, 0, 10, 20), (50, 0, 60, 20)


def test_the_same_is_the_same():
    found = seen((*HERE, 0.9, 0), (*THERE, 0.6, 1))
    said = agreement([found], [found], 0.5)
    assert (said.matched_share, said.confidence_difference, said.first, said.second) == (1.0, 0.0, 2, 2)


def test_what_only_one_sees_is_not_matched():
    said = agreement([seen((*HERE, 0.9, 0), (*THERE, 0.6, 0))], [seen((*HERE, 0.7, 0))], 0.5)
    assert said.matched_share == pytest.approx(2 / 3)
    assert said.confidence_difference == pytest.approx(-0.2)


def test_another_class_or_another_place_is_no_match():
    said = agreement([seen((*HERE, 0.9, 0))] * 2, [seen((*HERE, 0.9, 1)), seen((*THERE, 0.9, 0))], 0.5)
    assert said.matched_share == 0.0


def test_one_that_falls_just_below_the_threshold_is_matched_still():
    assert agreement([seen((*HERE, 0.51, 0))], [seen((*HERE, 0.48, 0))], 0.5).matched_share == 1.0
    assert agreement([seen((*HERE, 0.51, 0))], [seen((*HERE, 0.24, 0))], 0.5).matched_share == 0.0


def test_two_boxes_cannot_both_match_one():
    said = agreement([seen((*HERE, 0.9, 0), (0, 0, 10, 19, 0.8, 0))], [seen((*HERE, 0.9, 0))], 0.5)
    assert said.matched_share == pytest.approx(2 / 3)


def test_nothing_at_all_is_said_to_be_nothing():
    assert agreement([Detections.empty()], [Detections.empty()], 0.5).empty
