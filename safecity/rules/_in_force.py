"""What is common to all rules: the hours in which they hold, the objects that they see, their cool-down."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from safecity.event import Event, Phase
from safecity.observation import Observation, TrackState
from safecity.rules._combination import Combination, CombinationSettings
from safecity.rules.base import FORGET_AFTER, Rule, RuleSettings, Scene, TrackRuleSettings
from safecity.schedule import Schedule


class RuleInForce:
    """A rule with what is common to all: its hours, its objects, its cool-down.

    Args:
        rule: what decides.
        settings: of the rule.
        scene: the camera's.
    """

    def __init__(self, rule: Rule | Combination, settings: RuleSettings, scene: Scene) -> None:
        self.settings = settings
        self._rule = rule
        self._schedule = Schedule(settings.schedule, scene.timezone)
        self._cool_down = timedelta(seconds=settings.cool_down_seconds)
        self._last_begun: datetime | None = None
        self.open_events: set[str] = set()
        """Ids of its events that are open."""
        self._sure: dict[int, datetime] = {}

    def update(
        self,
        observation: Observation,
        before: Sequence[Event] = (),
        views: dict[tuple[str, ...], Observation] | None = None,
    ) -> list[Event]:
        """The rule's events that count.

        Args:
            observation: the next one of the camera.
            before: what the rules that stand before it decided just now.
            views: what rules with other labels than all saw of this observation, by their labels; added to.
        """
        now = observation.captured_at
        awake = self._schedule.holds(now)
        if isinstance(self.settings, CombinationSettings):
            events = cast(Combination, self._rule).combine(before, now)
        else:
            view = self._view(observation, {} if views is None else views, awake=awake)
            events = cast(Rule, self._rule).update(view)
        return [event for event in events if self._counts(event, now, awake=awake)]

    def _view(
        self, observation: Observation, views: dict[tuple[str, ...], Observation], *, awake: bool
    ) -> Observation:
        """What the rule is shown."""
        if self.settings.sleeps and not awake:
            return observation.changed(tracks=(), changes=())
        if not isinstance(self.settings, TrackRuleSettings):
            return observation
        labels = self.settings.labels
        view = views.get(labels)
        if view is None:
            view = views[labels] = _of(observation, [t for t in observation.tracks if t.label in labels])
        if self.settings.min_confidence > 0:
            view = _of(view, self._sure_ones(view.tracks, observation.captured_at))
        return view

    def _sure_ones(self, tracks: Sequence[TrackState], now: datetime) -> tuple[TrackState, ...]:
        least = self.settings.min_confidence if isinstance(self.settings, TrackRuleSettings) else 0.0
        for track in tracks:
            if track.confidence >= least or track.track_id in self._sure:
                self._sure[track.track_id] = now
        self._sure = {k: at for k, at in self._sure.items() if now - at <= FORGET_AFTER}
        return tuple(track for track in tracks if track.track_id in self._sure)

    def _counts(self, event: Event, now: datetime, *, awake: bool) -> bool:
        """A beginning counts in its hours and out of the cool-down, and so does what follows it."""
        if event.revision > 1:
            is_known = event.event_id in self.open_events
            if event.phase is Phase.CLOSED:
                self.open_events.discard(event.event_id)
            return is_known
        if not awake or (self._last_begun is not None and now - self._last_begun < self._cool_down):
            return False
        self._last_begun = now
        if event.phase is not Phase.CLOSED:
            self.open_events.add(event.event_id)
        return True


def _of(observation: Observation, tracks: Sequence[TrackState]) -> Observation:
    """The observation with those of its tracks; itself, where that is all of them."""
    if len(tracks) == len(observation.tracks):
        return observation
    return observation.changed(tracks=tuple(tracks))
