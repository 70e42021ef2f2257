"""Is the camera still looking at what it used to look at, and does it see it as sharply?

The mean of a few seconds of small pictures (people vanish in it, and so does the noise) is compared with the
camera's own reference, tile by tile and in two bands of a difference of Gaussians. What both share is measured
by correlation, so a change of gain (night, exposure, fog) does not matter, and noise, which shares nothing with
the reference, does not count.
"""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.camera_health.tiles import tile_means

Plane = NDArray[np.float32]
Tiles = NDArray[np.float32]

TEXTURED = 1.0
"""Grey levels (root mean square) in the coarse band from which on a tile can be recognised."""
SAME = 0.6
"""A tile that correlates so well shows what it showed."""
OTHER = 0.35
"""A tile that correlates less shows something else."""
DIM = 24.0
"""Grey levels: in a darker tile there is nothing to recognise (black is 16 in most streams)."""


@dataclass(frozen=True)
class Structure:
    """What there is to recognise in a picture."""

    fine: Plane
    """(180, 320): detail that a loss of focus takes first."""
    coarse: Plane
    """(180, 320): edges that survive it."""
    fine_power: Tiles
    coarse_power: Tiles
    luma: Tiles

    @classmethod
    def of(cls, view: Plane) -> Self:
        """The structure of ``view`` (180, 320), grey levels."""
        near = cv2.GaussianBlur(view, (0, 0), 1.2)
        fine = np.asarray(view - near, np.float32)
        coarse = np.asarray(near - cv2.GaussianBlur(near, (0, 0), 4.0), np.float32)
        return cls(fine, coarse, tile_means(fine * fine), tile_means(coarse * coarse), tile_means(view))


@dataclass(frozen=True)
class Comparison:
    """A view against the reference, over the tiles in which the reference has something to recognise."""

    same: float
    """Share of the tiles that show what they showed."""
    other: float
    """Share of the tiles that show something else."""
    hidden: float
    """Share of the tiles that show something else and have lost their detail."""
    likeness: float
    """Median correlation of the tiles, -1 to 1."""
    sharpness: float
    """How much of the reference's detail is left, against how much of its edges is: 1 when in focus."""
    richness: float
    """How much structure there is all in all for the brightness, against the reference: 1 for the like."""


def compare(reference: Structure, view: Structure, visible: NDArray[np.bool_]) -> Comparison | None:
    """``view`` against ``reference``; None when too little of the picture can be recognised.

    Args:
        reference: what the camera saw when all was well.
        view: what it sees now.
        visible: tiles (9, 16) that no privacy mask touches.
    """
    known = visible & (reference.coarse_power > TEXTURED**2)
    if np.count_nonzero(known) < 0.1 * known.size:
        return None
    shared = tile_means(reference.coarse * view.coarse)
    likeness = shared / np.sqrt(reference.coarse_power * view.coarse_power + 1e-3)
    same, other = known & (likeness > SAME), known & (likeness < OTHER)
    brightness = _ratio(view.luma[known].mean(), reference.luma[known].mean())
    alike = same if np.count_nonzero(same) >= 0.1 * np.count_nonzero(known) else None
    gain = brightness if alike is None else _ratio(shared[alike].sum(), reference.coarse_power[alike].sum())
    detail = np.sqrt(view.fine_power / (reference.fine_power + 0.05)) / max(gain, 0.05)
    hidden = other & (detail < 0.5)
    if brightness < 0.6:
        # The light has fallen: what lies in the dark now is not hidden by anything.
        hidden &= view.luma > DIM
    power = np.sqrt(view.coarse_power[known] / reference.coarse_power[known])
    count = np.count_nonzero(known)
    return Comparison(
        same=np.count_nonzero(same) / count,
        other=np.count_nonzero(other) / count,
        hidden=np.count_nonzero(hidden) / count,
        likeness=float(np.median(likeness[known])),
        sharpness=_sharpness(reference, view, shared, known & (likeness > OTHER)),
        richness=float(np.median(power)) / max(brightness, 0.05),
    )


def _sharpness(reference: Structure, view: Structure, shared: Tiles, tiles: NDArray[np.bool_]) -> float:
    fine = tile_means(reference.fine * view.fine)[tiles].sum()
    left = _ratio(fine, reference.fine_power[tiles].sum())
    return _ratio(left, _ratio(shared[tiles].sum(), reference.coarse_power[tiles].sum()))


def _ratio(part: float, whole: float) -> float:
    return float(part) / max(float(whole), 1e-3)
