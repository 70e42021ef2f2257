"""The measures against cases that can be worked out by hand."""

import numpy as np
import pytest

from detectors.evaluation import Boxes, average_precision, read_mot, score_tracks


def boxes(**places):
    """Boxes 10 wide and 20 high by id and left edge: ``boxes(a1=0, a2=50)``."""
    return Boxes(
        tuple(int(name[1:]) for name in places),
        np.array([[x, 0, x + 10, 20] for x in places.values()], np.float64).reshape(-1, 4),
    )


def test_a_tracker_that_says_the_truth_is_perfect():
    pictures = [(boxes(a1=k, a2=100 - k), boxes(a7=k, a8=100 - k)) for k in range(10)]
    score = score_tracks(pictures)
    assert (score.mota, score.idf1, score.switches, score.truths) == (1.0, 1.0, 0, 20)


def test_misses_and_false_alarms_are_counted_apart():
    pictures = [(boxes(a1=0, a2=50), boxes(a1=0, a3=200))] * 4
    score = score_tracks(pictures)
    assert (score.misses, score.false_alarms, score.switches) == (4, 4, 0)
    assert score.mota == 0.0
    assert score.idf1 == pytest.approx(2 * 4 / (8 + 8))


def test_a_change_of_identity_costs_one_in_mota_and_half_the_way_in_idf1():
    pictures = [(boxes(a1=0), boxes(a1=0) if k < 5 else boxes(a2=0)) for k in range(10)]
    score = score_tracks(pictures)
    assert score.switches == 1
    assert score.mota == pytest.approx(0.9)
    assert score.idf1 == pytest.approx(0.5)


def test_a_pair_stays_a_pair_while_it_can():
    """A second box that lies better for one picture is a false alarm, not two changes of identity."""
    pictures = [(boxes(a1=0), boxes(a1=2)), (boxes(a1=0), boxes(a1=2, a2=0)), (boxes(a1=0), boxes(a1=2))]
    score = score_tracks(pictures)
    assert (score.switches, score.false_alarms) == (0, 1)


def test_a_box_that_lies_less_than_half_on_the_truth_is_a_miss_and_a_false_alarm():
    score = score_tracks([(boxes(a1=0), boxes(a1=4))])
    assert (score.misses, score.false_alarms) == (1, 1)


def test_nothing_to_find_and_nothing_said():
    score = score_tracks([(boxes(), boxes())])
    assert (score.misses, score.false_alarms, score.truths) == (0, 0, 0)


def picture(found, truth):
    xyxy = np.array([[x, 0, x + 10, 20] for x, _ in found], np.float64).reshape(-1, 4)
    return xyxy, np.array([c for _, c in found]), boxes(**truth).xyxy


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
    assert average_precision([picture(found, {"a1": 0, "a2": 50})]) == pytest.approx(expected)


def test_average_precision_sorts_over_all_pictures():
    pictures = [picture([(200, 0.1)], {"a1": 0}), picture([(0, 0.9)], {"a1": 0})]
    assert average_precision(pictures) == pytest.approx(51 / 101)


def test_a_truth_is_read_by_frame(tmp_path):
    path = tmp_path / "truth.txt"
    path.write_text("2,7,10,20,5,8,1,-1,-1,-1\n1,3,0,0,1,1,1,-1,-1,-1\n2,3,1.5,0,1,1,1,-1,-1,-1\n")
    truth = read_mot(path)
    assert truth[2].ids == (7, 3)
    assert truth[2].xyxy.tolist() == [[10, 20, 15, 28], [1.5, 0, 2.5, 1]]
    assert truth[1].ids == (3,)


def test_a_wrong_line_of_a_truth_is_named(tmp_path):
    path = tmp_path / "truth.txt"
    path.write_text("1,3,0,0,1,1\nframe,id\n")
    with pytest.raises(ValueError, match=r"truth\.txt:2: want frame,id,left,top,width,height: 'frame,id'"):
        read_mot(path)
