"""after_hours: somebody is where nobody should be at this time. One event from the first to the last of
them.

Opened when an object has been in the zone for ``persistence_seconds`` within the hours of ``schedule``,
whether it came then or had stayed; updated when there are more; closed when none has been inside for
``gap_seconds``, or when the hours are over.
"""

from datetime import timedelta
from typing import ClassVar, Literal

from pydantic import Field

from safecity.event import Severity
from safecity.message import Name
from safecity.rules._gathering import Gathering, Limits
from safecity.rules.base import Scene, TrackRuleSettings


class Settings(TrackRuleSettings):
    """What after_hours is configured with."""

    sleeps: ClassVar[bool] = True
    kind: Literal["after_hours"] = "after_hours"
    schedule: tuple[str, ...] = Field(
        min_length=1,
        description='hours in which nobody should be there, in the site\'s time zone: "daily 22:00-06:00"',
    )
    zone: Name | None = Field(default=None, description="the zone to watch; the whole picture when not given")
    gap_seconds: float = Field(default=10.0, ge=0.0, le=3600.0, description="nobody for so long: it is over")
    persistence_seconds: float = Field(
        default=1.0, ge=0.0, le=3600.0, description="inside for so long before it counts"
    )
    severity: Severity = Field(default=Severity.HIGH, description="how much an operator should care")
    evidence: Literal["first", "best"] = Field(
        default="best",
        description="best: a better picture that comes later is sent in a revision of the event",
    )


def build(settings: Settings, scene: Scene) -> Gathering:
    """Plug-in entry: the rule for one scene."""
    limits = Limits(
        many=1,
        few=1,
        persistence=timedelta(seconds=settings.persistence_seconds),
        gap=timedelta(seconds=settings.gap_seconds),
    )
    return Gathering(scene, settings, settings.zone, limits, lambda number: {"count": number})
