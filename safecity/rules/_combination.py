"""Rules over what other rules of the same camera decided: what ``all``, ``any`` and ``then`` share.

An event of another rule happens when it is opened (or, for a moment, published). It holds while it is open,
and for ``within_seconds`` after it happened. Each event serves a combination once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from pydantic import Field, field_validator

from safecity.event import Event, Phase, Severity, derive_event_id
from safecity.message import Name
from safecity.rules.base import RuleSettings, Scene


class CombinationSettings(RuleSettings):
    """What a combination is configured with."""

    rules: tuple[Name, ...] = Field(
        min_length=2, max_length=16, description="names of rules of this camera that stand before this one"
    )
    within_seconds: float = Field(
        default=30.0, gt=0.0, le=86_400.0, description="so far apart the events may be"
    )
    same: Literal["nothing", "track", "zone"] = Field(
        default="nothing", description="what the events must have in common"
    )
    severity: Severity = Field(default=Severity.HIGH, description="how much an operator should care")

    @field_validator("rules")
    @classmethod
    def _differ(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) != len(names):
            raise ValueError("want different rules; one is named twice")
        return names


class Combination(Protocol):
    """Pure like a rule, but it is told events."""

    def combine(self, events: Sequence[Event], at: datetime) -> Sequence[Event]:
        """What the ``events`` of one observation, at event time ``at``, make happen."""
        ...


@dataclass
class Happening:
    """An event that a combination may use."""

    event: Event
    is_open: bool

    @property
    def at(self) -> datetime:
        """When it happened, event time."""
        return self.event.opened_at

    @property
    def tracks(self) -> frozenset[int]:
        """The numbers of the tracks that took part."""
        return frozenset(track.track_id for track in self.event.tracks)


class Happenings:
    """What the rules of one combination decided, as far as it still counts.

    Args:
        settings: of the combination.
    """

    def __init__(self, settings: CombinationSettings) -> None:
        self._settings = settings
        self._span = timedelta(seconds=settings.within_seconds)
        self._known: list[Happening] = []

    def take(self, events: Sequence[Event], at: datetime) -> list[Happening]:
        """Take in what was decided at ``at``; those that are new."""
        new = []
        for event in events:
            if event.rule not in self._settings.rules:
                continue
            known = next((h for h in self._known if h.event.event_id == event.event_id), None)
            if known is not None:
                known.is_open = event.phase is not Phase.CLOSED
            elif event.revision == 1:
                new.append(Happening(event, event.phase is not Phase.CLOSED))
        self._known = [h for h in self._known if h.is_open or at - h.at <= self._span] + new
        return new

    def of(self, rule: str, like: Happening, *, before: Happening | None = None) -> Happening | None:
        """The newest of ``rule`` that has in common with ``like`` what it must; before ``before``."""
        found = [h for h in self._known if h.event.rule == rule and self._fits(h, like)]
        if before is not None:
            found = [h for h in found if h.at < before.at and before.at - h.at <= self._reach(h, before)]
        return max(found, key=lambda h: h.at, default=None)

    def knows(self, happening: Happening) -> bool:
        """Whether it has not served yet."""
        return happening in self._known

    def use(self, happenings: Sequence[Happening]) -> None:
        """They have served, and count no more."""
        self._known = [h for h in self._known if h not in happenings]

    def _reach(self, first: Happening, second: Happening) -> timedelta:
        return second.at - first.at if first.is_open else self._span

    def _fits(self, a: Happening, b: Happening) -> bool:
        if self._settings.same == "track":
            return bool(a.tracks & b.tracks)
        return self._settings.same == "nothing" or (a.event.zone is not None and a.event.zone == b.event.zone)


def combined(scene: Scene, settings: CombinationSettings, parts: Sequence[Happening], at: datetime) -> Event:
    """The event that ``parts``, the last of them at ``at``, make together."""
    last = parts[-1].event
    tracks = {track.track_id: track for part in parts for track in part.event.tracks}
    ordinal = last.tracks[0].track_id if last.tracks else 0
    return Event(
        event_id=derive_event_id(scene.camera_id, settings.name, scene.config, at, ordinal),
        phase=Phase.CLOSED,
        camera_id=scene.camera_id,
        kind=settings.kind,
        rule=settings.name,
        severity=settings.severity,
        occurred_at=at,
        opened_at=at,
        closed_at=at,
        tracks=tuple(tracks[number] for number in sorted(tracks)),
        zone=last.zone,
        line=last.line,
        box=last.box,
        attributes={
            "rules": ", ".join(part.event.rule for part in parts),
            "events": ", ".join(part.event.event_id for part in parts),
            "span_seconds": round((at - min(part.at for part in parts)).total_seconds(), 3),
        },
        config=scene.config,
    )
