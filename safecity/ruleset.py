"""All rules of one camera: what each of them is shown, and which of their events are told."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from safecity.event import Event
from safecity.evidence import EvidenceBook, Picture, Ruling
from safecity.observation import Observation, TrackState
from safecity.rules import RuleInForce, RuleSettings, Scene, build_rule
from safecity.rules.base import TrackRuleSettings
from safecity.stitching import Stitcher


@dataclass(frozen=True)
class Rulings:
    """What one observation made happen."""

    told: tuple[Ruling, ...] = ()
    keep: frozenset[str] = frozenset()
    """Ids of events for which this frame's picture is the best so far."""
    unfinished: frozenset[str] = frozenset()
    """Ids of all events of which another revision may come."""

    @property
    def events(self) -> list[Event]:
        """What is published."""
        return [ruling.event for ruling in self.told]

    def joined_by(self, events: Sequence[Event]) -> Self:
        """With events that no rule decided; each gets the picture of the moment."""
        if not events:
            return self
        return replace(self, told=(*self.told, *(Ruling(event, Picture.NOW) for event in events)))


class RuleSet:
    """Observations in, rulings out; pure, like the rules. Observations come in order of event time.

    Args:
        rules: of the camera.
        scene: what they know of it.
    """

    def __init__(self, rules: Sequence[RuleSettings], scene: Scene) -> None:
        self._stitcher = Stitcher()
        self._evidence = EvidenceBook()
        self._rules = [build_rule(settings, scene) for settings in rules]

    def update(self, observation: Observation) -> Rulings:
        """What the next observation of the camera makes happen."""
        if not self._rules:
            return Rulings()
        now, seen = observation.captured_at, self._stitcher.update(observation)
        decided: list[Event] = []
        told: list[tuple[RuleInForce, Event]] = []
        views: dict[tuple[str, ...], Observation] = {}
        for rule in self._rules:
            events = rule.update(seen, decided, views)
            decided += events
            told += [(rule, event) for event in events if not rule.settings.silent]
        keep = self._evidence.look(seen.tracks, now)
        rulings = [
            self._evidence.take(event, _subject(rule.settings, event, seen), at=now) for rule, event in told
        ]
        rulings += self._evidence.due(now)
        unfinished = self._evidence.waiting.union(*(rule.open_events for rule in self._rules))
        return Rulings(tuple(rulings), keep, unfinished)


def _subject(settings: RuleSettings, event: Event, observation: Observation) -> TrackState | None:
    """The one object whose best picture is wanted for ``event``."""
    if not isinstance(settings, TrackRuleSettings) or settings.evidence == "first" or len(event.tracks) != 1:
        return None
    return next((t for t in observation.tracks if t.track_id == event.tracks[0].track_id), None)
