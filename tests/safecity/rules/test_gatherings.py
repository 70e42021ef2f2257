"""crowding and after_hours: one event from when there are many to when there are few."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from safecity.event import Phase
from safecity.rules import Scene, build_rule
from safecity.rules.after_hours import Settings as AfterHours
from safecity.rules.crowding import Settings as Crowding
from tests.safecity.rules.scenes import BEGIN, IN, OUT, SCENE, observe, run, seconds, track

CROWD = Crowding(name="r", zone="yard", count=5, persistence_seconds=2, gap_seconds=3)


def people(number, place=IN):
    return [track((place[0] + 0.001 * n, place[1]), n) for n in range(number)]


def numbers(rule, counts, step=0.5, scene=SCENE):
    built = build_rule(rule, scene)
    return [e for n, count in enumerate(counts) for e in built.update(observe(n * step, *people(count)))]


def test_a_crowd_is_opened_when_it_lasts_and_closed_when_it_is_gone():
    events = numbers(CROWD, [4] * 10 + [5] * 10 + [0] * 20)
    assert [event.phase for event in events] == ["opened", "closed"]
    assert len({event.event_id for event in events}) == 1
    assert [event.revision for event in events] == [1, 2]
    assert [seconds(event) for event in events] == [7.0, 14.0]
    assert (events[0].attributes["count"], events[0].attributes["peak"]) == (5, 5)
    assert events[1].attributes["peak"] == 5
    assert events[1].closed_at == events[1].occurred_at > events[1].opened_at
    assert len(events[0].tracks) == 5


def test_a_moment_is_no_crowd_and_one_missed_in_a_picture_does_not_matter():
    assert numbers(CROWD, [4] * 5 + [9] * 2 + [4] * 20) == []
    assert [e.phase for e in numbers(CROWD, [5, 4] * 20)] == ["opened"]


def test_between_few_and_many_nothing_happens():
    assert numbers(CROWD, [4] * 50) == []
    assert [e.phase for e in numbers(CROWD, [5] * 10 + [4] * 50)] == ["opened"]


def test_a_crowd_that_grows_is_updated_and_not_for_each_head():
    events = numbers(CROWD, [5] * 10 + list(range(6, 21)))
    assert events[0].phase is Phase.OPENED
    assert {event.phase for event in events[1:]} == {Phase.UPDATED}
    peaks = [event.attributes["peak"] for event in events]
    assert peaks[-1] >= 17
    assert len(peaks) <= 9
    assert all(b >= 1.2 * a for a, b in pairwise(peaks))


def test_those_outside_do_not_count():
    built = build_rule(CROWD, SCENE)
    assert [e for n in range(20) for e in built.update(observe(n * 0.5, *people(9, OUT)))] == []


def test_density_is_of_the_ground():
    # The yard is 0.4 x 0.4 of 64 x 48 metres: 491.52 square metres.
    dense = CROWD.model_copy(update={"per_square_metre": 0.02})
    assert numbers(dense, [9] * 20) == []
    (event,) = numbers(dense, [10] * 20)
    assert event.attributes["per_square_metre"] == pytest.approx(10 / 491.52, abs=1e-3)


NIGHT = AfterHours(name="r", schedule="22:00-06:00", persistence_seconds=1, gap_seconds=5)
TEN = datetime(2026, 3, 1, 22, tzinfo=UTC)


def test_who_is_there_when_the_hours_begin_is_told_and_one_event_is_the_whole_presence():
    events = run(NIGHT, [IN] * 400 + [None] * 100, begin=TEN - timedelta(seconds=40))
    assert [event.phase for event in events] == ["opened", "closed"]
    assert events[0].opened_at == TEN + timedelta(seconds=1)
    assert run(NIGHT, [IN] * 100) == []


def test_when_the_hours_are_over_so_is_the_event():
    six = datetime(2026, 3, 2, 6, tzinfo=UTC)
    events = run(NIGHT, [IN] * 400, begin=six - timedelta(seconds=40))
    assert [event.phase for event in events] == ["opened", "closed"]
    assert six < events[1].closed_at < six + timedelta(seconds=8)


def test_the_hours_are_those_of_the_cameras_wall_clock():
    def opened(timezone):
        scene = Scene("cam-1", "0" * 16, SCENE.zones, SCENE.lines, timezone=timezone)
        built = build_rule(NIGHT, scene)
        return [e for n in range(30) for e in built.update(observe(n * 0.2, track(IN), begin=BEGIN))]

    assert opened("UTC") == []
    assert len(opened("Australia/Sydney")) == 1
    assert np.isclose(seconds(opened("Australia/Sydney")[0]), 1.0)


def test_hours_are_wanted():
    with pytest.raises(ValueError, match="schedule"):
        AfterHours(name="r")
