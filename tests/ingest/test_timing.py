"""Back-off, sampling, and the event time of live streams."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.backoff import Backoff
from ingest.event_time import ArrivalClock, CameraClock
from ingest.sampling import Sampler


def test_waits_double_up_to_the_longest_and_begin_anew():
    backoff = Backoff(0.5, 10.0, random.Random(1))
    waits = [backoff.next_wait() for _ in range(50)]
    full = [0.5, 1, 2, 4, 8, *[10.0] * 45]
    assert all(limit / 2 <= wait <= limit for wait, limit in zip(waits, full, strict=True))
    backoff.reset()
    assert backoff.next_wait() <= 0.5


def test_cameras_do_not_come_back_at_the_same_moment():
    waits = {Backoff(source=random.Random(seed)).next_wait() for seed in range(20)}
    assert len(waits) == 20


@pytest.mark.parametrize("rate", [1, 2, 3, 5, 7.5, 10, 25])
@pytest.mark.parametrize("fps", [5, 10, 12.5, 25, 30])
def test_so_many_frames_a_second_are_taken(rate, fps):
    sampler = Sampler(rate)
    taken = [n / fps for n in range(int(fps * 40)) if sampler.takes(n / fps)]
    assert len(taken) == pytest.approx(40 * min(rate, fps), rel=0.03)


@given(st.lists(st.floats(-0.01, 0.01), min_size=100, max_size=100))
def test_jitter_does_not_change_which_frames_are_taken(jitter):
    sampler = Sampler(5)
    taken = [n for n, off in enumerate(jitter) if sampler.takes(1e9 + n / 10 + off)]
    assert taken == list(range(0, 100, 2))


def test_event_time_is_the_cameras_clock_with_the_least_delay():
    clock, delays = ArrivalClock(), [0.3, 0.1, 0.4, 0.05, 0.2, 0.05, 0.3]
    times = [clock.event_time(n * 0.1, 1000 + n * 0.1 + delay) for n, delay in enumerate(delays)]
    steps = [later - earlier for earlier, later in pairwise(times[3:])]
    assert steps == pytest.approx([0.1] * 3, abs=0.001)
    assert times[-1] == pytest.approx(1000.6 + 0.05, abs=0.001)


def test_a_clock_that_drifts_is_followed_and_one_that_jumps_is_taken_anew():
    clock = ArrivalClock()
    for n in range(10_000):
        arrival = 1000 + n * 0.1
        late = arrival - clock.event_time(n * 0.1 * (1 - 1e-4), arrival)
    assert late < 0.02, "a camera slow by 100 ppm for 1,000 s"
    assert clock.event_time(5.0, 3000.0) == 3000.0
    assert clock.event_time(None, 3001.0) == 3001.0


def test_a_cameras_clock_is_compared_with_ours_as_soon_as_it_has_told_the_time():
    clock = CameraClock()
    assert clock.error(50.0, 1000.0, None) == 0.0, "not known yet: it counts from here"
    assert clock.error(51.0, 1001.5, None) == -0.5, "half a second late"
    assert clock.error(52.0, 1002.0, 950.0 + 3600.0) == 3600.0
    assert clock.error(None, 1003.0, 950.0) is None


def test_a_clock_that_jumps_or_runs_slow_is_seen_without_the_time():
    clock = CameraClock()
    errors = [clock.error(n * 0.98, 1000.0 + n, None) for n in range(1000)]
    assert errors[-1] == pytest.approx(-20, abs=0.1)
    assert clock.error(1e6, 2000.0, None) > 9e5
