"""The motion gate: is there anything in this picture that the detector should look at, and where?

What differs from a running average of the small grey picture *and* from the picture of half a second ago, by
clearly more than that pixel's own noise and in a patch of some size, moves now. The average alone would keep
the gate open for what has stopped and for the place that something has left; the earlier picture alone would
show each object twice. What stands still is seen by a look every ``look_seconds``. Noise is measured for
each pixel, so foliage and a faint flicker calm down by themselves. A change of the whole picture
(exposure, dusk) is taken off before the comparison, and one that is too much for that (lightning, infrared
switch) is learned at once and not reported as motion.
"""

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

SMALL = (320, 180)
"""Width and height of the picture that is compared."""
LEARN_SECONDS = 1.0
"""Time constant of the running average."""
EARLIER_SECONDS = 0.35
"""The picture is compared with one at least so old: a distant walker goes on by a pixel in that time."""
NOISE_SECONDS = 20.0
"""Time constant of each pixel's noise."""
NOISE_FACTOR = 4.5
LEAST_DIFFERENCE = 7.0
"""Grey levels."""
MOST_NOISE = 12.0
"""Grey levels: a pixel that is restless for ever is still seen when something clear happens in it."""
LOOK_SECONDS = 8.0
"""The longest time without a look at the whole picture: a detector may have missed what stands there now."""
HOLD_SECONDS = 0.4
"""The gate stays open so long after the last motion: a walker's pause is no end."""
LEAST_AREA = 8
"""Pixels of the small picture: a person 24 pixels high in 720 lines is about 6 x 2 there, and moves."""
GLOBAL_SHARE = 0.4
"""More of the picture than this does not move at once: the light has changed."""
SETTLE_SECONDS = 0.6
"""So long after such a change the picture is learned faster than it is judged."""
MOST_GAP_SECONDS = 20.0
"""After a longer gap the scene is learned anew."""
_ELEMENT = np.ones((5, 5), np.uint8)

Small = NDArray[np.uint8]
"""(180, 320) grey."""


