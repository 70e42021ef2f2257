"""What changed in the scene and stays so: things that were put down, things that were taken away.

From the small grey picture and event time; pure. In the manner of dual backgrounds (Porikli, Ivanov and Haga
2008, "Robust abandoned object detection using dual foregrounds", https://doi.org/10.1155/2008/197875): a
slow background knows the scene of minutes ago, a fast one the scene of now without what passes. Where the
two differ and the picture agrees with the fast one, something has changed and stays. Each pixel's time in
that state is counted: not on while something that moves covers it, and down while a tracked object stands on
it.

The edges decide what happened: a thing has a border. Where the picture has an edge along the region's border
and the background has none, something appeared; the other way round, something vanished; where both or
neither have, the light changed (a headlight's cone, a shadow, a wet street), and it is ``unknown``.

What would be mistaken for things, and is not: a change of a large part of the picture at once (exposure,
infrared switch, a lightning) and a whole picture's worth of small ones (rain, a moved camera) teach the
scene anew; gradual light is followed; what has stayed for :data:`ABSORB_SECONDS` becomes part of the scene.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.changed_regions import REPORT_SECONDS, ChangedRegion, find_regions

Grey = NDArray[np.uint8]
Floats = NDArray[np.float32]
Boxes = NDArray[np.float64]

LEARN_SECONDS = 8.0
"""The scene is learned for so long, at the start and after a change of the whole picture."""
DOUBT_SECONDS = 60.0
"""For so long, what a tracked object covered is learned again: it may have been scene by mistake."""
STEP_SECONDS = 0.4
"""Things stay for long: more looks than one in so long tell nothing new."""
SLOW_SECONDS = 25.0
"""Time constant with which the slow background follows where nothing differs."""
FAST_SECONDS = 1.0
ABSORB_SECONDS = 900.0
FREE_SECONDS = 3.0
"""What is quiet and covered by nothing for so long is scene: a tracker finds an object late."""
DIFFERENCE = 14.0
"""Grey levels between picture and background that are no noise."""
QUIET = 8.0
"""Grey levels between the picture and the fast background that are noise."""
GLOBAL_SHARE = 0.22
"""More of the picture than this does not change by things."""
AROUND = 13
"""Pixels: the patch around a pixel that differs, in which the slow background stays as it was."""
FLASH_SECONDS = 3.0
"""A change of the whole picture that lasts no longer is a flash, and teaches nothing."""
MOST_REGIONS = 12
"""More things do not appear at once."""
GROW = 0.15
"""Of a box: what a tracked object may cover beyond it, its shadow included."""


class SceneChange:
    """One camera's scene. Pictures are all of one size (h, w), 180 x 320 in the worker."""

    def __init__(self) -> None:
        self._slow = np.zeros((0, 0), np.float32)
        self._fast = self._slow
        self._settled = self._slow
        """The fast background as it was when nothing covered it."""
        self._stayed = self._slow
        """(h, w) seconds."""
        self._free = self._slow
        """(h, w) seconds since it last changed or a tracked object covered it."""
        self._known = np.zeros((0, 0), np.bool_)
        """(h, w) where the slow background is of the scene, not of what stood there at the start."""
        self._seconds = 0.0
        self._began = 0.0
        self._normal_at = 0.0
        """When the whole picture was last as the background has it."""
        self._found: list[ChangedRegion] = []

    def update(self, small: Grey, seconds: float, moving: Boxes, standing: Boxes) -> list[ChangedRegion]:
        """Look at the next picture (h, w) at event time ``seconds``.

        Args:
            small: the picture.
            seconds: event time.
            moving: (n, 4) boxes of tracked objects that move, x1 y1 x2 y2, relative.
            standing: (m, 4) boxes of tracked objects that stay where they are.
        """
        elapsed = seconds - self._seconds
        if small.shape == self._slow.shape and 0 <= elapsed < STEP_SECONDS:
            return self._found
        picture = cv2.GaussianBlur(small, (3, 3), 0).astype(np.float32)
        if picture.shape != self._slow.shape or not 0 <= elapsed < ABSORB_SECONDS:
            self._begin(picture, seconds)
            elapsed = 0.0
        self._seconds = seconds
        self._found = self._look(picture, moving, standing, elapsed)
        return self._found

    def _look(self, picture: Floats, moving: Boxes, standing: Boxes, elapsed: float) -> list[ChangedRegion]:
        attended = _covered(standing, picture.shape)
        covered = attended | _covered(moving, picture.shape)
        self._fast += _rate(elapsed, FAST_SECONDS) * (picture - self._fast)
        clear = (np.abs(picture - self._fast) <= QUIET) & ~covered
        self._free = np.where(clear, self._free + np.float32(elapsed), np.float32(0))
        if self._seconds - self._began < LEARN_SECONDS:
            self._learn(covered)
            return []
        differs = (np.abs(self._fast - self._slow) > DIFFERENCE) & self._known
        if np.count_nonzero(differs & ~covered) > GLOBAL_SHARE * differs.size:
            if self._seconds - self._normal_at > FLASH_SECONDS:
                self._begin(picture, self._seconds)
            return []
        self._normal_at = self._seconds
        self._count(differs, clear, attended, elapsed)
        self._follow(differs, clear, covered, elapsed)
        regions = find_regions(self._stayed, self._settled, self._slow)
        if len(regions) > MOST_REGIONS:
            self._begin(picture, self._seconds)
            return []
        return regions

    def _begin(self, picture: Floats, seconds: float) -> None:
        self._slow, self._fast, self._settled = picture.copy(), picture.copy(), picture.copy()
        self._stayed, self._free = np.zeros_like(picture), np.zeros_like(picture)
        self._known = np.zeros(picture.shape, np.bool_)
        self._began = self._normal_at = seconds

    def _learn(self, covered: NDArray[np.bool_]) -> None:
        """Take over what is there, but for what moves or stands on it."""
        free = self._free >= FREE_SECONDS
        self._slow = np.where(free, self._fast, self._slow)
        self._settled = self._slow.copy()
        self._known = (self._known & ~covered) | free

    def _count(
        self,
        differs: NDArray[np.bool_],
        clear: NDArray[np.bool_],
        attended: NDArray[np.bool_],
        elapsed: float,
    ) -> None:
        """Count on where something stays, down where it is attended, and end where the scene is as before."""
        self._settled = np.where(clear, self._fast, self._settled)
        self._stayed += np.where(clear & differs, np.float32(elapsed), np.float32(0))
        self._stayed -= np.where(attended, np.float32(2 * elapsed), np.float32(0))
        self._stayed[(clear & ~differs) | ~self._known] = 0
        np.maximum(self._stayed, 0, out=self._stayed)

    def _follow(
        self, differs: NDArray[np.bool_], clear: NDArray[np.bool_], covered: NDArray[np.bool_], elapsed: float
    ) -> None:
        """The slow background follows the light, and takes in what has stayed."""
        new = clear & ~self._known & (self._free >= FREE_SECONDS)
        self._slow[new] = self._fast[new]
        self._known |= new
        # Around a region nothing is learned: the border of what was learned would be an edge of its own.
        rate = np.where(clear & ~_near(differs), _rate(elapsed, SLOW_SECONDS), np.float32(0))
        self._slow += rate * (self._fast - self._slow)
        if self._seconds - self._began < DOUBT_SECONDS:
            self._known &= ~covered | _near(self._stayed >= REPORT_SECONDS)
        long = self._stayed > ABSORB_SECONDS
        self._slow[long] = self._settled[long]
        self._stayed[long] = 0


def _near(which: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return cv2.dilate(which.astype(np.uint8), np.ones((AROUND, AROUND), np.uint8)) > 0


def _rate(elapsed: float, seconds: float) -> np.float32:
    return np.float32(1.0 - np.exp(-elapsed / seconds))


def _covered(boxes: Boxes, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """(h, w) where one of ``boxes``, a little wider, lies."""
    covered = np.zeros(shape, np.bool_)
    rows, columns = shape
    for x1, y1, x2, y2 in boxes:
        grow_x, grow_y = GROW * (x2 - x1), GROW * (y2 - y1)
        top, bottom = int(max(0.0, y1 - grow_y) * rows), int(np.ceil((y2 + grow_y) * rows))
        left, right = int(max(0.0, x1 - grow_x) * columns), int(np.ceil((x2 + grow_x) * columns))
        covered[top:bottom, left:right] = True
    return covered
