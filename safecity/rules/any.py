"""any: one of several rules has decided something. One event for what they decide within ``within_seconds``.

Makes one alarm of several rules that say the same of one incident. After an event the others are part of it
until none of the rules has decided anything for ``within_seconds``; with ``same``, that goes for each track
or zone alone.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from safecity.event import Event
from safecity.rules._combination import CombinationSettings, Happening, combined
from safecity.rules.base import Scene


class Settings(CombinationSettings):
    """What any is configured with."""

    kind: Literal["any"] = "any"


class Any:
    """The combination any."""

    def __init__(self, settings: Settings, scene: Scene) -> None:
        self._settings = settings
        self._scene = scene
        self._span = timedelta(seconds=settings.within_seconds)
        self._last: dict[object, datetime] = {}
        """Of each incident: when one of the rules last decided something."""

    def combine(self, events: Sequence[Event], at: datetime) -> list[Event]:
        """See :class:`safecity.rules._combination.Combination`."""
        self._last = {key: last for key, last in self._last.items() if at - last <= self._span}
        decided = []
        for event in events:
            if event.rule not in self._settings.rules or event.revision > 1:
                continue
            keys = self._incidents(event)
            if not any(key in self._last for key in keys):
                decided.append(combined(self._scene, self._settings, [Happening(event, is_open=False)], at))
            self._last.update(dict.fromkeys(keys, at))
        return decided

    def _incidents(self, event: Event) -> Sequence[object]:
        if self._settings.same == "track":
            return [track.track_id for track in event.tracks] or [None]
        return [event.zone] if self._settings.same == "zone" else [None]


def build(settings: Settings, scene: Scene) -> Any:
    """Plug-in entry: the rule for one scene."""
    return Any(settings, scene)