def shrink(luma: NDArray[np.uint8]) -> Small:
    """The small grey picture of a frame's brightness (h, w); each pixel is a mean."""
    height, width = luma.shape
    while width % (2 * SMALL[0]) == height % (2 * SMALL[1]) == 0:
        # By half, and by half again, where that leads there: 720 lines in a sixth of the time.
        width, height = width // 2, height // 2
        luma = np.asarray(cv2.resize(luma, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(luma, SMALL, interpolation=cv2.INTER_AREA), np.uint8)


@dataclass(frozen=True)
class GateResult:
    """What the gate says of one picture."""

    moving: bool
    """Something moves, or did a moment ago."""
    look: bool
    """The detector should look: something moves, or it is time to look anyhow."""
    patches: NDArray[np.float64]
    """(n, 4) x1 y1 x2 y2 of what moves, relative to the picture; none when only held open."""
    whole: bool = False
    """Look at the whole picture: it is time, or everything has changed."""


_NOWHERE = np.zeros((0, 4))


class MotionGate:
    """One camera's gate.

    Args:
        look_seconds: the longest time without a look at the whole picture.
    """

    def __init__(self, look_seconds: float = LOOK_SECONDS) -> None:
        self._look_seconds = look_seconds
        self._average: NDArray[np.float32] | None = None
        self._earlier: deque[tuple[float, NDArray[np.float32]]] = deque()
        self._noise = np.zeros((0, 0), np.float32)
        self._last_seconds = 0.0
        self._last_motion = -np.inf
        self._last_look = -np.inf
        self._settles_until = -np.inf

    def update(self, small: Small, seconds: float) -> GateResult:
        """Look at the next small picture (180, 320) at event time ``seconds``."""
        elapsed, self._last_seconds = seconds - self._last_seconds, seconds
        picture = cv2.GaussianBlur(small, (3, 3), 0).astype(np.float32)
        if self._average is None or not 0 <= elapsed < MOST_GAP_SECONDS:
            return self._begin(picture, seconds)
        threshold, difference = self._threshold(), _difference(picture, self._average)
        differs = difference > threshold
        if np.count_nonzero(differs) > GLOBAL_SHARE * differs.size:
            self._settles_until = seconds + SETTLE_SECONDS
            return self._begin(picture, seconds)
        moving, patches = self._moving(picture, differs, threshold, seconds)
        self._remember(picture, seconds)
        self._learn(picture, difference, moving, elapsed)
        return self._judge(patches, seconds)

    def _moving(
        self,
        picture: NDArray[np.float32],
        differs: NDArray[np.bool_],
        threshold: NDArray[np.float32],
        seconds: float,
    ) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """(180, 320) 1 where something moves, and the patches of it."""
        if np.count_nonzero(differs) < LEAST_AREA:
            return differs.view(np.uint8), _NOWHERE
        moving = (differs & (_difference(picture, self._earlier[0][1]) > threshold)).view(np.uint8)
        return moving, _NOWHERE if seconds < self._settles_until else _patches(moving)

    def _begin(self, picture: NDArray[np.float32], seconds: float) -> GateResult:
        self._average = picture.copy()
        self._earlier = deque([(seconds, picture)])
        if self._noise.shape != picture.shape:
            self._noise = np.full(picture.shape, 1.5, np.float32)
        return self._look_at_all(seconds, moving=False)

    def _judge(self, patches: NDArray[np.float64], seconds: float) -> GateResult:
        if len(patches):
            self._last_motion = seconds
        moving = seconds - self._last_motion <= HOLD_SECONDS
        if seconds - self._last_look >= self._look_seconds:
            return self._look_at_all(seconds, moving=moving, patches=patches)
        return GateResult(moving=moving, look=moving, patches=patches)

    def _look_at_all(
        self, seconds: float, *, moving: bool, patches: NDArray[np.float64] = _NOWHERE
    ) -> GateResult:
        self._last_look = seconds
        return GateResult(moving=moving, look=True, patches=patches, whole=True)

    def _remember(self, picture: NDArray[np.float32], seconds: float) -> None:
        """Keep pictures until one that is old enough has a successor that is."""
        self._earlier.append((seconds, picture))
        while len(self._earlier) > 1 and seconds - self._earlier[1][0] >= EARLIER_SECONDS:
            self._earlier.popleft()

    def _threshold(self) -> NDArray[np.float32]:
        """(180, 320) grey levels that are more than noise."""
        threshold: NDArray[np.float32] = np.maximum(self._noise * np.float32(NOISE_FACTOR), LEAST_DIFFERENCE)
        return threshold

    def _learn(
        self,
        picture: NDArray[np.float32],
        difference: NDArray[np.float32],
        moving: NDArray[np.uint8],
        elapsed: float,
    ) -> None:
        assert self._average is not None
        cv2.accumulateWeighted(picture, self._average, 1.0 - float(np.exp(-elapsed / LEARN_SECONDS)))
        # The mean of |difference| as a standard deviation; what moves would be taken for noise.
        level = np.minimum(difference * np.float32(1.2533), MOST_NOISE / NOISE_FACTOR)
        rate = 1.0 - float(np.exp(-elapsed / NOISE_SECONDS))
        cv2.accumulateWeighted(level, self._noise, rate, mask=1 - moving)
        cv2.accumulateWeighted(level, self._noise, rate / 8, mask=moving)


def _difference(picture: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """(180, 320) grey levels between two pictures, but for what they differ by as a whole."""
    difference = picture - other
    sample = difference[::6, ::6].ravel()
    difference -= np.partition(sample, sample.size // 2)[sample.size // 2]
    np.abs(difference, out=difference)
    return difference


def _patches(moving: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(n, 4) relative boxes of what moves together, each of LEAST_AREA pixels or more."""
    if np.count_nonzero(moving) < LEAST_AREA:
        return _NOWHERE
    joined = cv2.dilate(moving, _ELEMENT)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    pixels = np.bincount(labels[moving.astype(bool)], minlength=count)
    kept = stats[1:][pixels[1:] >= LEAST_AREA]
    if len(kept) == 0:
        return _NOWHERE
    left, top = kept[:, cv2.CC_STAT_LEFT], kept[:, cv2.CC_STAT_TOP]
    right, bottom = left + kept[:, cv2.CC_STAT_WIDTH], top + kept[:, cv2.CC_STAT_HEIGHT]
    return np.stack([left, top, right, bottom], axis=1) / np.array([*SMALL, *SMALL], np.float64)
