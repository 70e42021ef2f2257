import pytest

from detectors.camera_health.timing import ClockError, FrameRate


def watched(rate, fps, seconds, begin=0.0, index=0, analysed=5):
    """Look at ``analysed`` frames a second of a stream of ``fps``; the index that it came to."""
    for step in range(int(seconds * analysed)):
        rate.update(index + int(step * fps / analysed), begin + step / analysed)
    return index + int(seconds * fps)


@pytest.mark.parametrize("fps", [2, 12.5, 25, 60])
def test_the_rate_is_that_of_all_frames_not_of_those_looked_at(fps):
    rate = FrameRate(None)
    watched(rate, fps, 60)
    assert rate.measured == pytest.approx(fps, rel=0.05)
    assert rate.expected == pytest.approx(fps, rel=0.05)


def test_a_promised_rate_is_not_learned_away():
    rate = FrameRate(25.0)
    watched(rate, 5, 600)
    assert (rate.measured, rate.expected) == (pytest.approx(5, rel=0.05), 25.0)


def test_what_it_used_to_be_is_remembered_for_long_but_not_for_ever():
    rate = FrameRate(None)
    index = watched(rate, 25, 60)
    index = watched(rate, 5, 60, 60, index)
    assert rate.measured < 0.25 * rate.expected
    watched(rate, 5, 20_000, 120, index, analysed=1)
    assert rate.measured > 0.9 * rate.expected


def test_a_burst_after_a_stall_does_not_raise_what_is_expected():
    rate = FrameRate(None)
    index = watched(rate, 25, 100)
    index = watched(rate, 100, 2, 104, index)
    watched(rate, 25, 20, 106, index)
    assert rate.expected < 35


def test_a_stream_that_was_away_is_not_slow():
    rate = FrameRate(None)
    index = watched(rate, 25, 60)
    rate.update(index, 80.0)
    assert rate.measured is None
    watched(rate, 25, 12, 80.2, index + 1)
    assert rate.measured == pytest.approx(25, rel=0.05)


def test_delay_is_not_taken_for_a_wrong_clock():
    clock = ClockError()
    errors = [clock.update(-delay, at / 5) for at, delay in enumerate([0.1, 9.0, 3.0, 0.2, 8.0] * 40)]
    assert all(error >= -0.2 for error in errors)


def test_a_clock_that_jumps_is_seen_in_seconds_in_both_directions():
    for jump in (-3600.0, 8.0):
        clock = ClockError()
        for at in range(100):
            error = clock.update(jump if at >= 50 else 0.0, at / 5)
        assert error == pytest.approx(jump) or jump < 0
        for at in range(100, 160):
            error = clock.update(jump, at / 5)
        assert error == pytest.approx(jump)


def test_without_a_clock_nothing_is_said():
    clock = ClockError()
    clock.update(50.0, 1.0)
    assert clock.update(None, 1.2) is None
    assert clock.update(0.5, 1.4) == 0.5
