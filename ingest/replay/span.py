"""A time from when to when, as ``--from`` and ``--to`` give it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from safecity.cli import UsageError, parse_time


@dataclass(frozen=True)
class Span:
    """Event times from ``begin`` to before ``end``."""

    begin: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    end: datetime = datetime(9998, 1, 1, tzinfo=UTC)

    @classmethod
    def of(cls, begin: str | None, end: str | None) -> Self:
        """What the options say; open where they say nothing.

        Raises:
            UsageError: they are no times.
        """
        first = _time("--from", begin) if begin else cls.begin
        last = _time("--to", end) if end else cls.end
        if last <= first:
            raise UsageError(f"--to {end}: want a time after --from {begin}")
        return cls(first, last)

    def holds(self, at: datetime) -> bool:
        """Whether an event time is in it."""
        return self.begin <= at < self.end


def _time(option: str, text: str) -> datetime:
    try:
        return parse_time(text)
    except UsageError as error:
        raise UsageError(f"{option}: {error}") from None
