import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.detections import Detections
from detectors.tracking import LOST_SECONDS, Tracker

LABELS = ("person", "bicycle", "car", "motorcycle", "bus", "truck")
RATES = pytest.mark.parametrize("rate", [10, 5, 2])


def seen(*boxes, confidence=0.8, label="person"):
    """Detections of people by centre x and foot y: 40 wide, 100 high."""
    xyxy = np.array([[x - 20, y - 100, x + 20, y] for x, y in boxes], np.float32).reshape(-1, 4)
    return Detections(
        xyxy, np.full(len(boxes), confidence, np.float32), np.full(len(boxes), LABELS.index(label))
    )


def walk(tracker, places, rate, start=0.0):
    """Reported tracks of each picture, of one who is at ``places(t)`` for t = 0, 1/rate, …"""
    return [tracker.update(seen(*p), start + k / rate) for k, p in enumerate(places)]


def ids(tracks):
    return [track.track_id for track in tracks]


@RATES
def test_two_who_cross_keep_their_ids(rate):
    times = np.arange(8 * rate) / rate
    places = [((100 + 40 * t, 300), (420 - 40 * t, 340)) for t in times]
    reports = walk(Tracker(LABELS), places, rate)
    first, last = reports[3], reports[-1]
    assert len(first) == len(last) == 2
    by_x = {t.track_id: t.xyxy[0] for t in first}
    for track in last:
        assert (track.xyxy[0] < 250) == (by_x[track.track_id] > 250), "who came from the left is at the right"
    assert {i for report in reports for i in ids(report)} == set(by_x)


@RATES
def test_one_who_is_hidden_for_a_while_is_the_same_afterwards_and_not_reported_meanwhile(rate):
    tracker, gap = Tracker(LABELS), 2.0
    times = np.arange(8 * rate) / rate
    reports = [
        tracker.update(seen() if 3 <= t < 3 + gap else seen((100 + 40 * t, 300)), float(t)) for t in times
    ]
    hidden = [r for t, r in zip(times, reports, strict=True) if 3 <= t < 3 + gap]
    assert not any(hidden)
    assert {i for report in reports for i in ids(report)} == {1}
    assert ids(reports[-1]) == [1]


def test_one_who_was_gone_too_long_is_another():
    tracker = Tracker(LABELS)
    walk(tracker, [[(100, 300)]] * 10, rate=5)
    tracker.update(seen(), 2.0)
    walk(tracker, [[]] * 5, rate=5, start=2.0)
    reports = walk(tracker, [[(100, 300)]] * 5, rate=5, start=2.0 + LOST_SECONDS + 0.5)
    assert ids(reports[-1]) == [2]


