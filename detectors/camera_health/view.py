"""Obstructed, blurred, moved: the view of the last seconds against the camera's own reference.

The reference is the mean of what the camera saw at first, and follows the seasons of the day slowly; while
something is wrong with the view it stays as it is.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.camera_health.structure import Comparison, Plane, Structure, compare
from detectors.camera_health.tiles import HEIGHT, WIDTH
from safecity.camera_fault import CameraFault

PERIOD_SECONDS = 5.0
"""So many seconds make one view: people pass in it, and leave no trace in its mean."""
LEAST_PICTURES = 3
FIRST_VIEWS = 6
"""The first reference is the mean of so many."""
LEARN_SECONDS = 600.0
IN_FOCUS = 0.5
"""Share of the detail that is left, below which the camera is out of focus."""
RECOGNISED = 0.35
"""Median correlation of the tiles from which on the view is the right one, though it may be out of focus."""
RIGHT_VIEW, OTHER_VIEW = 0.25, 0.5
"""Shares of the tiles: fewer that are the same, and more that are others, are another view."""
TELLING_RESPONSE = 0.08
"""Height of the peak of the phase correlation that is no chance."""


@dataclass(frozen=True)
class ViewReading:
    """What a view says."""

    fault: CameraFault | None
    """Obstructed, blurred or moved; None when it is as it was."""
    comparison: Comparison
    shift: tuple[float, float] = (0.0, 0.0)
    """By which the scene has wandered, shares of the picture's width and height; 0 when not known."""


class ViewWatch:
    """One camera's view.

    Args:
        visible: tiles (9, 16) that no privacy mask touches.
        obstructed_share: share of the picture that may be hidden.
        moved_share: share of the picture's width or height by which the view may shift.
        relearn_seconds: a changed view that lasts so long is the camera's new one: it was hung up anew, or a
            wall was built.
    """

    def __init__(
        self,
        visible: NDArray[np.bool_],
        *,
        obstructed_share: float,
        moved_share: float,
        relearn_seconds: float,
    ) -> None:
        self._visible = visible
        self._obstructed_share = obstructed_share
        self._moved_share = moved_share
        self._relearn_seconds = relearn_seconds
        self._changed_for = 0.0
        self._window = cv2.createHanningWindow((WIDTH, HEIGHT), cv2.CV_32F)
        self._sum = np.zeros((HEIGHT, WIDTH), np.float32)
        self._pictures = 0
        self._began: float | None = None
        self._views = 0
        self._mean = np.zeros((HEIGHT, WIDTH), np.float32)
        self._reference = Structure.of(self._mean)

    def update(self, small: NDArray[np.uint8], seconds: float) -> ViewReading | None:
        """Take a picture (180, 320) at event time ``seconds``; a reading every few seconds, else None."""
        if self._began is None or not 0.0 <= seconds - self._began < 3 * PERIOD_SECONDS:
            self.skip()
            self._began = seconds
        cv2.accumulate(small, self._sum)
        self._pictures += 1
        if seconds - self._began < PERIOD_SECONDS or self._pictures < LEAST_PICTURES:
            return None
        view, elapsed = self._sum / np.float32(self._pictures), seconds - self._began
        self.skip()
        self._began = seconds
        return self._judge(view, elapsed)

    def skip(self) -> None:
        """Forget the view that has begun: the pictures show nothing to judge by."""
        self._sum[:] = 0.0
        self._pictures, self._began = 0, None

    def _judge(self, view: Plane, elapsed: float) -> ViewReading | None:
        if self._views < FIRST_VIEWS:
            self._learn(view, 1.0 / (self._views + 1))
            return None
        structure = Structure.of(view)
        comparison = compare(self._reference, structure, self._visible)
        reading = None if comparison is None else self._classify(comparison, view, structure)
        if reading is None or reading.fault is None:
            self._changed_for = 0.0
            self._learn(view, elapsed / LEARN_SECONDS)
            return reading
        self._changed_for += elapsed
        if self._changed_for > self._relearn_seconds:
            self._views, self._changed_for = 0, 0.0
            return None
        return reading

    def _classify(self, seen: Comparison, view: Plane, structure: Structure) -> ViewReading:
        is_hidden = seen.hidden >= self._obstructed_share
        is_sharp = seen.sharpness >= IN_FOCUS
        if is_sharp and not is_hidden and seen.other < OTHER_VIEW:
            return ViewReading(None, seen)
        shift, is_shift = self._shift(seen, view, structure)
        if is_shift:
            moved = max(abs(shift[0]), abs(shift[1])) >= self._moved_share
            return ViewReading(CameraFault.MOVED if moved else None, seen, shift)
        if not is_sharp and seen.likeness >= RECOGNISED:
            return ViewReading(CameraFault.BLURRED, seen)
        if is_hidden and (seen.same >= RIGHT_VIEW or seen.smooth >= self._obstructed_share):
            return ViewReading(CameraFault.OBSTRUCTED, seen)
        is_elsewhere = seen.same < RIGHT_VIEW and seen.other >= OTHER_VIEW
        return ViewReading(CameraFault.MOVED if is_elsewhere else None, seen)

    def _shift(self, seen: Comparison, view: Plane, structure: Structure) -> tuple[tuple[float, float], bool]:
        """By how much the scene has wandered, and whether that explains what differs."""
        # phaseCorrelate multiplies its arguments with the window, in place.
        (x, y), response = cv2.phaseCorrelate(
            self._reference.coarse.copy(), structure.coarse.copy(), self._window
        )
        shift = (x / WIDTH, y / HEIGHT)
        if response < TELLING_RESPONSE or max(abs(x), abs(y)) < 1.0:
            return shift, False
        back = np.array([[1, 0, -x], [0, 1, -y]], np.float32)
        moved_back = cv2.warpAffine(view, back, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
        again = compare(self._reference, Structure.of(np.asarray(moved_back, np.float32)), self._visible)
        return shift, again is not None and again.same > seen.same + 0.2 and again.same > 0.4

    def _learn(self, view: Plane, rate: float) -> None:
        cv2.accumulateWeighted(view, self._mean, rate)
        self._views += 1
        if self._views % FIRST_VIEWS == 0:
            self._reference = Structure.of(self._mean)
