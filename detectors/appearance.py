"""What colours an object wears: a cue to who is who after two have met.

Histograms of lightness and of the two colour axes (CIE Lab), of the upper and of the lower half of the middle
of the box. Nothing in it tells two people in the same clothes apart; it never leaves the tracker, and is
forgotten with the track.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

BINS = 12
SIDES = 0.2
"""Share of the width that is left out at each side: it is mostly background."""
PARTS = ((0.15, 0.5), (0.5, 0.85))
"""Shares of the height: torso and legs."""
SAMPLES = (8, 12)
"""A part is brought to so many pixels, across and down: its colours need no more."""
SMOOTH = np.array([0.25, 0.5, 0.25], np.float32)
SPREAD = 3
"""Clothes use the middle third of the colour axes: the bins are for that."""
SIZE = 3 * BINS * len(PARTS)
"""Numbers of a description."""


def describe(
    bgr: NDArray[np.uint8], xyxy: NDArray[np.floating], which: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """The colours of boxes, (n, SIZE); the dot product of two is their likeness, 0 to 1.

    Args:
        bgr: the picture (h, w, 3).
        xyxy: (n, 4) pixels.
        which: (n,) those that are of interest; the others are described by zeros, which is unknown.
    """
    described = np.zeros((len(xyxy), SIZE), np.float32)
    chosen = np.flatnonzero(which)
    if len(chosen):
        parts = [part for box in xyxy[chosen].tolist() for part in _parts(bgr, box)]
        lab = cv2.cvtColor(np.concatenate(parts), cv2.COLOR_BGR2LAB)
        described[chosen] = _histograms(np.asarray(lab, np.uint8).reshape(len(chosen), len(PARTS), -1, 3))
    return described


def _parts(bgr: NDArray[np.uint8], box: list[float]) -> list[NDArray[np.uint8]]:
    """Torso and legs, each brought to SAMPLES."""
    x1, y1, x2, y2 = box
    height, width = bgr.shape[:2]
    margin = (x2 - x1) * SIDES
    left = min(max(int(x1 + margin), 0), width - 1)
    right = max(left + 1, min(int(x2 - margin) + 1, width))
    parts = []
    for begin, end in PARTS:
        top = min(max(int(y1 + begin * (y2 - y1)), 0), height - 1)
        bottom = max(top + 1, min(int(y1 + end * (y2 - y1)) + 1, height))
        crop = bgr[top:bottom, left:right]
        parts.append(np.asarray(cv2.resize(crop, SAMPLES, interpolation=cv2.INTER_AREA), np.uint8))
    return parts


def _histograms(lab: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(n, SIZE) roots of the shares of the bins, of pixels (n, parts, pixels, 3)."""
    pixels = lab.astype(np.int32)
    pixels[..., 1:] = np.clip((pixels[..., 1:] - 128) * SPREAD + 128, 0, 255)
    rows = np.arange(len(lab) * len(PARTS) * 3).reshape(len(lab), len(PARTS), 1, 3)
    places = (pixels * BINS >> 8) + rows * BINS
    counts = np.bincount(places.ravel(), minlength=len(lab) * SIZE).reshape(-1, BINS).astype(np.float32)
    padded = np.pad(counts, ((0, 0), (1, 1)), mode="edge")
    smooth = SMOOTH[0] * padded[:, :-2] + SMOOTH[1] * counts + SMOOTH[2] * padded[:, 2:]
    described = smooth.reshape(len(lab), SIZE)
    shares: NDArray[np.float32] = np.sqrt(described / described.sum(axis=1, keepdims=True))
    return shares
