"""One camera's health over its frames, and the events that tell of it. No input or output, no clock."""

from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from detectors.camera_health import CameraHealth, FaultChange
from detectors.motion import SMALL
from ingest.frame import Frame
from ingest.snapshots import PrivacyMask
from safecity.camera import HealthSettings
from safecity.camera_fault import CameraFault, fault_event
from safecity.event import Event
from safecity.rules import Scene


class CameraWatch:
    """Tells what is wrong with a camera, and when it is over.

    Args:
        settings: the camera's own.
        scene: whose events they are.
        mask: what is hidden of the picture says nothing of the camera.
    """

    def __init__(self, settings: HealthSettings, scene: Scene, mask: PrivacyMask) -> None:
        self._scene = scene
        self._health = CameraHealth(settings, mask.visible(SMALL) if mask else None)
        self._opened: dict[CameraFault, datetime] = {}

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong now."""
        return tuple(fault.value for fault in self._health.faults)

    def update(self, frame: Frame, small: NDArray[np.uint8], seconds: float) -> list[Event]:
        """The events that the next frame causes.

        Args:
            frame: for its place in the stream and its times.
            small: its grey picture (180, 320).
            seconds: its event time, since any moment.
        """
        changes = self._health.update(small, seconds, frame_index=frame.index, clock_error=frame.clock_error)
        return [self._event(change, frame.captured_at, seconds) for change in changes]

    def _event(self, change: FaultChange, now: datetime, seconds: float) -> Event:
        began = now - timedelta(seconds=seconds - change.since)
        figures = {name: round(value, 4) for name, value in change.figures.items()}
        if change.is_raised:
            self._opened[change.fault] = began
            return fault_event(
                self._scene, change.fault, opened_at=began, closed_at=None, now=now, figures=figures
            )
        opened_at = self._opened.pop(change.fault)
        figures["lasted_seconds"] = round((now - opened_at).total_seconds(), 1)
        return fault_event(
            self._scene, change.fault, opened_at=opened_at, closed_at=now, now=now, figures=figures
        )
