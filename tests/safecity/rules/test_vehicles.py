"""wrong_way, stopped_vehicle and speed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.rules import build_rule
from safecity.rules.speed import Settings as Speed
from safecity.rules.stopped_vehicle import Settings as Stopped
from safecity.rules.wrong_way import Settings as WrongWay
from tests.safecity.rules.scenes import SCENE, observe, run, seconds, track, walk

WRONG = WrongWay(name="r", zone="yard", direction=(1.0, 0.0))
STOPPED = Stopped(name="r", zone="yard", dwell_seconds=10, lost_seconds=60)
FAST = Speed(name="r", zone="yard", limit_kmh=30)
HERE = (0.6, 0.6)


def drive(rule, path, step=0.2, **more):
    return run(rule, path, step, label="car", **more)


def test_against_the_direction_counts_once():
    (event,) = drive(WRONG, walk((0.75, 0.6), (0.45, 0.6), 30))
    assert (event.kind, event.zone, event.severity, event.phase) == ("wrong_way", "yard", "high", "closed")
    assert drive(WRONG, walk((0.45, 0.6), (0.75, 0.6), 30)) == []


@pytest.mark.parametrize(("end", "count"), [((0.5, 0.5), 1), ((0.69, 0.42), 0), ((0.72, 0.78), 0)])
def test_across_is_not_against(end, count):
    assert len(drive(WRONG, walk((0.7, 0.6), end, 20))) == count


def test_who_stands_or_sways_does_not_count():
    assert drive(WRONG, [(0.6 + 0.02 * (-1) ** n, 0.6) for n in range(100)]) == []


def test_one_that_turns_is_measured_from_where_it_turned():
    path = walk((0.45, 0.6), (0.7, 0.6), 20) + walk((0.7, 0.6), (0.5, 0.6), 20)
    (event,) = drive(WRONG, path)
    assert seconds(event) > 4.0
    assert drive(WRONG, walk((0.45, 0.6), (0.7, 0.6), 20) + walk((0.7, 0.6), (0.66, 0.6), 5)) == []


def test_outside_the_lane_every_way_is_right():
    assert drive(WRONG, walk((0.95, 0.9), (0.05, 0.9), 40)) == []


def test_a_direction_of_no_length_is_refused():
    with pytest.raises(ValueError, match="not zero"):
        WrongWay(name="r", zone="yard", direction=(0.0, 0.0))


def test_a_vehicle_that_stands_is_one_event_until_it_drives_away():
    path = walk((0.1, 0.6), HERE, 20) + [HERE] * 300 + walk(HERE, (0.95, 0.6), 20)
    events = drive(STOPPED, path)
    assert [event.phase for event in events] == ["opened", "closed"]
    assert events[0].event_id == events[1].event_id
    assert events[1].attributes["dwell_seconds"] == pytest.approx(60, abs=2)


def test_a_parked_car_is_no_new_event_every_hour():
    rule = build_rule(STOPPED, SCENE)
    events = []
    for n in range(3600 * 8 // 10):
        hidden = n % 30 in (4, 5, 6)
        events += rule.update(observe(n * 10.0, *([] if hidden else [track(HERE, 1, "car")])))
    assert [event.phase for event in events] == ["opened"]


def test_lost_for_long_it_has_gone_and_back_on_its_place_it_is_the_same_stop():
    events = drive(STOPPED, [HERE] * 100 + [None] * 400 + [HERE] * 400)
    assert [event.phase for event in events] == ["opened", "closed"]


def test_a_stop_at_the_lights_and_a_box_that_jumps_do_not_count():
    assert drive(STOPPED, walk((0.1, 0.6), HERE, 20) + [HERE] * 40 + walk(HERE, (0.95, 0.6), 20)) == []
    jumps = [HERE if n % 5 else (0.68, 0.62) for n in range(100)]
    assert [event.phase for event in drive(STOPPED, jumps)] == ["opened"]


def test_one_that_stops_twice_is_two_events():
    events = drive(STOPPED, [HERE] * 60 + walk(HERE, (0.75, 0.75), 10) + [(0.75, 0.75)] * 80)
    assert [event.phase for event in events] == ["opened", "closed", "opened"]
    assert len({event.event_id for event in events}) == 2


def test_beside_the_zone_one_may_stand():
    assert drive(STOPPED, [(0.2, 0.6)] * 200) == []


def speeding(kmh, *, jitter=0.0, seed=0, count=40):
    """The speed's share of the picture, which is 64 m wide, at 5 pictures a second."""
    noise = np.random.default_rng(seed).normal(0, jitter, (count, 2))
    step = kmh / 3.6 / 64 * 0.2
    places = [(0.41 + step * n + noise[n, 0], 0.6 + noise[n, 1]) for n in range(count)]
    return [place for place in places if place[0] < 0.95] + [None] * 15


@pytest.mark.parametrize("kmh", [35, 50, 60])
def test_too_fast_is_said_with_the_speed(kmh):
    events = drive(FAST, speeding(kmh))
    assert [event.phase for event in events] == ["opened", "closed"]
    assert events[0].attributes["speed_kmh"] == pytest.approx(kmh, rel=0.01)
    assert events[1].attributes["top_kmh"] == pytest.approx(kmh, rel=0.01)


def test_within_the_limit_nothing_is_said():
    assert drive(FAST, speeding(28)) == []


@settings(deadline=None)
@given(st.integers(0, 1000))
def test_jitter_evens_out(seed):
    assert drive(FAST, speeding(24, jitter=0.002, seed=seed)) == []
    event = drive(FAST, speeding(45, jitter=0.002, seed=seed))[0]
    assert event.attributes["speed_kmh"] == pytest.approx(45, rel=0.2)


def test_one_jump_of_a_box_is_no_speed():
    assert drive(FAST, [(0.5, 0.6)] * 10 + [(0.56, 0.6)] + [(0.5, 0.6)] * 10) == []


def test_the_same_speed_at_another_rate_is_the_same_speed():
    slow = drive(FAST, speeding(40)[::2], step=0.4)
    assert slow[0].attributes["speed_kmh"] == pytest.approx(40, rel=0.01)


def test_what_is_gone_is_forgotten():
    rule = build_rule(FAST, SCENE)
    for n in range(2000):
        rule.update(observe(n * 0.5, track(HERE, n, "car")))
    assert len(rule._rule._drives) < 140
