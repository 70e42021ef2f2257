"""The measures against cases that can be worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.evaluation.boxes import Boxes
from detectors.evaluation.hota import ALPHAS, hota
from detectors.evaluation.tracking import score_tracks, without_ignored


def boxes(**places):
    """Boxes 10 wide and 20 high by id and left edge: ``boxes(a1=0, a2=50)``."""
    return Boxes(
        tuple(int(name[1:]) for name in places),
        np.array([[x, 0, x + 10, 20] for x in places.values()], np.float64).reshape(-1, 4),
    )


def test_a_tracker_that_says_the_truth_is_perfect():
    score = score_tracks([(boxes(a1=k, a2=100 - k), boxes(a7=k, a8=100 - k)) for k in range(10)])
    assert (score.mota, score.idf1, score.hota, score.deta, score.assa) == (1.0, 1.0, 1.0, 1.0, 1.0)
    assert (score.id_switches, score.fragmentations, score.truths) == (0, 0, 20)


def test_misses_and_false_alarms_are_counted_apart():
    score = score_tracks([(boxes(a1=0, a2=50), boxes(a1=0, a3=200))] * 4)
    assert (score.misses, score.false_alarms, score.id_switches) == (4, 4, 0)
    assert score.mota == 0.0
    assert score.idf1 == pytest.approx(2 * 4 / (8 + 8))
    assert score.deta == pytest.approx(4 / 12)
    assert score.assa == pytest.approx(1.0)
    assert score.hota == pytest.approx((4 / 12) ** 0.5)


def test_a_change_of_identity_costs_one_in_mota_half_the_way_in_idf1_and_its_root_in_hota():
    score = score_tracks([(boxes(a1=0), boxes(a1=0) if k < 5 else boxes(a2=0)) for k in range(10)])
    assert score.id_switches == 1
    assert score.mota == pytest.approx(0.9)
    assert score.idf1 == pytest.approx(0.5)
    assert (score.deta, score.assa) == (1.0, pytest.approx(0.5))
    assert score.hota == pytest.approx(0.5**0.5)


def test_an_object_that_is_lost_and_found_again_is_a_fragmentation_and_no_switch():
    score = score_tracks([(boxes(a1=0), boxes() if k in (3, 4, 7) else boxes(a5=0)) for k in range(10)])
    assert (score.fragmentations, score.id_switches, score.misses) == (2, 0, 3)


def test_an_object_that_comes_back_under_another_number_has_changed_identity():
    said = [boxes(a5=0), boxes(a5=0), boxes(), boxes(a6=0)]
    score = score_tracks([(boxes(a1=0), s) for s in said])
    assert (score.fragmentations, score.id_switches) == (1, 1)


def test_a_pair_stays_a_pair_while_it_can():
    """A second box that lies better for one picture is a false alarm, not two changes of identity."""
    pictures = [(boxes(a1=0), boxes(a1=2)), (boxes(a1=0), boxes(a1=2, a2=0)), (boxes(a1=0), boxes(a1=2))]
    score = score_tracks(pictures)
    assert (score.id_switches, score.false_alarms) == (0, 1)


def test_a_box_that_lies_less_than_half_on_the_truth_is_a_miss_and_a_false_alarm():
    score = score_tracks([(boxes(a1=0), boxes(a1=4))])
    assert (score.misses, score.false_alarms) == (1, 1)


def test_hota_counts_a_box_at_each_overlap_that_it_reaches():
    whole = hota([(boxes(a1=0), boxes(a1=4))])
    reached = ALPHAS <= 6 / 14
    assert whole.deta == pytest.approx(reached.astype(float))
    assert whole.hota.mean() == pytest.approx(8 / 19)


def test_nothing_to_find_and_nothing_said():
    score = score_tracks([(boxes(), boxes())])
    assert (score.misses, score.false_alarms, score.truths) == (0, 0, 0)
    assert (score.idf1, score.hota) == (0.0, 0.0)


def test_what_does_not_count_is_neither_right_nor_wrong():
    said = boxes(a1=0, a2=100, a3=200)
    left = without_ignored(said, boxes(a9=0), boxes(a8=101, a7=1))
    assert left.ids == (1, 3), (
        "2 stands for an ignored box; 1 stands for a true one, though one lies beside it"
    )


def test_boxes_that_do_not_fit_together_are_refused():
    with pytest.raises(ValueError, match="want \\(2, 4\\)"):
        Boxes((1, 2), np.zeros((1, 4)))
    with pytest.raises(ValueError, match="twice"):
        Boxes((1, 1), np.zeros((2, 4)))


scenes = st.lists(
    st.tuples(
        st.dictionaries(st.integers(1, 4), st.integers(0, 60), max_size=4),
        st.dictionaries(st.integers(1, 4), st.integers(0, 60), max_size=4),
    ),
    min_size=1,
    max_size=8,
)


def named(places):
    return boxes(**{f"a{identity}": x for identity, x in places.items()})


@given(scenes)
def test_shares_are_shares_and_names_of_tracks_do_not_matter(scene):
    score = score_tracks([(named(truth), named(said)) for truth, said in scene])
    assert all(0 <= value <= 1 for value in (score.idf1, score.hota, score.deta, score.assa))
    assert score.mota <= 1
    found = score.truths - score.misses
    assert found + score.false_alarms == sum(len(said) for _, said in scene)
    renamed = score_tracks([(named(t), named({9 - i: x for i, x in s.items()})) for t, s in scene])
    assert (renamed.misses, renamed.false_alarms) == (score.misses, score.false_alarms)
    assert renamed.idf1 == pytest.approx(score.idf1)


@given(scenes)
def test_time_does_not_matter_to_idf1_and_hota(scene):
    forth = [(named(truth), named(said)) for truth, said in scene]
    score, back = score_tracks(forth), score_tracks(forth[::-1])
    assert back.idf1 == pytest.approx(score.idf1)
    assert back.hota == pytest.approx(score.hota)
