"""All faults of one camera, each with its hysteresis."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.camera_health.exposure import measure_exposure
from detectors.camera_health.freshness import Freshness
from detectors.camera_health.hysteresis import Hysteresis
from detectors.camera_health.tiles import HEIGHT, WIDTH, whole_tiles
from detectors.camera_health.timing import ClockError, FrameRate
from detectors.camera_health.view import ViewReading, ViewWatch
from safecity.camera import HealthSettings
from safecity.camera_fault import CameraFault

LOOK_SECONDS = 1.0
"""So often exposure, freshness and timing are looked at."""
Figures = Mapping[str, float]
Reading = tuple[CameraFault, bool | None, Figures]
"""A fault, whether there is evidence for it (None: nothing can be said), and what was measured."""
OF_THE_VIEW: dict[CameraFault, Callable[[ViewReading], Figures]] = {
    CameraFault.OBSTRUCTED: lambda seen: {"hidden_share": seen.comparison.hidden},
    CameraFault.BLURRED: lambda seen: {"sharpness": seen.comparison.sharpness},
    CameraFault.MOVED: lambda seen: {
        "likeness": seen.comparison.likeness,
        "shift_right": seen.shift[0],
        "shift_down": seen.shift[1],
    },
}


@dataclass(frozen=True)
class FaultChange:
    """A fault was raised, or has cleared."""

    fault: CameraFault
    is_raised: bool
    since: float
    """Event time at which the evidence for it began, seconds."""
    figures: Figures
    """What was measured."""


class CameraHealth:
    """One camera's health.

    Args:
        settings: thresholds, and which faults are looked for.
        visible: pixels (180, 320) that no privacy mask hides; all of them when None.
    """

    def __init__(self, settings: HealthSettings, visible: NDArray[np.bool_] | None = None) -> None:
        self._settings = settings
        self._visible = visible
        tiles = whole_tiles(np.ones((HEIGHT, WIDTH), np.bool_) if visible is None else visible)
        self._freshness = Freshness(tiles)
        self._view = ViewWatch(
            tiles,
            obstructed_share=settings.obstructed_share,
            moved_share=settings.moved_share,
            relearn_seconds=settings.relearn_seconds,
        )
        self._rate = FrameRate(settings.expected_fps)
        self._clock = ClockError()
        self._looked_at: float | None = None
        self._hysteresis = {
            fault: Hysteresis(settings.raise_seconds, settings.clear_seconds)
            for fault in CameraFault
            if fault not in settings.off
        }
        if CameraFault.FROZEN in self._hysteresis:
            # That the picture has not changed for so long is evidence over time already.
            self._hysteresis[CameraFault.FROZEN] = Hysteresis(0.0, settings.clear_seconds)

    @property
    def faults(self) -> tuple[CameraFault, ...]:
        """What is wrong now."""
        return tuple(fault for fault, state in self._hysteresis.items() if state.active)

    def update(
        self, small: NDArray[np.uint8], seconds: float, *, frame_index: int, clock_error: float | None
    ) -> list[FaultChange]:
        """What the next picture raises and clears.

        Args:
            small: the picture (180, 320), grey levels.
            seconds: event time.
            frame_index: the frame's number in its stream; every frame that came counts, looked at or not.
            clock_error: the picture's time by the camera's clock less the time of its arrival, seconds;
                None when the stream has no clock of its own.
        """
        self._rate.update(frame_index, seconds)
        self._clock.update(clock_error, seconds)
        readings: list[Reading] = []
        if self._looked_at is None or not 0.0 <= seconds - self._looked_at < LOOK_SECONDS:
            self._looked_at = seconds
            readings += [*self._look(small, seconds), *self._time()]
        view = self._view.update(small, seconds)
        if view is not None:
            readings += [
                (fault, fault is view.fault, figures(view)) for fault, figures in OF_THE_VIEW.items()
            ]
        return [change for reading in readings for change in self._weigh(*reading, seconds)]

    def _look(self, small: NDArray[np.uint8], seconds: float) -> Iterator[Reading]:
        exposure = measure_exposure(small, self._visible)
        if exposure is not None:
            yield CameraFault.DARK, exposure.is_dark, {"brightness": exposure.brightness}
            yield CameraFault.OVEREXPOSED, exposure.is_overexposed, {"burnt_out_share": exposure.bright}
            if exposure.is_bad:
                self._view.skip()
        stale = self._freshness.stale_seconds(small, seconds)
        is_frozen = None if stale is None else stale >= self._settings.frozen_seconds
        yield CameraFault.FROZEN, is_frozen, {"unchanged_seconds": stale or 0.0}

    def _time(self) -> Iterator[Reading]:
        error = self._clock.seconds
        is_wrong = None if error is None else abs(error) > self._settings.clock_seconds
        yield CameraFault.CLOCK_WRONG, is_wrong, {"ahead_seconds": error or 0.0}
        measured, expected = self._rate.measured, self._rate.expected
        if measured is None or expected is None:
            yield CameraFault.SLOW, None, {}
        else:
            is_slow = measured < self._settings.slow_share * expected
            yield CameraFault.SLOW, is_slow, {"fps": measured, "expected_fps": expected}

    def _weigh(
        self, fault: CameraFault, bad: bool | None, figures: Figures, seconds: float
    ) -> Iterator[FaultChange]:
        state = self._hysteresis.get(fault)
        if state is not None and state.update(bad, seconds):
            if fault is CameraFault.FROZEN and state.active:
                state.since = seconds - figures["unchanged_seconds"]
            yield FaultChange(fault, state.active, state.since, figures)
