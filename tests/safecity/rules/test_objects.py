"""object_left and object_removed, from changes as :mod:`detectors.scene_change` reports them."""

import pytest

from safecity.rules import build_rule
from safecity.rules.object_left import Settings as Left
from safecity.rules.object_removed import Settings as Removed
from tests.safecity.rules.scenes import SCENE, change, observe, seconds

BAG = (0.5, 0.5, 0.54, 0.58)
LEFT = Left(name="r", zone="yard", persistence_seconds=10, gap_seconds=3)


def reports(rule, *spans, kind="appeared", box=BAG, until=60):
    """Events when a change is reported from the first to the second of each span, seconds."""
    built = build_rule(rule, SCENE)
    events = []
    for n in range(until * 2):
        now = n / 2
        changes = [change(box, now - a, kind) for a, b in spans if a <= now < b]
        events += built.update(observe(now, changes=changes))
    return events


def test_a_thing_is_opened_when_it_has_stayed_and_closed_when_it_has_gone():
    events = reports(LEFT, (5, 30))
    assert [event.phase for event in events] == ["opened", "closed"]
    assert [seconds(event) for event in events] == [15.0, 33.0]
    assert (events[0].box, events[0].tracks, events[0].zone) == (BAG, (), "yard")
    assert events[1].attributes["duration_seconds"] == 14.5


def test_a_thing_that_is_picked_up_again_in_time_is_none():
    assert reports(LEFT, (5, 14)) == []


def test_hidden_for_a_moment_it_is_the_same_thing():
    assert [event.phase for event in reports(LEFT, (5, 30), (32, 60))] == ["opened"]


@pytest.mark.parametrize("kind", ["vanished", "unknown"])
def test_only_what_has_appeared_was_left(kind):
    assert reports(LEFT, (5, 60), kind=kind) == []


def test_what_has_vanished_was_removed():
    rule = Removed(name="r", persistence_seconds=10)
    (event,) = reports(rule, (5, 60), kind="vanished")
    assert event.kind == "object_removed"
    assert reports(rule, (5, 60)) == []


@pytest.mark.parametrize(
    "box", [(0.5, 0.5, 0.505, 0.51), (0.41, 0.41, 0.79, 0.79), (0.1, 0.5, 0.14, 0.58)], ids=str
)
def test_too_small_too_large_or_elsewhere_is_none(box):
    assert reports(LEFT, (5, 60), box=box) == []


def test_two_things_at_once_are_two_events():
    built = build_rule(LEFT, SCENE)
    other = (0.7, 0.5, 0.74, 0.58)
    events = [
        e for n in range(40) for e in built.update(observe(n, changes=[change(BAG, n), change(other, n)]))
    ]
    assert len(events) == len({event.event_id for event in events}) == 2
