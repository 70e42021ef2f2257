"""The motion gate: is there anything in this picture that the detector should look at?

A running average of the small grey picture; what differs from it by clearly more than the noise, in a patch
of some size, moves. A change of the whole picture at once (lightning, infrared switch, exposure) is learned
and not reported. Every ``look_seconds`` the gate opens anyhow: what stands still is not missed.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

SMALL = (320, 180)
LEARN_SECONDS = 2.0
"""Time constant of the running average."""
SLOWLY = 0.15
"""What moves is learned so much more slowly, so that a walker leaves no ghost behind."""
STOPPED = 0.5
"""What differs from the background but has stopped is learned so much more slowly: a car that has parked, and
the place that one has left, keep the gate open for ten seconds and not for a minute."""
HOLD_SECONDS = 0.6
"""The gate stays open so long after the last motion: a walker's pause is no end."""
NOISE_FACTOR = 5.0
LEAST_DIFFERENCE = 9.0
"""Grey levels."""
LEAST_AREA = 14
"""Pixels of the small picture: a person 24 pixels high in 720 lines is about 6 x 2 there, and moves."""
GLOBAL_SHARE = 0.5
"""More of the picture than this does not move at once: the light has changed."""


@dataclass(frozen=True)
class GateResult:
    """What the gate says of one picture."""

    moving: bool
    share: float
    """Share of the picture that moves."""
    forced: bool = False
    """Open only because it is time to look."""


class MotionGate:
    """One camera's gate.

    Args:
        look_seconds: the longest time without a look.
    """

    def __init__(self, look_seconds: float = 2.0) -> None:
        self._look_seconds = look_seconds
        self._background: NDArray[np.float32] | None = None
        self._previous = np.zeros((0, 0), np.float32)
        self._noise = 2.0
        self._last_seconds = 0.0
        self._last_motion = -np.inf
        self._last_look = -np.inf

    def update(self, luma: NDArray[np.uint8], seconds: float) -> GateResult:
        """Look at the next picture (h, w) at event time ``seconds``."""
        small = cv2.GaussianBlur(cv2.resize(luma, SMALL, interpolation=cv2.INTER_AREA), (3, 3), 0).astype(
            np.float32
        )
        background, elapsed = self._background, seconds - self._last_seconds
        previous, self._previous, self._last_seconds = self._previous, small, seconds
        if background is None or not 0 <= elapsed < 10 * LEARN_SECONDS:
            self._background = small.copy()
            return self._open(seconds, share=1.0, forced=True)
        difference = np.abs(small - background)
        moving = self._moving_pixels(difference)
        share = float(np.count_nonzero(moving)) / moving.size
        if share > GLOBAL_SHARE:
            self._background = small.copy()
            return self._open(seconds, share=share, forced=True)
        self._learn(small, background, previous, difference, elapsed)
        if self._has_patch(moving):
            self._last_motion = seconds
            return self._open(seconds, share=share, forced=False)
        if seconds - self._last_motion <= HOLD_SECONDS:
            return self._open(seconds, share=share, forced=False)
        if seconds - self._last_look >= self._look_seconds:
            return self._open(seconds, share=share, forced=True)
        return GateResult(moving=False, share=share)

    def _open(self, seconds: float, *, share: float, forced: bool) -> GateResult:
        self._last_look = seconds
        return GateResult(moving=True, share=share, forced=forced)

    def _moving_pixels(self, difference: NDArray[np.float32]) -> NDArray[np.uint8]:
        return np.asarray(difference > self._threshold(), dtype=np.uint8)

    def _threshold(self) -> float:
        """Grey levels that are more than noise."""
        return max(LEAST_DIFFERENCE, NOISE_FACTOR * self._noise)

    def _has_patch(self, moving: NDArray[np.uint8]) -> bool:
        if np.count_nonzero(moving) < LEAST_AREA:
            return False
        joined = cv2.dilate(moving, np.ones((3, 3), np.uint8))
        _, _, patches, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
        return bool(len(patches) > 1 and patches[1:, cv2.CC_STAT_AREA].max() >= 2 * LEAST_AREA)

    def _learn(
        self,
        small: NDArray[np.float32],
        background: NDArray[np.float32],
        previous: NDArray[np.float32],
        difference: NDArray[np.float32],
        elapsed: float,
    ) -> None:
        threshold = self._threshold()
        changing = np.where(np.abs(small - previous) > threshold, SLOWLY, STOPPED)
        rate = 1.0 - np.exp(-elapsed / LEARN_SECONDS)
        rates = (rate * np.where(difference > threshold, changing, 1.0)).astype(np.float32)
        background += rates * (small - background)
        # The median of |difference| of the still part, as a standard deviation.
        level = float(np.median(difference[::4, ::4])) * 1.4826
        self._noise += 0.1 * (level - self._noise)
