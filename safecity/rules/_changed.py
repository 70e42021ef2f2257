"""Things that came into the picture or went out of it without being tracked: what object_left and
object_removed share. Both go by the picture's own changes (:class:`safecity.observation.Change`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from safecity.event import Event, Severity
from safecity.geometry import Region, iou
from safecity.message import Box, Name, Share
from safecity.observation import Change, Observation
from safecity.rules.base import RuleSettings, Scene, closed, opened

SAME_THING = 0.3
"""Overlap of two boxes of one thing: its region grows and shrinks with the light."""


class ChangedSettings(RuleSettings):
    """What a rule about changes of the picture is configured with."""

    sleeps: ClassVar[bool] = True
    needs_changes: ClassVar[bool] = True
    zone: Name | None = Field(default=None, description="the zone to watch; the whole picture when not given")
    persistence_seconds: float = Field(
        default=20.0,
        ge=3.0,
        le=600.0,
        description="unchanged and with nobody at it for so long before it counts",
    )
    gap_seconds: float = Field(
        default=5.0, ge=0.0, le=600.0, description="as it was before for so long: the event is over"
    )
    min_area: Share = Field(default=0.0003, description="smaller changes do not count, share of the picture")
    max_area: Share = Field(default=0.05, description="larger changes do not count, share of the picture")
    severity: Severity = Field(default=Severity.HIGH, description="how much an operator should care")


@dataclass
class _Thing:
    box: Box
    event: Event
    last_seen: datetime


class ChangedRegions:
    """Follows changes of one kind.

    Args:
        scene: the camera's.
        settings: of the rule.
        kind: of the changes that count.
    """

    def __init__(
        self, scene: Scene, settings: ChangedSettings, kind: Literal["appeared", "vanished"]
    ) -> None:
        self._scene = scene
        self._settings = settings
        self._kind = kind
        self._region = None if settings.zone is None else Region(scene.zones[settings.zone])
        self._things: list[_Thing] = []
        self._ordinal = 0

    def update(self, observation: Observation) -> list[Event]:
        """See :class:`safecity.rules.base.Rule`."""
        now, events = observation.captured_at, []
        for change in observation.changes:
            thing = self._known(change.box)
            if thing is not None:
                thing.box, thing.last_seen = change.box, now
            elif self._counts(change):
                self._ordinal += 1
                thing = _Thing(change.box, self._begin(change, now), now)
                self._things.append(thing)
                events.append(thing.event)
        gap = timedelta(seconds=self._settings.gap_seconds)
        over = [thing for thing in self._things if now - thing.last_seen > gap]
        self._things = [thing for thing in self._things if thing not in over]
        for thing in over:
            seconds = round((thing.last_seen - thing.event.opened_at).total_seconds(), 3)
            events.append(closed(thing.event, now, attributes={"duration_seconds": seconds}))
        return events

    def _known(self, box: Box) -> _Thing | None:
        return next((t for t in self._things if _overlap(t.box, box) >= SAME_THING), None)

    def _counts(self, change: Change) -> bool:
        x1, y1, x2, y2 = change.box
        if change.kind != self._kind or change.since_seconds < self._settings.persistence_seconds:
            return False
        if not self._settings.min_area <= (x2 - x1) * (y2 - y1) <= self._settings.max_area:
            return False
        return self._region is None or self._region.holds((x1 + x2) / 2, y2)

    def _begin(self, change: Change, now: datetime) -> Event:
        return opened(
            self._scene,
            self._settings,
            now,
            ordinal=self._ordinal,
            zone=self._settings.zone,
            box=change.box,
            attributes={"since_seconds": change.since_seconds},
        )


def _overlap(a: Sequence[float], b: Sequence[float]) -> float:
    return float(iou(np.array([a]), np.array([b]))[0, 0])
