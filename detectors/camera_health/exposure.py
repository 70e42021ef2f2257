"""Dark and over-exposed: too little light, or too much, to see anything by."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

DARK_LEVEL = 40
"""Grey levels; black is 16 in most streams."""
DARK_SHARE = 0.01
"""At night a lamp, or what it lights, is brighter than that; under a cap nothing is."""
GLARE_LEVEL, GLARE_SHARE = 230, 0.6
"""White is 235 in most streams: so much of the picture is burnt out."""
PALE_LEVEL, PALE_SHARE = 180, 0.95
"""Not burnt out, but nothing is darker: the sun in the lens, stray light."""

LEAST_VISIBLE = 0.05


@dataclass(frozen=True)
class Exposure:
    """What one picture's brightness says."""

    brightness: float
    """Mean, grey levels."""
    bright: float
    """Share of the picture that is burnt out."""
    is_dark: bool
    is_overexposed: bool

    @property
    def is_bad(self) -> bool:
        """Nothing else can be judged."""
        return self.is_dark or self.is_overexposed


def measure_exposure(small: NDArray[np.uint8], visible: NDArray[np.bool_] | None) -> Exposure | None:
    """The exposure of ``small`` (180, 320); None when hardly anything of it is visible.

    Args:
        small: grey levels.
        visible: pixels that no privacy mask hides; all of them when None.
    """
    mask = None if visible is None else visible.astype(np.uint8)
    levels = cv2.calcHist([small], [0], mask, [256], [0, 256]).ravel()
    count = float(levels.sum())
    if count < LEAST_VISIBLE * small.size:
        return None
    above = levels[::-1].cumsum()[::-1] / count
    return Exposure(
        brightness=float(levels @ np.arange(256)) / count,
        bright=float(above[GLARE_LEVEL]),
        is_dark=bool(above[DARK_LEVEL] < DARK_SHARE),
        is_overexposed=bool(above[GLARE_LEVEL] > GLARE_SHARE or above[PALE_LEVEL] > PALE_SHARE),
    )
