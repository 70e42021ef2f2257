"""What can be wrong with a camera although pictures come, and the events that say so."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from safecity.event import Event, Phase, Severity, derive_event_id
from safecity.rules.base import Scene

RULE = "camera-health"
"""What such events have for a rule's name."""


class CameraFault(StrEnum):
    """A fault of a camera. The kind of its event is ``camera_`` and this name."""

    FROZEN = "frozen"
    DARK = "dark"
    OVEREXPOSED = "overexposed"
    OBSTRUCTED = "obstructed"
    BLURRED = "blurred"
    MOVED = "moved"
    CLOCK_WRONG = "clock_wrong"
    SLOW = "slow"


SEVERITIES = {
    CameraFault.FROZEN: Severity.HIGH,
    CameraFault.DARK: Severity.HIGH,
    CameraFault.OVEREXPOSED: Severity.MEDIUM,
    CameraFault.OBSTRUCTED: Severity.HIGH,
    CameraFault.BLURRED: Severity.MEDIUM,
    CameraFault.MOVED: Severity.HIGH,
    CameraFault.CLOCK_WRONG: Severity.MEDIUM,
    CameraFault.SLOW: Severity.LOW,
}
"""High: the camera sees nothing of what it is there for."""


def fault_event(
    scene: Scene,
    fault: CameraFault,
    *,
    opened_at: datetime,
    closed_at: datetime | None,
    now: datetime,
    figures: Mapping[str, str | int | float | bool],
) -> Event:
    """One revision of a fault's event: the first while ``closed_at`` is None, the last when it is given."""
    ordinal = list(CameraFault).index(fault)
    return Event(
        event_id=derive_event_id(scene.camera_id, RULE, scene.config, opened_at, ordinal),
        revision=1 if closed_at is None else 2,
        phase=Phase.OPENED if closed_at is None else Phase.CLOSED,
        camera_id=scene.camera_id,
        kind=f"camera_{fault.value}",
        rule=RULE,
        severity=SEVERITIES[fault],
        occurred_at=now,
        opened_at=opened_at,
        closed_at=closed_at,
        attributes=dict(figures),
        config=scene.config,
    )
