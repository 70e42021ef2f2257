"""all: each of several rules has decided something, in any order, not further than ``within_seconds`` apart.

One event when the last of them comes; what has served for it does not serve again. An event that is still
open (somebody is still loitering) counts however long ago it was opened.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from safecity.event import Event
from safecity.rules._combination import CombinationSettings, Happening, Happenings, combined
from safecity.rules.base import Scene


class Settings(CombinationSettings):
    """What all is configured with."""

    kind: Literal["all"] = "all"


class All:
    """The combination all."""

    def __init__(self, settings: Settings, scene: Scene) -> None:
        self._settings = settings
        self._scene = scene
        self._happenings = Happenings(settings)

    def combine(self, events: Sequence[Event], at: datetime) -> list[Event]:
        """See :class:`safecity.rules._combination.Combination`."""
        decided: list[Event] = []
        for last in self._happenings.take(events, at):
            parts = self._parts(last)
            if len(parts) == len(self._settings.rules):
                self._happenings.use(parts)
                decided.append(combined(self._scene, self._settings, parts, at))
        return decided

    def _parts(self, last: Happening) -> list[Happening]:
        """One happening of each rule, as far as there are, ``last`` at the end."""
        if not self._happenings.knows(last):
            return []
        others = [self._happenings.of(rule, last) for rule in self._settings.rules if rule != last.event.rule]
        return [*sorted((h for h in others if h is not None), key=lambda h: h.at), last]


def build(settings: Settings, scene: Scene) -> All:
    """Plug-in entry: the rule for one scene."""
    return All(settings, scene)
