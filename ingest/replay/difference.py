"""Which events of one run another one has too, which went, which came, and which changed. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from safecity.event import Event
from safecity.geometry import iou

TOLERANCE_SECONDS = 2.0
NEAR = 0.1
"""Centres of boxes so near to each other are the same place, relative to the picture."""
INDIFFERENT = frozenset({"schema_version", "event_id", "config", "snapshot", "revision"})
"""Fields in which two runs may differ though they tell the same."""


@dataclass(frozen=True)
class Pair:
    """One event as both runs tell it."""

    before: Event
    after: Event
    changes: dict[str, tuple[Any, Any]]
    """Field → before, after; empty: the same."""
    same_id: bool


@dataclass
class Difference:
    """Two runs, compared. Each list is in order of event time."""

    same: list[Pair] = field(default_factory=list)
    changed: list[Pair] = field(default_factory=list)
    gone: list[Event] = field(default_factory=list)
    """Only in the first run."""
    new: list[Event] = field(default_factory=list)
    """Only in the second run."""

    @property
    def nothing(self) -> bool:
        """Whether both runs tell the same."""
        return not (self.changed or self.gone or self.new)


def compare(
    before: Iterable[Event], after: Iterable[Event], *, tolerance: float = TOLERANCE_SECONDS
) -> Difference:
    """Compare the newest revisions of two runs' events.

    Events with the same id are the same event. Another configuration gives other ids, so the others are
    matched by camera and rule (or, where a rule was renamed, its kind), the nearest in time first, if they
    began within ``tolerance`` seconds of each other and at the same place.
    """
    old, young = newest(before), newest(after)
    pairs = [_pair(event, young.pop(event_id)) for event_id, event in list(old.items()) if event_id in young]
    for pair in pairs:
        del old[pair.before.event_id]
    for by in ("rule", "kind"):
        for one, other in _match(list(old.values()), list(young.values()), by, tolerance):
            pairs.append(_pair(old.pop(one.event_id), young.pop(other.event_id)))
    pairs.sort(key=lambda pair: _order(pair.before))
    return Difference(
        same=[pair for pair in pairs if not pair.changes],
        changed=[pair for pair in pairs if pair.changes],
        gone=sorted(old.values(), key=_order),
        new=sorted(young.values(), key=_order),
    )


def newest(events: Iterable[Event]) -> dict[str, Event]:
    """The newest revision of each event, by id."""
    found: dict[str, Event] = {}
    for event in events:
        known = found.get(event.event_id)
        if known is None or event.revision > known.revision:
            found[event.event_id] = event
    return found


def _match(
    old: Sequence[Event], young: Sequence[Event], by: str, tolerance: float
) -> list[tuple[Event, Event]]:
    groups: dict[tuple[str, str], list[Event]] = {}
    for other in sorted(young, key=_order):
        groups.setdefault((other.camera_id, getattr(other, by)), []).append(other)
    candidates = []
    for i, one in enumerate(sorted(old, key=_order)):
        for j, other in enumerate(groups.get((one.camera_id, getattr(one, by)), ())):
            apart = abs((other.opened_at - one.opened_at).total_seconds())
            if apart <= tolerance and (distance := _distance(one, other)) <= NEAR:
                candidates.append((apart, distance, i, j, one, other))
    taken: set[str] = set()
    matched = []
    for _, _, _, _, one, other in sorted(candidates, key=lambda c: c[:4]):
        if one.event_id not in taken and other.event_id not in taken:
            taken |= {one.event_id, other.event_id}
            matched.append((one, other))
    return matched


def _distance(one: Event, other: Event) -> float:
    """0 where the boxes overlap, else between their centres; events without a box are nowhere else."""
    if one.box is None or other.box is None:
        return 0.0
    a, b = np.array([one.box]), np.array([other.box])
    if iou(a, b)[0, 0] > 0:
        return 0.0
    return float(np.linalg.norm((a[0, :2] + a[0, 2:] - b[0, :2] - b[0, 2:]) / 2))


def _pair(before: Event, after: Event) -> Pair:
    one, other = _told(before), _told(after)
    same_id = before.event_id == after.event_id
    changes = {name: (one[name], other[name]) for name in one if one[name] != other[name]}
    return Pair(before, after, changes, same_id)


def _told(event: Event) -> dict[str, Any]:
    """What an event says; the numbers of tracks are a run's own."""
    told = event.model_dump(mode="json", exclude=set(INDIFFERENT))
    told["tracks"] = [{k: v for k, v in track.items() if k != "track_id"} for track in told["tracks"]]
    return told


def _order(event: Event) -> tuple[Any, str]:
    return event.opened_at, event.event_id
