"""What came of every event that the rules had decided. Pure: records in, verdict out."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

EventKey = tuple[str, int]
"""Event id and revision."""
SAME_SECONDS = 1.9
"""Crossings are four seconds apart: an event belongs to the one that is nearer than this."""


@dataclass
class Verdict:
    """One run."""

    seed: int
    decided: int = 0
    stored: int = 0
    fenced: int = 0
    """Decided by an owner that had been replaced; the centre took its successor's word."""
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    resumed_after: list[float] = field(default_factory=list)
    """Seconds from a worker's death to the next frame of each of its cameras that was analysed, less those in
    which nobody could take over: the bus was away, or the other worker was down too."""

    broken: str | None = None
    """Why the run itself failed, and says nothing."""

    @property
    def good(self) -> bool:
        """Nothing lost, nothing twice."""
        return not self.lost and not self.duplicated and self.broken is None


def judge(
    seed: int,
    journals: Iterable[Mapping[str, Any]],
    stored: Sequence[EventKey],
    fenced: Iterable[Mapping[str, Any]],
    told_times: Mapping[str, Sequence[float]],
) -> Verdict:
    """Hold what was decided against what the store has.

    Args:
        seed: of the run.
        journals: events that the workers wrote down as decided, as JSON documents.
        stored: what the store has, a row each.
        fenced: events that the centre refused.
        told_times: by camera, event times (seconds since 1970) of the events that the store has.
    """
    decided = {_key(event): event for event in journals}
    rows = Counter(stored)
    refused = {_key(event): event for event in fenced}
    verdict = Verdict(
        seed, decided=len(decided), stored=len(rows), fenced=len(refused.keys() & decided.keys())
    )
    verdict.duplicated = [f"{key[0]} revision {key[1]}: {n} rows" for key, n in rows.items() if n > 1]
    for key, event in sorted(decided.items()):
        if key in rows:
            continue
        if key not in refused:
            verdict.lost.append(f"{event['camera_id']} {event['occurred_at']} {key[0]}: not in the store")
        elif not _told(event, told_times.get(event["camera_id"], ())):
            verdict.lost.append(
                f"{event['camera_id']} {event['occurred_at']} {key[0]}: refused, nobody else's"
            )
    return verdict


def _key(event: Mapping[str, Any]) -> EventKey:
    return event["event_id"], event["revision"]


def _told(event: Mapping[str, Any], times: Sequence[float]) -> bool:
    """Whether the successor told of the same crossing."""
    at = seconds_of(event)
    return any(abs(time - at) < SAME_SECONDS for time in times)


def seconds_of(event: Mapping[str, Any]) -> float:
    """Event time, seconds since 1970."""
    return datetime.fromisoformat(event["occurred_at"]).timestamp()


def free_seconds(begin: float, end: float, hindered: Sequence[tuple[float, float]]) -> float:
    """How much of a time lies in none of these, which may overlap; from and to, seconds."""
    free, at = 0.0, begin
    for start, stop in sorted(hindered):
        free += max(0.0, min(start, end) - at)
        at = min(max(at, stop), end)
    return free + end - at


def share(values: Sequence[float], percent: float) -> float | None:
    """The smallest of ``values`` that ``percent`` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else None
