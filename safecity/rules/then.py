"""then: several rules have decided something one after the other, in the order in which they are named.

Each within ``within_seconds`` of the one before (or while that is still open): over the fence, then at the
door. One event when the last of them comes; what has served for it does not serve again. ``same = "track"``
wants one and the same object in all of them, ``same = "zone"`` the same zone.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from safecity.event import Event
from safecity.rules._combination import CombinationSettings, Happening, Happenings, combined
from safecity.rules.base import Scene


class Settings(CombinationSettings):
    """What then is configured with."""

    kind: Literal["then"] = "then"


class Then:
    """The combination then."""

    def __init__(self, settings: Settings, scene: Scene) -> None:
        self._settings = settings
        self._scene = scene
        self._happenings = Happenings(settings)

    def combine(self, events: Sequence[Event], at: datetime) -> list[Event]:
        """See :class:`safecity.rules._combination.Combination`."""
        decided: list[Event] = []
        for last in self._happenings.take(events, at):
            parts = self._chain(last) if last.event.rule == self._settings.rules[-1] else []
            if parts:
                self._happenings.use(parts)
                decided.append(combined(self._scene, self._settings, parts, at))
        return decided

    def _chain(self, last: Happening) -> list[Happening]:
        """The happenings that lead to ``last``, in order; none when one is missing."""
        parts = [last]
        for rule in reversed(self._settings.rules[:-1]):
            before = self._happenings.of(rule, last, before=parts[0])
            if before is None:
                return []
            parts.insert(0, before)
        return parts


def build(settings: Settings, scene: Scene) -> Then:
    """Plug-in entry: the rule for one scene."""
    return Then(settings, scene)
