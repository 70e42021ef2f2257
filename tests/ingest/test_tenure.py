"""On which of its frames an owner decides: from its beginning to its successor's, with nothing in between."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ingest.tenure import END_SECONDS, HANDOVER_SECONDS, WARM, Tenure
from safecity.ownership import OVERLAP

T = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def frame(seconds):
    return T + timedelta(seconds=seconds)


def test_an_owner_decides_on_its_first_frame():
    tenure = Tenure(1)
    assert tenure.begin(T, 0.0)
    assert not tenure.begin(frame(1), 1.0)
    assert tenure.since == T
    assert tenure.decides(T, 0.0)


def test_one_that_takes_over_looks_first():
    tenure = Tenure(2, warm=True)
    tenure.begin(T, 0.0)
    assert tenure.since == T + WARM
    assert not tenure.decides(T + WARM / 2, 1.0)
    assert tenure.decides(T + WARM, 2.0)


@given(
    first=st.floats(0.0, 5.0),
    period=st.floats(0.02, 1.0),
    apart=st.floats(0.0, OVERLAP.total_seconds() * 0.9),
)
def test_every_frame_is_decided_on_by_one_of_the_two_and_few_by_both(first, period, apart):
    """Whatever the frames' times, and though the two readers time them a little differently."""
    old, new = Tenure(1), Tenure(2, warm=True)
    old.begin(T, 0.0)
    begun, both = False, 0
    for number in range(int(12 / period)):
        seconds = number * period
        of_old = old.decides(frame(seconds), seconds)
        of_new = False
        if seconds >= first:
            begun = new.begin(frame(seconds - apart), seconds) or begun
            of_new = new.decides(frame(seconds - apart), seconds)
            old.succeeded(new.since, seconds)
        assert of_old or of_new, seconds
        both += of_old and of_new
    assert both * period <= OVERLAP.total_seconds() + period
    assert old.is_over(12.0)


def test_a_camera_whose_clock_is_set_back_is_not_ignored_until_it_has_caught_up():
    tenure = Tenure(1, warm=True)
    tenure.begin(T, 0.0)
    assert not tenure.decides(frame(-3600), 1.0)
    assert tenure.decides(frame(-3596), 5.0)


def test_a_camera_without_frames_is_given_up_in_time():
    tenure = Tenure(1)
    tenure.begin(T, 0.0)
    tenure.succeeded(frame(2), 100.0)
    assert not tenure.is_over(100.0 + END_SECONDS / 2)
    assert tenure.is_over(100.0 + END_SECONDS)


def test_only_one_of_the_two_speaks_for_the_camera():
    new = Tenure(2, warm=True, now=0.0)
    assert not new.speaks(1.0)
    assert new.speaks(HANDOVER_SECONDS), "the old one has given up by then"
    new.begin(T, 2.0)
    assert new.speaks(2.0)
    new.succeeded(frame(60), 60.0)
    assert not new.speaks(60.0)
    assert Tenure(1, now=0.0).speaks(0.0)
