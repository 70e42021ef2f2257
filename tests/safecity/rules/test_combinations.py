"""all, any and then: over what other rules of the camera decided."""

import pytest

from safecity.rules.all import Settings as All
from safecity.rules.any import Settings as Any
from safecity.rules.line_crossed import Settings as LineCrossed
from safecity.rules.loitering import Settings as Loitering
from safecity.rules.then import Settings as Then
from safecity.rules.zone_entered import Settings as ZoneEntered
from safecity.ruleset import RuleSet
from tests.safecity.rules.scenes import SCENE, observe, seconds, track

PARTS = (
    LineCrossed(name="crossed", line="gate", silent=True),
    ZoneEntered(name="entered", zone="yard", persistence_seconds=0, silent=True),
    Loitering(name="stayed", zone="yard", dwell_seconds=5, silent=True),
)
NAMES = ("crossed", "entered")
FAR, NEAR, INSIDE = (0.3, 0.9), (0.3, 0.6), (0.7, 0.6)


def decide(rule, *paths, step=1.0):
    """Events of ``rule`` when each path is walked by a track of its own, a place every ``step`` seconds."""
    rules = RuleSet((*PARTS, rule), SCENE)
    events = []
    for n in range(max(map(len, paths))):
        here = [track(p[n], i, age_seconds=9.0) for i, p in enumerate(paths, 1) if n < len(p) and p[n]]
        events += rules.update(observe(n * step, *here)).events
    return events


def test_all_is_told_when_the_last_of_them_comes():
    (event,) = decide(All(name="c", rules=NAMES), [NEAR, NEAR, INSIDE, INSIDE])
    assert (event.kind, event.rule, event.phase, seconds(event)) == ("all", "c", "closed", 2.0)
    assert event.attributes["rules"] in ("crossed, entered", "entered, crossed")
    assert [t.track_id for t in event.tracks] == [1]
    assert event.severity == "high"


def test_one_of_them_is_not_all_and_too_far_apart_is_not():
    assert decide(All(name="c", rules=NAMES), [INSIDE] * 9) == []
    # The first enters at once; the second crosses below the yard much later.
    late = [None] * 20 + [(0.3, 0.85), (0.7, 0.85)]
    assert decide(All(name="c", rules=NAMES, within_seconds=10), [INSIDE] * 30, late) == []
    assert len(decide(All(name="c", rules=NAMES, within_seconds=30), [INSIDE] * 30, late)) == 1


def test_the_same_track_may_be_wanted():
    crossing = [(0.3, 0.85), (0.7, 0.85)]
    assert len(decide(All(name="c", rules=NAMES), [INSIDE] * 3, crossing)) == 1
    assert decide(All(name="c", rules=NAMES, same="track"), [INSIDE] * 3, crossing) == []


def test_then_wants_the_order():
    in_order = Then(name="c", rules=("entered", "stayed"), within_seconds=10)
    assert len(decide(in_order, [INSIDE] * 9)) == 1
    assert decide(Then(name="c", rules=("stayed", "entered")), [INSIDE] * 9) == []


def test_then_in_time_only_and_each_serves_once():
    slow = Then(name="c", rules=("entered", "stayed"), within_seconds=3)
    assert decide(slow, [INSIDE] * 9) == []
    twice = Then(name="c", rules=("entered", "stayed"), within_seconds=10)
    assert len(decide(twice, [INSIDE] * 9, [None] * 2 + [INSIDE] * 9)) == 2


def test_what_is_still_open_counts_however_old_it_is():
    rule = Then(name="c", rules=("stayed", "crossed"), within_seconds=3)
    late = [None] * 20 + [(0.3, 0.85), (0.7, 0.85)]
    assert len(decide(rule, [INSIDE] * 30, late)) == 1
    assert decide(rule, [INSIDE] * 8, late) == []


def test_the_same_zone_may_be_wanted():
    assert decide(All(name="c", rules=NAMES, same="zone"), [NEAR, NEAR, INSIDE, INSIDE]) == []
    assert len(decide(All(name="c", rules=("entered", "stayed"), same="zone"), [INSIDE] * 9)) == 1


def test_any_makes_one_of_what_belongs_together():
    path = [NEAR, NEAR, *[INSIDE] * 9]
    (event,) = decide(Any(name="c", rules=("crossed", "entered", "stayed"), within_seconds=10), path)
    assert seconds(event) == 2.0
    assert len(decide(Any(name="c", rules=("crossed", "entered", "stayed"), within_seconds=1), path)) == 2
    two = Any(name="c", rules=("crossed", "entered"), within_seconds=10, same="track")
    assert len(decide(two, [INSIDE] * 3, [None, *[INSIDE] * 3])) == 2


def test_the_parts_are_published_only_when_wanted():
    loud = tuple(part.model_copy(update={"silent": False}) for part in PARTS)
    rules = RuleSet((*loud, All(name="c", rules=NAMES)), SCENE)
    events = [
        event
        for n, place in enumerate([NEAR, NEAR, INSIDE])
        for event in rules.update(observe(n, track(place))).events
    ]
    assert [event.rule for event in events] == ["crossed", "entered", "c"]


def test_combinations_may_be_combined():
    inner = All(name="both", rules=NAMES, silent=True)
    rules = RuleSet((*PARTS, inner, Then(name="c", rules=("both", "stayed"))), SCENE)
    events = [
        event
        for n in range(12)
        for event in rules.update(observe(n, track(NEAR if n < 2 else INSIDE))).events
    ]
    assert [event.rule for event in events] == ["c"]


@pytest.mark.parametrize("rules", [("a",), ("a", "a"), ()])
def test_two_different_rules_are_wanted(rules):
    with pytest.raises(ValueError, match="rules"):
        All(name="c", rules=rules)
