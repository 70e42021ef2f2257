"""The rules, on paths that are drawn by hand, and on any path at all."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.geometry import Region, iou, points_in_polygon, segments_intersect, signed_distance
from safecity.plugins import UnknownPluginError, load_plugin, plugin_names
from safecity.rules import build_rule
from safecity.rules.base import FORGET_AFTER
from safecity.rules.line_crossed import Settings as LineCrossed
from safecity.rules.loitering import Settings as Loitering
from safecity.rules.zone_entered import Settings as ZoneEntered
from tests.safecity.rules.scenes import BEGIN, IN, OUT, SCENE, observe, run, seconds, track

ENTERED = ZoneEntered(name="r", zone="yard", persistence_seconds=0.4, reentry_seconds=3)
CROSSED = LineCrossed(name="r", line="gate")
STAYED = Loitering(name="r", zone="yard", dwell_seconds=5, gap_seconds=2)


def test_entering_counts_once_when_it_has_lasted_a_moment():
    (event,) = run(ENTERED, [OUT] * 5 + [IN] * 20)
    assert seconds(event) == pytest.approx(1.4)
    assert (event.kind, event.zone, event.rule, event.tracks[0].track_id) == ("zone_entered", "yard", "r", 1)


def test_a_touch_is_no_entering_and_jitter_on_the_edge_is_one():
    assert run(ENTERED, [OUT] * 5 + [IN] * 2 + [OUT] * 40) == []
    assert len(run(ENTERED, [OUT] * 5 + [IN, OUT] * 30)) == 1


def test_leaving_for_long_and_coming_back_counts_again():
    assert len(run(ENTERED, [IN] * 5 + [OUT] * 10 + [IN] * 5)) == 1
    assert len(run(ENTERED, [IN] * 5 + [OUT] * 20 + [IN] * 5)) == 2


def test_it_is_where_one_stands_that_counts():
    head_inside = (0.6, 0.95)
    assert run(ENTERED, [head_inside] * 20) == []


def test_other_objects_are_not_looked_at():
    assert run(ENTERED, [IN] * 20, label="car") == []
    both = ZoneEntered(name="r", zone="yard", labels=("person", "car"))
    assert len(run(both, [IN] * 20, label="car")) == 1


@pytest.mark.parametrize(
    ("path", "directions"),
    [
        ([(0.3, 0.5), (0.7, 0.5)], ["right_to_left"]),
        ([(0.7, 0.5), (0.3, 0.5)], ["left_to_right"]),
        ([(0.3, 0.5), (0.5, 0.5), (0.7, 0.5)], ["right_to_left"]),
        ([(0.3, 0.5), (0.49, 0.5), (0.3, 0.5)], []),
        ([(0.495, 0.5), (0.505, 0.5)] * 9, []),
        ([(0.3, 0.1), (0.7, 0.1)], []),
        ([(0.3, 0.5), (0.7, 0.5), (0.3, 0.5), (0.7, 0.5)], ["right_to_left", "left_to_right"]),
    ],
)
def test_crossing_a_line(path, directions):
    assert [event.attributes["direction"] for event in run(CROSSED, path)] == directions


def test_one_direction_only():
    wanted = LineCrossed(name="r", line="gate", direction="left_to_right")
    assert run(wanted, [(0.3, 0.5), (0.7, 0.5)]) == []
    assert len(run(wanted, [(0.7, 0.5), (0.3, 0.5)])) == 1


def test_loitering_counts_once_a_stay():
    (event,) = run(STAYED, [IN] * 100)
    assert seconds(event) == pytest.approx(5.0)
    assert event.attributes["dwell_seconds"] == pytest.approx(5.0)
    assert run(STAYED, [IN] * 24) == []


def test_a_short_gap_is_the_same_stay_and_a_long_one_is_not():
    assert len(run(STAYED, [IN] * 20 + [None] * 8 + [IN] * 20)) == 1
    assert len(run(STAYED, [IN] * 20 + [OUT] * 8 + [IN] * 20)) == 1
    assert run(STAYED, [IN] * 20 + [OUT] * 15 + [IN] * 20) == []
    phases = [event.phase for event in run(STAYED, [IN] * 30 + [OUT] * 15 + [IN] * 30)]
    assert phases == ["opened", "closed", "opened"]


def test_two_people_are_two():
    rule = build_rule(ENTERED, SCENE)
    events = [e for n in range(5) for e in rule.update(observe(n * 0.2, track(IN, 1), track(IN, 2)))]
    assert sorted(event.tracks[0].track_id for event in events) == [1, 2]
    assert len({event.event_id for event in events}) == 2


def test_what_is_long_gone_is_forgotten():
    rule = build_rule(ENTERED, SCENE)
    for n in range(5000):
        rule.update(observe(n * 0.2, track(OUT, n)))
    per_minute = FORGET_AFTER.total_seconds() / 0.2
    assert len(rule._rule._visits) <= 2 * per_minute


places = st.one_of(st.none(), st.tuples(st.floats(0, 1), st.floats(0, 1)))


@pytest.mark.parametrize("rule", [ENTERED, CROSSED, STAYED], ids=lambda rule: rule.kind)
def test_on_any_path_the_same_observations_give_the_same_bytes_and_no_id_twice(rule):
    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.tuples(places, places), max_size=60))
    def check(path):
        def decide():
            built = build_rule(rule, SCENE)
            return [
                event
                for n, pair in enumerate(path)
                for event in built.update(
                    observe(n * 0.2, *(track(place, i) for i, place in enumerate(pair) if place))
                )
            ]

        events = decide()
        assert [event.to_bytes() for event in decide()] == [event.to_bytes() for event in events]
        assert len({event.event_id for event in events}) == len(events)
        times = {BEGIN + timedelta(seconds=n * 0.2) for n in range(len(path))}
        assert all(event.occurred_at in times for event in events)

    check()


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30))
def test_a_square_holds_what_a_square_holds(points):
    square = np.array([[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]])
    array = np.array(points)
    edge = np.any(np.isclose(array, 0.25) | np.isclose(array, 0.75), axis=1)
    wanted = np.all((array > 0.25) & (array < 0.75), axis=1)
    inside = points_in_polygon(array, square)
    assert np.array_equal(inside[~edge], wanted[~edge])
    assert np.array_equal(points_in_polygon(array, square[::-1])[~edge], wanted[~edge])
    assert [Region(square).holds(x, y) for x, y in points] == inside.tolist()


def test_a_hollow_polygon_is_hollow():
    bay = np.array([[0, 0], [1, 0], [1, 1], [0.6, 1], [0.6, 0.4], [0.4, 0.4], [0.4, 1], [0, 1]], float)
    assert points_in_polygon(np.array([[0.5, 0.7], [0.2, 0.7], [0.5, 0.2]]), bay).tolist() == [
        False,
        True,
        True,
    ]


def test_lines_and_boxes():
    start, end = np.array([0.0, 0.0]), np.array([1.0, 0.0])
    assert signed_distance(np.array([[0.5, 0.2], [0.5, -0.1]]), start, end).tolist() == [0.2, -0.1]
    assert segments_intersect(np.array([0.5, -1]), np.array([0.5, 1]), start, end)
    assert not segments_intersect(np.array([1.5, -1]), np.array([1.5, 1]), start, end)
    boxes = np.array([[0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6], [1, 1, 1, 1]], float)
    assert iou(boxes[:1], boxes)[0].tolist() == pytest.approx([1, 1 / 3, 0, 0])


def test_plugins_are_modules_and_nothing_else():
    assert {"zone_entered", "line_crossed", "loitering"} <= set(plugin_names("safecity.rules"))
    for name in ("os", "..settings", "base64", "_private", ""):
        with pytest.raises(UnknownPluginError, match="there are: "):
            load_plugin("safecity.rules", name)
