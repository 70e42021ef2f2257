"""crowding: many objects are in a zone at once. One event from when they are many to when they are few.

Opened when at least ``count`` objects (or, in a zone whose corners are known in metres, ``per_square_metre``
times its area) have been inside for ``persistence_seconds``; updated when there are a fifth more than were
told; closed when there have been fewer than ``clear_share`` of that number for ``gap_seconds``.
"""

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from safecity.event import Severity
from safecity.geometry import Points
from safecity.message import Name
from safecity.rules._gathering import Gathering, Limits
from safecity.rules.base import Scene, TrackRuleSettings


class Settings(TrackRuleSettings):
    """What crowding is configured with."""

    sleeps: ClassVar[bool] = True
    kind: Literal["crowding"] = "crowding"
    zone: Name = Field(description="the zone to watch")
    count: int = Field(default=10, ge=1, le=10_000, description="so many are a crowd")
    per_square_metre: float | None = Field(
        default=None,
        gt=0.0,
        le=20.0,
        description="so dense is a crowd, instead of count; wants the zone's world points",
    )
    clear_share: float = Field(
        default=0.8, gt=0.0, le=1.0, description="fewer than this share of a crowd is none any more"
    )
    gap_seconds: float = Field(
        default=5.0, ge=0.0, le=3600.0, description="few for so long: the crowd is gone"
    )
    persistence_seconds: float = Field(
        default=3.0, ge=0.0, le=3600.0, description="many for so long: a crowd"
    )
    severity: Severity = Field(default=Severity.MEDIUM, description="how much an operator should care")

    def wants_ground(self) -> bool:
        """See :class:`safecity.rules.base.RuleSettings`."""
        return self.per_square_metre is not None


def build(settings: Settings, scene: Scene) -> Gathering:
    """Plug-in entry: the rule for one scene."""
    ground = scene.grounds.get(settings.zone)
    area = _area(ground.metres(scene.zones[settings.zone])) if ground is not None else None

    def describe(number: int) -> Mapping[str, int | float]:
        return (
            {"count": number}
            if area is None
            else {"count": number, "per_square_metre": round(number / area, 3)}
        )

    many = settings.count
    if settings.per_square_metre is not None and area is not None:
        many = max(1, math.ceil(settings.per_square_metre * area - 1e-9))
    limits = Limits(
        many=many,
        few=max(1, math.ceil(settings.clear_share * many)),
        persistence=timedelta(seconds=settings.persistence_seconds),
        gap=timedelta(seconds=settings.gap_seconds),
    )
    return Gathering(scene, settings, settings.zone, limits, describe)


def _area(polygon: Points) -> float:
    """Of a polygon (n, 2), in its own unit squared: the shoelace formula."""
    x, y = polygon.T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)
