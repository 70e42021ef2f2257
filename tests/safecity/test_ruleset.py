"""What is common to all rules: hours, objects, cool-down; and the revisions of events."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.evidence import Picture
from safecity.rules.after_hours import Settings as AfterHours
from safecity.rules.all import Settings as All
from safecity.rules.crowding import Settings as Crowding
from safecity.rules.line_crossed import Settings as LineCrossed
from safecity.rules.loitering import Settings as Loitering
from safecity.rules.zone_entered import Settings as ZoneEntered
from safecity.rules.zone_left import Settings as ZoneLeft
from safecity.ruleset import RuleSet
from tests.safecity.rules.scenes import BEGIN, IN, OUT, SCENE, observe, run, track

TEN = datetime(2026, 3, 1, 22, tzinfo=UTC)


def test_who_was_inside_before_the_hours_begin_has_not_entered():
    rule = ZoneEntered(name="r", zone="yard", schedule="22:00-06:00")
    assert run(rule, [IN] * 200, begin=TEN - timedelta(seconds=20)) == []
    assert len(run(rule, [OUT] * 150 + [IN] * 50, begin=TEN - timedelta(seconds=20))) == 1


def test_loitering_begins_with_the_hours():
    rule = Loitering(name="r", zone="yard", dwell_seconds=10, schedule="22:00-06:00")
    (event,) = run(rule, [IN] * 200, begin=TEN - timedelta(seconds=20))
    assert event.opened_at == TEN + timedelta(seconds=10)


def test_after_an_event_a_rule_cools_down_and_what_follows_an_event_is_still_told():
    rule = Loitering(name="r", zone="yard", dwell_seconds=1, gap_seconds=1, cool_down_seconds=30)
    events = run(rule, ([IN] * 10 + [OUT] * 10) * 10)
    assert [event.phase for event in events] == ["opened", "closed", "opened", "closed"]
    assert events[2].opened_at - events[0].opened_at >= timedelta(seconds=30)


def test_an_object_counts_from_when_it_was_once_seen_surely():
    rule = ZoneEntered(name="r", zone="yard", min_confidence=0.7)
    assert run(rule, [IN] * 20, confidence=0.6) == []
    rules = RuleSet([rule], SCENE)
    sure = [0.5, 0.8, 0.5, 0.5, 0.5, 0.5]
    events = [
        e for n, c in enumerate(sure) for e in rules.update(observe(n * 0.2, track(IN, confidence=c))).events
    ]
    assert len(events) == 1


def approach(rule, sizes, *, gap=0, step=0.2):
    """Rulings when a person in the zone is seen at heights ``sizes``, and then ``gap`` frames not at all."""
    rules = RuleSet([rule], SCENE)
    told, kept = [], []
    for n, height in enumerate([*sizes, *[None] * gap]):
        tracks = [] if height is None else [track(IN, size=(height / 2, height))]
        rulings = rules.update(observe(n * step, *tracks))
        told += rulings.told
        kept += [(n, event_id) for event_id in rulings.keep]
        assert rulings.keep <= rulings.unfinished
    return told, kept


BEST = ZoneEntered(name="r", zone="yard", persistence_seconds=0, evidence="best")


def test_the_event_goes_out_at_once_and_the_better_picture_when_the_object_has_gone():
    told, kept = approach(BEST, [0.1, 0.12, 0.2, 0.4, 0.3], gap=30)
    first, second = told
    assert (first.picture, second.picture) == (Picture.NOW, Picture.KEPT)
    assert first.event.event_id == second.event.event_id
    assert (first.event.revision, second.event.revision) == (1, 2)
    assert first.event.occurred_at == second.event.occurred_at
    assert second.event.phase == "closed"
    assert second.event.box[3] - second.event.box[1] == pytest.approx(0.4)
    assert [n for n, _ in kept] == [2, 3]


def test_the_better_picture_is_not_waited_for_too_long():
    told, _ = approach(BEST, [0.1] * 5 + [0.3] * 100)
    assert [ruling.picture for ruling in told] == [Picture.NOW, Picture.KEPT]


def test_no_better_picture_no_revision_and_few_pictures_are_taken():
    assert len(approach(BEST, [0.4] * 80, gap=40)[0]) == 1
    _, kept = approach(BEST, [0.1 + 0.003 * n for n in range(100)])
    assert len(kept) <= 7
    first_only = BEST.model_copy(update={"evidence": "first"})
    assert len(approach(first_only, [0.1, 0.4], gap=40)[0]) == 1


def test_one_that_may_be_cut_or_is_faint_is_no_better():
    rules = RuleSet([BEST], SCENE)
    rules.update(observe(0, track(IN, size=(0.1, 0.2))))
    assert rules.update(observe(0.2, track(IN, size=(0.12, 0.25), confidence=0.3))).keep == frozenset()
    cut = rules.update(observe(0.4, track((0.6, 1.0), size=(0.15, 0.3))))
    assert cut.keep == frozenset()


def test_the_last_revision_brings_the_best_picture_and_revisions_rise_by_one():
    stay = Loitering(name="r", zone="yard", dwell_seconds=1, gap_seconds=1)
    told, _ = approach(stay, [0.1] * 8 + [0.2] * 60 + [0.4] * 5, gap=20)
    assert [ruling.event.revision for ruling in told] == [1, 2, 3]
    assert [ruling.event.phase for ruling in told] == ["opened", "updated", "closed"]
    assert [ruling.picture for ruling in told] == [Picture.NOW, Picture.KEPT, Picture.KEPT]
    assert told[2].event.attributes["dwell_seconds"] > 10
    same, _ = approach(stay, [0.2] * 30, gap=20)
    assert [ruling.picture for ruling in same] == [Picture.NOW, Picture.SAME]


def test_nothing_is_kept_for_what_is_over():
    rules = RuleSet([BEST, Loitering(name="s", zone="yard", dwell_seconds=1)], SCENE)
    for n in range(3000):
        place = [track(IN, n // 10, size=(0.02 + 0.01 * (n % 10), 0.1 + 0.05 * (n % 10)))] if n % 10 else []
        unfinished = rules.update(observe(n * 0.2, *place)).unfinished
        assert len(unfinished) < 15


ALL = (
    BEST,
    ZoneLeft(name="left", zone="yard", evidence="best"),
    LineCrossed(name="crossed", line="gate", count="every"),
    Loitering(name="stayed", zone="yard", dwell_seconds=1, gap_seconds=0.5),
    Crowding(name="crowd", zone="yard", count=2, persistence_seconds=0.2, gap_seconds=0.5),
    AfterHours(name="hours", schedule="12:00-12:00", persistence_seconds=0.2, gap_seconds=1),
    All(name="both", rules=("crossed", "stayed")),
)
places = st.one_of(st.none(), st.tuples(st.floats(0, 1), st.floats(0.1, 1)))


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(places, places, places), max_size=60))
def test_on_any_paths_the_same_bytes_and_revisions_without_a_gap(path):
    def decide():
        rules = RuleSet(ALL, SCENE)
        return [
            ruling
            for n, row in enumerate(path)
            for ruling in rules.update(
                observe(n * 0.4, *(track(p, i, size=(0.1, 0.1 + 0.1 * i)) for i, p in enumerate(row) if p))
            ).told
        ]

    told = decide()
    assert [r.event.to_bytes() for r in decide()] == [r.event.to_bytes() for r in told]
    lives = {}
    for ruling in told:
        lives.setdefault(ruling.event.event_id, []).append(ruling)
    for life in lives.values():
        assert [r.event.revision for r in life] == list(range(1, len(life) + 1))
        phases = [r.event.phase.value for r in life]
        assert phases[0] in ("opened", "closed")
        assert "opened" not in phases[1:]
        assert all(p == "closed" for p in phases[phases.index("closed") :]) if "closed" in phases else True
        assert life[0].picture is Picture.NOW
        assert len({(r.event.opened_at, r.event.rule, r.event.config) for r in life}) == 1
        times = [r.event.occurred_at for r in life]
        assert times == sorted(times)
        assert times[0] >= BEGIN
