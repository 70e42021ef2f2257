"""Who stands in a zone, and for how long: what the rules about zones share."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from safecity.event import Event
from safecity.geometry import Region
from safecity.observation import TrackState
from safecity.rules.base import Scene, foot_point


class Zone:
    """A zone of a scene.

    Args:
        scene: that has it.
        name: of the zone; None: the whole picture.
    """

    def __init__(self, scene: Scene, name: str | None) -> None:
        self._region = None if name is None else Region(scene.zones[name])

    def holds(self, tracks: Sequence[TrackState]) -> list[bool]:
        """Which of the objects stand in it: their foot points count."""
        region = self._region
        if region is None:
            return [True] * len(tracks)
        return [region.holds(*foot_point(track)) for track in tracks]


@dataclass
class Stay:
    """One object's stay in a zone. Being outside or lost from sight for a short while does not end it."""

    since: datetime | None = None
    last_inside: datetime | None = None
    reported: bool = False
    event: Event | None = None
    """The event about it that is not closed yet."""

    def extend(self, now: datetime, gap: timedelta) -> timedelta:
        """It is inside at ``now``: for how long. After more than ``gap`` outside a new stay begins."""
        if self.since is None or self.last_inside is None or now - self.last_inside > gap:
            self.since, self.reported = now, False
        self.last_inside = now
        return now - self.since

    def is_over(self, now: datetime, gap: timedelta) -> bool:
        """Whether it was inside, and has not been for more than ``gap``."""
        return self.last_inside is not None and now - self.last_inside > gap

    @property
    def seconds(self) -> float:
        """How long it was inside, from first to last, to the millisecond."""
        if self.since is None or self.last_inside is None:
            return 0.0
        return round((self.last_inside - self.since).total_seconds(), 3)
