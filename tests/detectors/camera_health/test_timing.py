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


def errors_of(clock, errors, begin=0.0):
    """What the clock says after each picture, 5 a second."""
    said = []
    for at, error in enumerate(errors):
        clock.update(error, begin + at / 5)
        said.append(clock.seconds)
    return said


def test_delay_is_not_taken_for_a_wrong_clock():
    errors = errors_of(ClockError(), [-delay for delay in [0.1, 9.0, 3.0, 0.2, 8.0] * 40])
    assert all(error >= -0.2 for error in errors)


@pytest.mark.parametrize("jump", [-3600.0, 8.0])
def test_a_clock_that_jumps_is_seen_in_seconds_in_both_directions(jump):
    clock = ClockError()
    assert errors_of(clock, [0.0] * 50)[-1] == 0.0
    assert errors_of(clock, [jump] * 52, begin=10.0)[-1] == jump


def test_without_a_clock_nothing_is_said():
    assert errors_of(ClockError(), [50.0, None, 0.5]) == [50.0, None, 0.5]
