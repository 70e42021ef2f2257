"""A Kalman filter for a box: constant velocity, each of centre x, centre y, width and height by itself.

Kalman 1960. The noise is in proportion to the box's height, as in SORT (Bewley et al. 2016,
https://arxiv.org/abs/1602.00763), and the process noise grows with the real time between pictures.
"""

from typing import Self

import numpy as np
from numpy.typing import NDArray

from detectors.tracker_state import FilterState

MEASUREMENT = np.array([0.035, 0.035, 0.055, 0.035])
"""Standard deviation of a detection, as a share of the box's height: x, y, width, height."""
ACCELERATION = np.array([0.6, 0.45, 0.25, 0.25])
"""Standard deviation of the acceleration, box heights a second squared."""
START_VELOCITY = np.array([0.8, 0.5, 0.2, 0.2])
"""Standard deviation of an unknown velocity, box heights a second."""


class BoxFilter:
    """Position and velocity of one box.

    Args:
        xyxy: where it was seen first, (4,) pixels.
    """

    def __init__(self, xyxy: NDArray[np.float64]) -> None:
        self._position = _to_centre(xyxy)
        self._velocity = np.zeros(4)
        height = self._height
        self._pp = (MEASUREMENT * height) ** 2
        self._pv = np.zeros(4)
        self._vv = (START_VELOCITY * height) ** 2

    @classmethod
    def restored(cls, state: FilterState) -> Self:
        """As it was."""
        x, y, w, h = state.position
        own = cls(np.array([x - w / 2, y - h / 2, x + w / 2, y + h / 2]))
        own._velocity = np.array(state.velocity)
        own._pp, own._pv, own._vv = np.array(state.pp), np.array(state.pv), np.array(state.vv)
        return own

    def state(self) -> FilterState:
        """As it is."""
        names = {"position": self._position, "velocity": self._velocity}
        names |= {"pp": self._pp, "pv": self._pv, "vv": self._vv}
        return FilterState.model_validate({name: tuple(row.tolist()) for name, row in names.items()})

    @property
    def xyxy(self) -> NDArray[np.float64]:
        """(4,) pixels."""
        x, y, w, h = self._position.tolist()
        w, h = max(w, 1.0), max(h, 1.0)
        return np.array([x - w / 2, y - h / 2, x + w / 2, y + h / 2])

    @property
    def velocity(self) -> NDArray[np.float64]:
        """(2,) of the centre, pixels a second."""
        return self._velocity[:2].copy()

    @property
    def _height(self) -> float:
        return max(float(self._position[3]), 1.0)

    def predict(self, elapsed: float) -> None:
        """Go on for ``elapsed`` seconds."""
        noise = (ACCELERATION * self._height) ** 2
        self._position += self._velocity * elapsed
        self._pp += 2 * elapsed * self._pv + elapsed**2 * self._vv + noise * elapsed**4 / 4
        self._pv += elapsed * self._vv + noise * elapsed**3 / 2
        self._vv += noise * elapsed**2

    def correct(self, xyxy: NDArray[np.float64]) -> None:
        """Take in where it was seen."""
        innovation = _to_centre(xyxy) - self._position
        spread = self._pp + (MEASUREMENT * self._height) ** 2
        gain_p, gain_v = self._pp / spread, self._pv / spread
        self._position += gain_p * innovation
        self._velocity += gain_v * innovation
        self._vv -= gain_v * self._pv
        self._pv *= 1 - gain_p
        self._pp *= 1 - gain_p

    def rest(self) -> None:
        """It stays where it is."""
        self._velocity[:] = 0.0


def _to_centre(xyxy: NDArray[np.float64]) -> NDArray[np.float64]:
    x1, y1, x2, y2 = xyxy.tolist()
    return np.array([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1])