def test_what_flickers_for_two_pictures_is_nothing():
    tracker = Tracker(LABELS)
    for k in range(40):
        flicker = seen((100 + 150 * (k // 5), 300)) if k % 5 < 2 else seen()
        assert tracker.update(flicker, k / 5) == []


def test_faint_detections_keep_a_track_but_start_none():
    tracker = Tracker(LABELS, start_confidence=0.5)
    assert not any(tracker.update(seen((100, 300), confidence=0.4), k / 5) for k in range(20))
    for k in range(5):
        tracker.update(seen((100, 300)), 4 + k / 5)
    kept = [tracker.update(seen((100, 300), confidence=0.4), 5 + k / 5) for k in range(20)]
    assert [ids(report) for report in kept] == [[1]] * 20
    assert tracker.update(seen((100, 300), confidence=0.1), 9.2) == [], "noise supports nothing"


def test_a_second_box_on_one_person_is_no_second_track():
    tracker = Tracker(LABELS)
    for k in range(20):
        report = tracker.update(seen((100 + k, 300), (106 + k, 302)), k / 5)
    assert len(report) == 1


def test_people_side_by_side_are_two():
    tracker = Tracker(LABELS)
    for k in range(20):
        report = tracker.update(seen((100 + 3 * k, 300), (122 + 3 * k, 300)), k / 5)
    assert ids(report) == [1, 2]


def test_a_truck_that_is_sometimes_called_a_car_is_one_truck():
    tracker = Tracker(LABELS)
    for k in range(20):
        report = tracker.update(seen((300, 300), label="car" if k % 4 == 3 else "truck"), k / 5)
    assert [(t.track_id, t.label) for t in report] == [(1, "truck")]


def test_a_person_is_never_taken_for_a_car():
    tracker = Tracker(LABELS)
    walk(tracker, [[(300, 300)]] * 5, rate=5)
    for k in range(5):
        report = tracker.update(seen((300, 300), label="car"), 1.0 + k / 5)
    assert [(t.track_id, t.label) for t in report] == [(2, "car")]


def test_who_stands_is_stationary_and_who_walks_on_is_not():
    tracker = Tracker(LABELS)
    generator = np.random.default_rng(1)
    stands = [[(200 + dx, 300 + dy)] for dx, dy in generator.normal(0, 2, (25, 2))]
    reports = walk(tracker, stands, rate=5)
    assert not reports[10][0].stationary
    assert reports[-1][0].stationary
    assert reports[-1][0].age_seconds == pytest.approx(4.8)
    walks = walk(tracker, [[(200 + 8 * k, 300)] for k in range(10)], rate=5, start=5.0)
    assert not walks[-1][0].stationary
    assert walks[-1][0].velocity[0] == pytest.approx(40, abs=6)


def test_while_nothing_moves_every_track_is_held_where_it_is():
    tracker = Tracker(LABELS)
    before = walk(tracker, [[(100 + 4 * k, 300)] for k in range(10)], rate=5)[-1]
    held = [tracker.held(2.0 + k / 5) for k in range(100)]
    assert all(ids(report) == [1] for report in held)
    np.testing.assert_allclose(held[-1][0].xyxy, before[0].xyxy)
    assert held[-1][0].stationary
    assert held[-1][0].velocity.tolist() == [0, 0]
    assert ids(tracker.update(seen((136, 300)), 22.0)) == [1]


def test_a_clock_that_is_set_back_costs_no_identity_and_time_goes_on():
    tracker = Tracker(LABELS)
    walk(tracker, [[(100, 300)]] * 10, rate=5, start=1000.0)
    back = walk(tracker, [[(100, 300)]] * 10, rate=5, start=10.0)
    assert [ids(report) for report in back] == [[1]] * 10
    assert all(track.age_seconds >= 0 for report in back for track in report)
    assert walk(tracker, [[]] * 30, rate=5, start=12.0)[-1] == []
    assert ids(walk(tracker, [[(100, 300)]] * 5, rate=5, start=18.0)[-1]) == [2]


def test_an_hour_without_a_picture_ends_all_tracks():
    tracker = Tracker(LABELS)
    walk(tracker, [[(100 + 20 * k, 300)] for k in range(10)], rate=5)
    assert tracker.update(seen((300, 300)), 3600.0) == []
    assert ids(walk(tracker, [[(300, 300)]] * 3, rate=5, start=3600.2)[-1]) == [2]


def test_nothing_at_all_is_no_track():
    tracker = Tracker(LABELS)
    assert tracker.update(Detections.empty(), 0.0) == []
    assert tracker.held(1.0) == []


scenes = st.lists(
    st.tuples(
        st.floats(-2, 5),
        st.lists(
            st.tuples(st.integers(0, 300), st.integers(0, 300), st.floats(0.05, 1.0), st.integers(0, 5)),
            max_size=6,
        ),
    ),
    max_size=25,
)


@given(scenes)
def test_whatever_comes_ids_are_distinct_and_boxes_are_supported(scene):
    tracker, again, now = Tracker(LABELS), Tracker(LABELS), 0.0
    for step, objects in scene:
        now += step
        rows = np.array(objects, np.float64).reshape(-1, 4)
        xyxy = np.concatenate([rows[:, :2], rows[:, :2] + [30, 60]], axis=1).astype(np.float32)
        found = Detections(xyxy, rows[:, 2].astype(np.float32), rows[:, 3].astype(np.int64))
        report = tracker.update(found, now)
        assert ids(report) == sorted(set(ids(report)))
        assert len(report) <= len(found), "each track is supported by a detection of its own"
        assert all(np.isfinite(track.xyxy).all() and track.age_seconds >= 0 for track in report)
        assert [t.xyxy.tobytes() for t in again.update(found, now)] == [t.xyxy.tobytes() for t in report]
