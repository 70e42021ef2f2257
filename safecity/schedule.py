"""Weekly hours on a site's wall clock, correct over changes of summer time and over midnight.

An entry is days, hours or both: ``mon-fri 22:00-06:00``, ``sat,sun``, ``07:30-19:00``. Hours that end at or
before they begin go on into the next day, and belong to the day on which they begin. Each is one unbroken
stretch of time: from the first moment at which the clock shows the beginning (or has jumped over it) to the
last moment before it shows the end. So a night of 22:00-06:00 lasts seven hours when the clock goes forward
and nine when it goes back, and hours whose end is shown twice in that night end at the second showing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WANTED = 'want days, hours or both, e.g. "mon-fri 22:00-06:00", "sat,sun" or "07:30-19:00"'
DAY = 24 * 60


@dataclass(frozen=True)
class Hours:
    """Hours of some days of the week."""

    days: frozenset[int]
    """0 is Monday; the days on which they begin."""
    begin: int
    """Minutes after midnight."""
    end: int
    """Minutes after midnight of the day on which they begin; more than :data:`DAY`: on the next."""


def parse_hours(text: str) -> Hours:
    """One entry of a schedule.

    Raises:
        ValueError: it is none; the message says what is wanted.
    """
    found = re.fullmatch(r"([a-z,-]+)?\s*(?:(\d\d):(\d\d)-(\d\d):(\d\d))?", text.strip().lower())
    if found is None or not text.strip():
        raise ValueError(f"{text!r} is no schedule; {WANTED}")
    days, *numbers = found.groups()
    begin, end = 0, DAY
    if numbers[0] is not None:
        h1, m1, h2, m2 = map(int, numbers)
        begin, end = 60 * h1 + m1, 60 * h2 + m2
        if max(m1, m2) > 59 or begin >= DAY or end > DAY:
            raise ValueError(f"{text!r} has no such time of day; want 00:00 to 24:00")
    return Hours(_parse_days(days, text), begin, end if end > begin else end + DAY)


def _parse_days(text: str | None, entry: str) -> frozenset[int]:
    if text is None or text == "daily":
        return frozenset(range(7))
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            raise ValueError(f"{entry!r} has no such day; want {', '.join(DAYS)} or daily")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        days.update((begin + k) % 7 for k in range((end - begin) % 7 + 1))
    return frozenset(days)


class Schedule:
    """When something is wanted.

    Args:
        entries: see :func:`parse_hours`; none: always.
        timezone: IANA name of the wall clock.

    Raises:
        ValueError: an entry is none.
    """

    def __init__(self, entries: Sequence[str], timezone: str) -> None:
        self._hours = tuple(parse_hours(entry) for entry in entries)
        self._zone = ZoneInfo(timezone)

    def holds(self, at: datetime) -> bool:
        """Whether ``at`` lies within it."""
        if not self._hours:
            return True
        today = at.astimezone(self._zone).date()
        return any(
            begin <= at < end
            for day in (today - timedelta(days=1), today)
            for begin, end in _stretches(self._hours, self._zone, day)
        )


@lru_cache(maxsize=256)
def _stretches(hours: tuple[Hours, ...], zone: ZoneInfo, day: date) -> tuple[tuple[datetime, datetime], ...]:
    """Beginning and end, UTC, of the hours that begin on ``day``."""
    return tuple(
        (_shown(day, entry.begin, zone, last=False), _shown(day, entry.end, zone, last=True))
        for entry in hours
        if day.weekday() in entry.days
    )


def _shown(day: date, minutes: int, zone: ZoneInfo, *, last: bool) -> datetime:
    """When the clock shows ``minutes`` after ``day``'s midnight: UTC, the first or the last time.

    A time that the clock jumps over is shown, as it were, at the jump.
    """
    wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)  # noqa: DTZ001  a wall clock's
    at = wall.replace(tzinfo=zone, fold=int(last)).astimezone(UTC)
    if _wall(at, zone) == wall:
        return at
    earliest = min(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return next(
        moment
        for moment in (earliest + timedelta(minutes=k) for k in range(DAY))
        if _wall(moment, zone) >= wall
    )


def _wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)
