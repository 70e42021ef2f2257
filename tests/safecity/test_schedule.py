"""Hours on the wall clock: over midnight, over both changes of summer time, and what is no schedule."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.schedule import DAYS, Schedule, parse_hours

BERLIN, KARACHI = "Europe/Berlin", "Asia/Karachi"
FORWARD, BACK = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)
"""Noon before the nights in which Berlin's clocks change."""


def stretches(entries, timezone, begin, hours=24):
    """(first, last) minute, UTC hours and minutes, of each stretch in which the schedule holds."""
    schedule, found, last = Schedule(entries, timezone), [], None
    for minute in range(hours * 60):
        at = begin + timedelta(minutes=minute)
        if schedule.holds(at):
            if last is None or at - last > timedelta(minutes=1):
                found.append([at, at])
            found[-1][1] = last = at
    return [(f"{a:%H:%M}", f"{b:%H:%M}") for a, b in found]


def length(entries, timezone, begin):
    schedule = Schedule(entries, timezone)
    return sum(schedule.holds(begin + timedelta(minutes=m)) for m in range(24 * 60)) / 60


@pytest.mark.parametrize(("begin", "hours"), [(FORWARD, 7), (BACK, 9), (FORWARD + timedelta(days=7), 8)])
def test_a_night_is_as_long_as_it_is(begin, hours):
    assert length(["daily 22:00-06:00"], BERLIN, begin) == hours


def test_when_the_clock_goes_forward_hours_begin_and_end_at_the_jump():
    # 02:00 to 03:00 is jumped over at 01:00 UTC.
    assert stretches(["02:30-04:00"], BERLIN, FORWARD) == [("01:00", "01:59")]
    assert stretches(["01:00-02:30"], BERLIN, FORWARD) == [("00:00", "00:59")]
    assert stretches(["02:10-02:50"], BERLIN, FORWARD) == []


def test_when_the_clock_goes_back_hours_are_one_stretch():
    # 02:00 to 03:00 is shown twice, from 00:00 and from 01:00 UTC.
    assert stretches(["02:30-04:00"], BERLIN, BACK) == [("00:30", "02:59")]
    assert stretches(["01:30-02:30"], BERLIN, BACK) == [("23:30", "01:29")]
    assert stretches(["02:10-02:50"], BERLIN, BACK) == [("00:10", "01:49")]


def test_hours_over_midnight_belong_to_the_day_on_which_they_begin():
    friday = datetime(2026, 3, 6, tzinfo=UTC)
    assert friday.strftime("%a") == "Fri"
    found = stretches(["fri 22:00-06:00"], KARACHI, friday, hours=7 * 24)
    assert found == [("17:00", "00:59")]
    assert Schedule(["fri 22:00-06:00"], KARACHI).holds(datetime(2026, 3, 7, 0, 30, tzinfo=UTC))


def test_days_alone_and_days_around_the_week():
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    held = [
        day
        for n, day in enumerate(DAYS)
        if Schedule(["fri-mon"], "UTC").holds(monday + timedelta(days=n, hours=9))
    ]
    assert held == ["mon", "fri", "sat", "sun"]
    assert length(["sat,sun"], "UTC", monday) == 0
    assert length(["mon 00:00-24:00"], "UTC", monday) == 24


def test_no_schedule_is_always_and_several_are_any_of_them():
    assert Schedule([], "UTC").holds(FORWARD)
    both = Schedule(["mon-fri 18:00-07:00", "sat,sun"], "UTC")
    assert both.holds(datetime(2026, 3, 7, 12, tzinfo=UTC))
    assert not both.holds(datetime(2026, 3, 6, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "want days, hours or both"),
        ("22:00", "want days, hours or both"),
        ("mon-fri 22-06", "want days, hours or both"),
        ("mo 22:00-06:00", "no such day"),
        ("mon-fry", "no such day"),
        ("24:00-06:00", "no such time of day"),
        ("10:00-25:00", "no such time of day"),
        ("10:75-11:00", "no such time of day"),
    ],
)
def test_what_is_no_schedule_is_said_with_what_is_wanted(text, words):
    with pytest.raises(ValueError, match=words):
        parse_hours(text)


@settings(deadline=None)
@given(
    st.integers(0, 10 * 365 * 24 * 60).map(lambda minutes: FORWARD + timedelta(minutes=minutes)),
    st.sampled_from([BERLIN, KARACHI, "America/St_Johns"]),
)
def test_hours_and_the_rest_of_the_day_make_the_whole_day(at, timezone):
    night, day = Schedule(["22:00-06:00"], timezone), Schedule(["06:00-22:00"], timezone)
    assert night.holds(at) != day.holds(at)
