"""line_crossed under jitter: every crossing counts once, whatever the foot point does on the line."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.rules import build_rule
from safecity.rules.line_crossed import JITTER_SHARE
from safecity.rules.line_crossed import Settings as LineCrossed
from tests.safecity.rules.scenes import SCENE, observe, run, track, walk

ONCE = LineCrossed(name="r", line="gate")
EVERY = LineCrossed(name="r", line="gate", count="every")
LEFT, RIGHT = (0.3, 0.5), (0.7, 0.5)
HEIGHT = 0.2

seeds = st.integers(0, 2**32 - 1)
speeds = st.integers(4, 40)
walks = st.lists(
    st.tuples(st.booleans(), st.floats(0.35, 0.75), speeds, st.integers(0, 12)), min_size=1, max_size=4
)


def crossings(turns):
    """A path to and fro, with stops on the line, and how often it crosses."""
    path, here, count = [], LEFT, 0
    for crosses, height, steps, stop in turns:
        there = RIGHT if here[0] < 0.5 else LEFT
        on_line = (0.5, height)
        path += walk((here[0], height), on_line, steps) + [on_line] * stop
        goal = there if crosses else here
        path += walk(on_line, (goal[0], height), steps)
        count += crosses
        here = goal
    return path, count


def jittered(path, seed):
    """Each place anywhere within a tenth of the object's height; half of the time as far off as that."""
    reach = JITTER_SHARE * HEIGHT * 0.99
    noise = np.clip(np.random.default_rng(seed).uniform(-2, 2, (len(path), 2)), -1, 1) * reach
    return [place and (place[0] + a, place[1] + b) for place, (a, b) in zip(path, noise, strict=True)]


@settings(max_examples=150, deadline=None)
@given(walks, seeds)
def test_a_track_that_jitters_counts_exactly_once_each_time_it_crosses(turns, seed):
    path, count = crossings(turns)
    path = jittered(path, seed)
    events = run(EVERY, path, size=(0.1, HEIGHT))
    assert len(events) == count
    directions = [event.attributes["direction"] for event in events]
    assert all(a != b for a, b in pairwise(directions))
    assert len(run(ONCE, path, size=(0.1, HEIGHT))) == min(count, 2)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20), speeds), min_size=1, max_size=12), seeds)
def test_many_jittering_tracks_at_once_count_once_each(walkers, seed):
    rule = build_rule(ONCE, SCENE)
    paths = []
    for to_right, delay, steps in walkers:
        start, end = (LEFT, RIGHT) if to_right else (RIGHT, LEFT)
        paths.append(jittered([None] * delay + walk(start, end, 2 * steps), seed + len(paths)))
    events = []
    for n in range(max(map(len, paths))):
        here = [track(path[n], number) for number, path in enumerate(paths) if n < len(path) and path[n]]
        events += rule.update(observe(n * 0.2, *here))
    told = sorted((event.tracks[0].track_id, event.attributes["direction"]) for event in events)
    wanted = ["right_to_left" if to_right else "left_to_right" for to_right, _, _ in walkers]
    assert told == list(enumerate(wanted))


def test_there_and_back_and_there_again_is_two_for_an_operator_and_three_for_a_counter():
    path = [LEFT, RIGHT, LEFT, RIGHT]
    assert len(run(ONCE, path)) == 2
    assert len(run(EVERY, path)) == 3


def test_round_the_end_of_the_line_is_no_crossing():
    assert run(EVERY, [*walk(LEFT, (0.3, 0.98), 9), *walk((0.3, 0.98), (0.7, 0.98), 9), RIGHT]) == []


def test_it_has_to_stay_on_the_other_side_for_as_long_as_is_wanted():
    patient = LineCrossed(name="r", line="gate", persistence_seconds=1.0)
    assert run(patient, [LEFT] * 3 + [RIGHT] * 4 + [LEFT] * 9) == []
    assert len(run(patient, [LEFT] * 3 + [RIGHT] * 9)) == 1


@pytest.mark.parametrize("gap", [1, 20])
def test_a_crossing_that_was_not_seen_counts_when_the_track_is_there_again(gap):
    assert len(run(ONCE, [LEFT, *[None] * gap, RIGHT])) == 1


def test_one_that_is_first_seen_on_the_line_counts_only_when_it_crosses_it():
    assert run(ONCE, [(0.5, 0.5), (0.505, 0.5), *walk((0.5, 0.5), RIGHT, 5)]) == []
    assert len(run(ONCE, [*walk((0.5, 0.5), RIGHT, 5), *walk(RIGHT, LEFT, 9)])) == 1


def test_the_direction_is_that_of_the_drawing():
    ((down,), (up,)) = (run(ONCE, path) for path in ([LEFT, RIGHT], [RIGHT, LEFT]))
    assert np.array_equal(SCENE.lines["gate"][:, 0], [0.5, 0.5])
    assert (down.attributes["direction"], up.attributes["direction"]) == ("right_to_left", "left_to_right")
