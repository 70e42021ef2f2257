"""Frozen: frames come, and every one has been seen before.

A sensor's noise makes each picture new, and an encoder that skips what hardly changes still brings the noise
anew with every key frame. So a part of the picture is stale when what it shows comes again exactly, be it
at once or a few pictures later (a frozen picture that is encoded anew goes round with the key frames).
"""

import numpy as np
from numpy.typing import NDArray

from detectors.camera_health.tiles import GRID, tile_bytes, tile_means

REMEMBERED = 12
"""Different contents of a tile that are known again."""
NOISELESS = (18.0, 232.0)
"""Grey levels: a darker or a brighter tile is at the end of the sensor's range and shows no noise."""
FRESH_SHARE = 0.03
"""So much of the picture may be fresh while the camera is frozen: the clock that it writes into it."""


class Freshness:
    """How long ago the picture was last new.

    Args:
        visible: tiles (9, 16) that no privacy mask touches.
    """

    def __init__(self, visible: NDArray[np.bool_]) -> None:
        self._visible = visible.ravel()
        self._known: list[dict[int, None]] = [{} for _ in range(GRID[0] * GRID[1])]
        self._fresh_at = np.full(GRID[0] * GRID[1], -np.inf)

    def stale_seconds(self, small: NDArray[np.uint8], seconds: float) -> float | None:
        """For how long nearly all that can be judged of the picture has been stale; None if too little can.

        Args:
            small: the picture (180, 320).
            seconds: event time.
        """
        for index, content in enumerate(map(hash, tile_bytes(small))):
            known = self._known[index]
            if content not in known:
                self._fresh_at[index] = seconds
                if len(known) == REMEMBERED:
                    del known[next(iter(known))]
                known[content] = None
        self._fresh_at = np.minimum(self._fresh_at, seconds)
        luma = tile_means(small).ravel()
        judged = self._visible & (luma > NOISELESS[0]) & (luma < NOISELESS[1])
        if np.count_nonzero(judged) < 0.1 * judged.size:
            return None
        times = np.sort(self._fresh_at[judged])
        return float(seconds - times[round((1 - FRESH_SHARE) * (len(times) - 1))])
