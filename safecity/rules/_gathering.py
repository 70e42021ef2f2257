"""How many objects are in a zone, as one event from when they are many enough to when they are few."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from safecity.event import Event
from safecity.observation import Observation, TrackState
from safecity.rules._zone import Zone
from safecity.rules.base import RuleSettings, Scene, closed, opened, updated

HOLD = timedelta(seconds=1)
"""An object that was in the zone so short a while ago is still there: a detector misses some now and then."""
GROWTH = 1.2
"""So many times the largest number that was told is worth an update."""


@dataclass(frozen=True)
class Limits:
    """When a gathering begins and ends."""

    many: int
    """So many begin it."""
    few: int
    """Fewer end it."""
    persistence: timedelta
    """For so long they have to be many."""
    gap: timedelta
    """For so long they have to be few."""


class Gathering:
    """Counts the objects in a zone.

    Args:
        scene: the camera's.
        settings: of the rule.
        zone: name of the zone; None: the whole picture.
        limits: when it begins and ends.
        describe: attributes of the event, from a number of objects.
    """

    def __init__(
        self,
        scene: Scene,
        settings: RuleSettings,
        zone: str | None,
        limits: Limits,
        describe: Callable[[int], Mapping[str, int | float]],
    ) -> None:
        self._scene = scene
        self._settings = settings
        self._zone_name = zone
        self._zone = Zone(scene, zone)
        self._limits = limits
        self._describe = describe
        self._present: dict[int, tuple[TrackState, datetime]] = {}
        self._since: datetime | None = None
        self._event: Event | None = None
        self._peak = 0

    def update(self, observation: Observation) -> list[Event]:
        """See :class:`safecity.rules.base.Rule`."""
        now = observation.captured_at
        for track, inside in zip(observation.tracks, self._zone.holds(observation.tracks), strict=True):
            if inside:
                self._present[track.track_id] = track, now
            else:
                self._present.pop(track.track_id, None)
        self._present = {k: (t, at) for k, (t, at) in self._present.items() if now - at <= HOLD}
        tracks = [track for _, (track, _) in sorted(self._present.items())]
        event = self._begin(tracks, now) if self._event is None else self._go_on(self._event, tracks, now)
        return [] if event is None else [event]

    def _begin(self, tracks: Sequence[TrackState], now: datetime) -> Event | None:
        if not self._lasts(len(tracks) >= self._limits.many, now, self._limits.persistence):
            return None
        self._peak = len(tracks)
        self._event = opened(
            self._scene,
            self._settings,
            now,
            ordinal=tracks[0].track_id,
            tracks=tracks,
            zone=self._zone_name,
            attributes={**self._describe(len(tracks)), "peak": self._peak},
        )
        return self._event

    def _go_on(self, event: Event, tracks: Sequence[TrackState], now: datetime) -> Event | None:
        if self._lasts(len(tracks) < self._limits.few, now, self._limits.gap):
            self._event = None
            seconds = round((now - event.opened_at).total_seconds(), 3)
            return closed(event, now, attributes={**self._describe(len(tracks)), "duration_seconds": seconds})
        if len(tracks) < GROWTH * self._peak:
            return None
        self._peak = len(tracks)
        told = {**self._describe(len(tracks)), "peak": self._peak}
        self._event = updated(event, now, tracks=tracks, attributes=told)
        return self._event

    def _lasts(self, holds: bool, now: datetime, span: timedelta) -> bool:
        """Whether it holds, and has held for ``span``; then the next wait begins."""
        if not holds:
            self._since = None
            return False
        self._since = self._since or now
        if now - self._since < span:
            return False
        self._since = None
        return True
