"""Average precision against cases that can be worked out by hand."""

import numpy as np
import pytest

from detectors.evaluation.detection import Look, Truth, precision_curve


def box(x, width=10, height=20):
    return [x, 0, x + width, height]


def look(found, truth, crowd=(), **size):
    """Detections (place, confidence), places of objects, and which of those are crowds."""
    xyxy = np.array([box(x, **size) for x in truth], np.float64).reshape(-1, 4)
    crowds = np.array([index in crowd for index in range(len(truth))], bool)
    return Look(
        Truth.of_boxes(xyxy, crowds),
        np.array([box(x, **size) for x, _ in found], np.float64).reshape(-1, 4),
        np.array([c for _, c in found], np.float64),
    )


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([(0, 0.9), (50, 0.8)], 1.0),
        ([], 0.0),
        ([(0, 0.9)], 51 / 101),
        ([(200, 0.9), (0, 0.8), (50, 0.7)], 2 / 3),
        ([(0, 0.9), (1, 0.8), (50, 0.7)], (51 + 50 * 2 / 3) / 101),
    ],
)
def test_average_precision(found, expected):
    assert precision_curve([look(found, [0, 50])]).ap50 == pytest.approx(expected)


def test_it_sorts_over_all_pictures():
    assert precision_curve([look([(200, 0.1)], [0]), look([(0, 0.9)], [0])]).ap50 == pytest.approx(51 / 101)


def test_a_box_counts_at_each_overlap_that_it_reaches():
    curve = precision_curve([look([(1, 0.9)], [0])])
    assert curve.ap50 == 1.0
    assert curve.ap50_95 == pytest.approx(7 / 10), "an overlap of 9/11 is enough for 0.50 to 0.80"


def test_a_crowd_is_neither_to_be_found_nor_wrong_to_be_found_often():
    curve = precision_curve([look([(0, 0.9), (300, 0.8), (301, 0.7)], [0, 300], crowd=(1,))])
    assert (curve.ap50, curve.truths) == (1.0, 1)
    assert curve.counts(0.5) == (1, 0, 0)


def test_a_detection_prefers_an_object_to_a_crowd_around_it():
    """The crowd comes first in the file and covers the detection wholly."""
    curve = precision_curve([look([(300, 0.9)], [300, 302], crowd=(0,))])
    assert (curve.ap50, curve.counts(0.5)) == (1.0, (1, 0, 0))


def test_objects_are_told_apart_by_size():
    large = look([(0, 0.9)], [0], width=100, height=200)
    small = look([(500, 0.8)], [0])
    curves = {area: precision_curve([large, small], area) for area in ("all", "small", "medium", "large")}
    assert {area: (c.truths, c.ap50) for area, c in curves.items()} == {
        "all": (2, pytest.approx(51 / 101)),
        "small": (1, 0.0),
        "medium": (0, None),
        "large": (1, 1.0),
    }
    assert len(curves["large"].hits) == 1, "the false alarm is small: among large objects it does not count"


def test_right_false_and_missed_are_counted_above_a_confidence():
    looks = [look([(0, 0.9), (100, 0.6), (50, 0.3)], [0, 50]), look([], [0])]
    assert precision_curve(looks).counts(0.5) == (1, 1, 2)
    assert precision_curve(looks).counts(0.2) == (2, 1, 1)


def test_only_the_hundred_most_confident_of_a_picture_are_looked_at():
    found = [(500 + 20 * k, 0.9) for k in range(100)] + [(0, 0.1)]
    assert precision_curve([look(found, [0])]).ap50 == 0.0
