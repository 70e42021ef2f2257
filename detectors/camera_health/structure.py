"""Is the camera still looking at what it used to look at, and does it see it as sharply?

The mean of a few seconds of small pictures (people vanish in it, and so does the noise) is compared with the
camera's own reference, tile by tile and in two bands of a difference of Gaussians. What both share is
measured by correlation, so a change of gain (night, exposure, fog) does not matter, and noise, which shares
nothing with the reference, does not count.
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
DIM = 20.0
"""Grey levels: in a darker tile there is nothing to recognise (black is 16 in most streams)."""

BEST = 0.9
"""Quantile of the tiles that stands for those which nothing hides."""
LOST, LOST_DETAIL = 0.35, 0.5
"""A tile that keeps less of the contrast, and of the detail, than the best tiles do is hidden."""
SMOOTH = 0.3
"""What is close to the lens is out of focus: a tile with less structure than this share of what is usual."""


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
        near = cv2.GaussianBlur(view, (9, 9), 1.2)
        fine = np.asarray(view - near, np.float32)
        coarse = np.asarray(near - cv2.GaussianBlur(near, (19, 19), 4.0), np.float32)
        return cls(fine, coarse, tile_means(fine * fine), tile_means(coarse * coarse), tile_means(view))


@dataclass(frozen=True)
class Comparison:
    """A view against the reference, over the tiles in which the reference has something to recognise."""

    same: float
    """Share of the tiles that show what they showed."""
    other: float
    """Share of the tiles that show something else."""
    hidden: float
    """Share of the tiles that have lost what they showed, and have little detail of their own instead."""
    likeness: float
    """Median correlation of the tiles, -1 to 1."""
    sharpness: float
    """How much of the reference's detail is left, against how much of its edges is: 1 when in focus."""
    smooth: float
    """Share of the tiles in which there is hardly anything to recognise, for the picture's brightness."""


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
    same, other = likeness > SAME, likeness < OTHER
    hidden = _is_hidden(reference, view, shared, known)
    return Comparison(
        same=float(same[known].mean()),
        other=float(other[known].mean()),
        hidden=float(hidden[known].mean()),
        likeness=float(np.median(likeness[known])),
        sharpness=_sharpness(reference, view, shared, known & (likeness > OTHER)),
        smooth=_smooth_share(reference, view, known),
    )


def _smooth_share(reference: Structure, view: Structure, known: NDArray[np.bool_]) -> float:
    usual = np.median(reference.coarse_power[known]) * _ratio(view.luma.mean(), reference.luma.mean()) ** 2
    return float(np.mean(view.coarse_power[known] < SMOOTH**2 * usual))


def _is_hidden(
    reference: Structure, view: Structure, shared: Tiles, known: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Tiles that have lost what they showed and their detail, for their brightness and against the best.

    For their brightness: where a lamp has gone out there is less light, but no less contrast. Against the
    best: fog takes the contrast everywhere.
    """
    brightness = np.maximum(view.luma, 4.0) / np.maximum(reference.luma, 4.0)
    contrast = shared / np.maximum(reference.coarse_power, 1e-3) / brightness
    detail = np.sqrt(view.fine_power / (reference.fine_power + 0.05)) / brightness
    hidden = (contrast < LOST * np.quantile(contrast[known], BEST)) & (
        detail < LOST_DETAIL * np.quantile(detail[known], BEST)
    )
    # What was dim and is dark now may only have less light.
    return np.asarray(hidden & ((view.luma > DIM) | (reference.luma > 2.5 * DIM)))


def _sharpness(reference: Structure, view: Structure, shared: Tiles, tiles: NDArray[np.bool_]) -> float:
    fine = tile_means(reference.fine * view.fine)[tiles].sum()
    left = _ratio(fine, reference.fine_power[tiles].sum())
    return _ratio(left, _ratio(shared[tiles].sum(), reference.coarse_power[tiles].sum()))


def _ratio(part: float, whole: float) -> float:
    return float(part) / max(float(whole), 1e-3)
