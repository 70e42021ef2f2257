"""Fragments of one track are one object to the rules, and two objects stay two."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.rules.zone_entered import Settings as ZoneEntered
from safecity.ruleset import RuleSet
from safecity.stitching import Stitcher
from tests.safecity.rules.scenes import SCENE, observe, track

SPEED = 0.05
"""Picture widths a second."""


def walker(seconds, number, **more):
    return track((0.2 + SPEED * seconds, 0.6), number, velocity=(SPEED, 0.0), **more)


def numbers(*frames):
    """What numbers the rules see, frame by frame (seconds, tracks)."""
    stitcher = Stitcher()
    return [tuple(t.track_id for t in stitcher.update(observe(s, *tracks)).tracks) for s, *tracks in frames]


def test_a_track_that_goes_on_is_the_same_and_its_age_counts_on():
    stitcher = Stitcher()
    stitcher.update(observe(0, walker(0, 1)))
    (seen,) = stitcher.update(observe(4, walker(4, 9, age_seconds=0.4))).tracks
    assert (seen.track_id, seen.age_seconds) == (1, 4.0)
    (seen,) = stitcher.update(observe(4.2, walker(4.2, 9, age_seconds=0.6))).tracks
    assert seen.track_id == 1


def test_what_is_far_late_other_or_older_is_another():
    assert numbers((0, walker(0, 1)), (2, track((0.9, 0.6), 2)))[1] == (2,)
    assert numbers((0, walker(0, 1)), (9, walker(9, 2)))[1] == (2,)
    assert numbers((0, walker(0, 1)), (1, walker(1, 2, label="car")))[1] == (2,)
    assert numbers((0, walker(0, 1)), (1, walker(1, 2, size=(0.02, 0.05))))[1] == (2,)
    assert numbers((0, walker(0, 1)), (1, walker(1, 2, age_seconds=30.0)))[1] == (2,)


def test_a_car_that_is_called_a_truck_is_the_same():
    assert numbers((0, walker(0, 1, label="car")), (1, walker(1, 2, label="truck")))[1] == (1,)


def test_two_at_once_are_two_and_each_goes_on_with_the_nearer():
    a, b = track((0.3, 0.5), 1), track((0.6, 0.5), 2)
    assert numbers((0, a, b), (1, track((0.61, 0.5), 3), track((0.31, 0.5), 4)))[1] == (2, 1)


def test_one_that_was_taken_for_another_gets_a_number_of_its_own_when_both_are_there():
    found = numbers(
        (0, walker(0, 1)), (1, walker(1, 2)), (2, walker(1.2, 1), walker(2, 2)), (3, walker(3, 2))
    )
    assert found[1] == (1,)
    assert len(set(found[2])) == 2
    assert found[2][1] == found[3][0] == 1


def test_a_parked_car_is_the_same_for_an_hour_and_a_person_is_not():
    def again(label, after):
        parked = track((0.5, 0.6), 1, label=label, stationary=True)
        return numbers((0, parked), (after, track((0.505, 0.6), 2, label=label)))[1] == (1,)

    assert again("car", 3000)
    assert not again("car", 4000)
    assert again("person", 20)
    assert not again("person", 60)


def test_a_fragment_does_not_enter_the_zone_a_second_time():
    rules = RuleSet([ZoneEntered(name="r", zone="yard")], SCENE)
    events = []
    for n in range(60):
        seconds, fragment = n * 0.2, 1 + n // 20
        if n % 20 > 4 or n < 20:
            tracks = [walker(4 + seconds, fragment, age_seconds=0.2 * (n % 20))]
            events += rules.update(observe(seconds, *tracks)).events
        else:
            events += rules.update(observe(seconds)).events
    assert [event.tracks[0].track_id for event in events] == [1]


def test_what_is_gone_is_forgotten():
    stitcher = Stitcher()
    for n in range(3000):
        stitcher.update(observe(n * 0.5, track((0.1 + 0.8 * (n % 7) / 7, 0.2 + 0.1 * (n % 5)), n)))
    assert len(stitcher._identities) < 40
    assert len(stitcher._numbers) == len(stitcher._last_seen) < 130


sightings = st.lists(
    st.dictionaries(st.integers(1, 8), st.tuples(st.floats(0, 1), st.floats(0.3, 1)), max_size=5), max_size=30
)


@settings(deadline=None)
@given(sightings)
def test_no_two_objects_of_one_frame_get_the_same_number(frames):
    stitcher = Stitcher()
    for n, places in enumerate(frames):
        tracks = [track(place, number) for number, place in sorted(places.items())]
        seen = stitcher.update(observe(n * 0.7, *tracks)).tracks
        assert len({t.track_id for t in seen}) == len(tracks)
        assert [t.box for t in seen] == [t.box for t in tracks]


def test_the_observation_itself_is_left_as_it_is():
    stitcher = Stitcher()
    stitcher.update(observe(0, walker(0, 1)))
    observation = observe(1, walker(1, 2))
    assert stitcher.update(observation) is not observation
    assert observation.tracks[0].track_id == 2
    assert np.isclose(observation.tracks[0].age_seconds, 0)
