import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.detections import Detections
from detectors.target import LOST_SECONDS
from detectors.tracking import Tracker

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


def colours(*names):
    """Descriptions of clothes that have nothing in common."""
    known = ("red", "green", "blue")
    return np.eye(3, dtype=np.float32)[[known.index(name) for name in names]]


def test_two_who_meet_and_turn_back_are_told_apart_by_their_clothes():
    """By motion alone they would have passed each other."""
    places = [((100 + 25 * t, 300), (300 - 25 * t, 302)) for t in np.arange(0, 4, 0.2)]
    places += [((200, 300),)] * 5
    places += [((200 - 25 * t, 300), (200 + 25 * t, 302)) for t in np.arange(1, 4, 0.2)]
    tracker, reports = Tracker(LABELS), []
    for k, place in enumerate(places):
        wear = colours("red", "blue") if len(place) == 2 else colours("red")
        reports.append(tracker.update(seen(*place), k / 5, colours=wear))
    at_first, at_last = reports[5], reports[-1]
    assert {t.track_id: t.xyxy[0] < 180 for t in at_first} == {t.track_id: t.xyxy[0] < 180 for t in at_last}


def test_a_parked_car_is_the_same_car_after_a_lorry_stood_before_it():
    tracker = Tracker(LABELS)
    walk(tracker, [[(300, 300)]] * 100, rate=5)
    hidden = walk(tracker, [[]] * 50, rate=5, start=20.0)
    assert not any(hidden)
    assert ids(tracker.update(seen((301, 300)), 30.0)) == [1]


def test_a_parked_car_stays_one_through_hours_of_flicker_and_passers_by():
    generator, tracker, said = np.random.default_rng(2), Tracker(LABELS), set()
    for k in range(3600):
        seconds = k * 2.0
        faint = generator.random() < 0.3
        car = seen((300 + generator.normal(0, 2), 300), label="car", confidence=0.35 if faint else 0.8)
        passer = seen((200 + 100 * (k % 4), 300))
        parts = [passer] if generator.random() < 0.2 else [car, passer]
        both = Detections(
            np.concatenate([d.xyxy for d in parts]),
            np.concatenate([d.confidence for d in parts]),
            np.concatenate([d.class_id for d in parts]),
        )
        said |= {t.track_id for t in tracker.update(both, seconds) if t.label == "car"}
        tracker.held(seconds + 1.0)
    assert len(said) == 1


def test_one_picture_a_second_is_enough_to_be_followed():
    reports = walk(Tracker(LABELS), [[(100 + 15 * k, 300)] for k in range(5)], rate=1)
    assert [ids(report) for report in reports] == [[], [1], [1], [1], [1]]


def test_who_walked_off_unseen_is_not_waited_for_as_long_as_who_stood():
    tracker = Tracker(LABELS)
    walk(tracker, [[(100 + 8 * k, 300)] for k in range(50)], rate=5)
    assert ids(walk(tracker, [[(500, 300)]] * 3, rate=5, start=10.0 + LOST_SECONDS + 0.5)[-1]) == [2]


def restarted(tracker, seconds, labels=LABELS, **options):
    """Another tracker with the memory of ``tracker``, through JSON."""
    other = Tracker(labels)
    other.restore(json.loads(json.dumps(tracker.state())), seconds, **options)
    return other


def test_after_a_restart_it_goes_on_as_if_there_had_been_none():
    one, two = Tracker(LABELS), Tracker(LABELS)
    places = [[(100 + 6 * k, 300), (500 - 5 * k, 310)] for k in range(40)]
    for tracker in (one, two):
        walk(tracker, places[:20], rate=5)
    two = restarted(two, 19 / 5)
    for k, place in enumerate(places[20:], 20):
        a, b = one.update(seen(*place), k / 5), two.update(seen(*place), k / 5)
        assert [t.xyxy.tobytes() for t in a] == [t.xyxy.tobytes() for t in b]
        assert [(t.track_id, t.stationary, t.age_seconds) for t in a] == [
            (t.track_id, t.stationary, t.age_seconds) for t in b
        ]


def test_what_stood_still_is_the_same_after_a_minute_without_the_worker_and_who_walked_is_not():
    tracker = Tracker(LABELS)
    walk(tracker, [[(300, 300), (500 + 4 * k, 300)] for k in range(500)], rate=5)
    tracker = restarted(tracker, -60.0)
    reports = walk(tracker, [[(300, 300), (2496, 300)]] * 3, rate=5)
    assert ids(reports[0]) == [1], "nobody is reported before being seen often enough"
    assert ids(reports[-1]) == [1, 3], "numbers go on rising"
    assert reports[0][0].stationary
    assert reports[0][0].age_seconds == pytest.approx(99.8 + 60)


def test_numbers_go_on_rising_however_long_it_took_and_what_is_skipped_is_not_given():
    tracker = Tracker(LABELS)
    walk(tracker, [[(100, 300), (300, 300), (500, 300)]] * 3, rate=5)
    late = restarted(tracker, -86400.0, skipped_ids=1000)
    assert ids(walk(late, [[(100, 300)]] * 3, rate=5)[-1]) == [1004]


def test_a_model_with_other_classes_keeps_what_it_knows():
    tracker = Tracker(LABELS)
    for k in range(5):
        tracker.update(seen((100, 300), label="bus"), k / 5)
    other = ("bus", "person")
    kept = restarted(tracker, 0.8, labels=other)
    found = Detections(seen((100, 300)).xyxy, np.array([0.8], np.float32), np.array([0]))
    assert [(t.track_id, t.label) for t in kept.update(found, 1.0)] == [(1, "bus")]
    assert restarted(tracker, 0.8, labels=("person",)).update(seen((100, 300)), 1.0) == []


@pytest.mark.parametrize(
    "change",
    [{"version": 2}, {"next_id": 0}, {"now": None}, {"targets": [{"track_id": 1}]}, {"more": 1}],
)
def test_what_is_no_state_of_a_tracker_is_refused(change):
    tracker = Tracker(LABELS)
    with pytest.raises(ValueError, match=next(iter(change))):
        tracker.restore(tracker.state() | change, 0.0)


def test_no_colours_are_stored():
    tracker = Tracker(LABELS)
    for k in range(5):
        tracker.update(seen((100, 300)), k / 5, colours=colours("red"))
    (target,) = tracker.state()["targets"]
    numbers = len(re.findall(r"\d+\.?\d*", json.dumps(target)))
    assert "colour" not in json.dumps(tracker.state())
    assert numbers < 40


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
