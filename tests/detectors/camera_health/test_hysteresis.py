import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.camera_health.hysteresis import Hysteresis


def turns(readings, raise_seconds=15.0, clear_seconds=10.0):
    """(seconds, active) at each turn, of readings a second apart."""
    state = Hysteresis(raise_seconds, clear_seconds)
    return [(at, state.active) for at, bad in enumerate(readings) if state.update(bad, float(at))]


def test_a_fault_is_raised_after_its_seconds_and_cleared_after_others():
    readings = [False] * 5 + [True] * 30 + [False] * 30
    assert turns(readings) == [(19, True), (44, False)]


def test_it_says_when_the_evidence_began():
    state = Hysteresis(5.0, 5.0)
    for at in range(20):
        state.update(at >= 10, float(at))
    assert state.active
    assert state.since == 9.0, "the last moment at which all was well"


def test_evidence_that_comes_and_goes_raises_nothing():
    assert turns(([True] * 5 + [False] * 5) * 40) == []


def test_evidence_with_short_gaps_raises():
    assert [active for _, active in turns(([True] * 9 + [False]) * 5)] == [True]


def test_one_good_reading_does_not_clear():
    assert turns([True] * 20 + ([False] * 5 + [True]) * 10) == [(15, True)]


def test_what_cannot_be_judged_changes_nothing():
    assert turns([True] * 10 + [None] * 500 + [True] * 10) == [(515, True)]


@pytest.mark.parametrize("then", [1000.0, -50.0])
def test_over_a_gap_and_over_a_clock_set_back_nothing_is_counted(then):
    state = Hysteresis(15.0, 10.0)
    for at in range(10):
        assert not state.update(True, float(at))
    assert not state.update(True, then)
    assert not state.active


@given(st.lists(st.sampled_from([True, False, None]), max_size=300), st.integers(1, 20), st.integers(1, 20))
def test_raised_and_cleared_take_turns_and_last_their_time(readings, raise_seconds, clear_seconds):
    found = turns(readings, raise_seconds, clear_seconds)
    assert [active for _, active in found] == [n % 2 == 0 for n in range(len(found))]
    before = 0
    for at, active in found:
        assert at - before >= (raise_seconds if active else clear_seconds)
        before = at
