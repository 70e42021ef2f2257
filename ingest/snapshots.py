"""Pictures that leave the edge: masked, people pixelated, JPEG."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from safecity.camera import Point

Picture = NDArray[np.uint8]

PIXELATE_BLOCKS = 9
"""Blocks along the longer side of a person: enough to see a posture, too few to see a face."""


class PrivacyMask:
    """Polygons that are painted black before anything looks at a picture.

    Args:
        polygons: corners x y, relative to the picture.
    """

    def __init__(self, polygons: Sequence[Sequence[Point]]) -> None:
        self._polygons = [np.array(polygon, dtype=np.float64) for polygon in polygons]

    def __bool__(self) -> bool:
        """Whether anything is masked."""
        return bool(self._polygons)

    def visible(self, size: tuple[int, int]) -> NDArray[np.bool_]:
        """What of a picture of ``size`` (width, height) is not painted: (height, width)."""
        return np.asarray(self.burn(np.full(size[::-1], 1, np.uint8)) > 0)

    def burn(self, picture: Picture) -> Picture:
        """``picture`` (h, w) or (h, w, 3), painted in place where it may be written, else a painted copy."""
        if not self._polygons:
            return picture
        if not picture.flags.writeable:
            picture = picture.copy()
        size = np.array([picture.shape[1], picture.shape[0]])
        corners = [np.rint(polygon * size).astype(np.int32) for polygon in self._polygons]
        cv2.fillPoly(picture, corners, (0, 0, 0))
        return picture


def pixelate(picture: Picture, boxes: Iterable[Sequence[float] | NDArray[np.floating]]) -> None:
    """Make the people in ``boxes`` (x1 y1 x2 y2, pixels) unrecognisable, in place. The rest stays sharp."""
    height, width = picture.shape[:2]
    for x1, y1, x2, y2 in boxes:
        # A detector's box may cut a shoulder or a head: take a little more.
        grow_x, grow_y = 0.08 * (x2 - x1), 0.06 * (y2 - y1)
        left, right = max(0, int(x1 - grow_x)), min(width, int(np.ceil(x2 + grow_x)))
        top, bottom = max(0, int(y1 - grow_y)), min(height, int(np.ceil(y2 + grow_y)))
        if right - left < 2 or bottom - top < 2:
            continue
        region = picture[top:bottom, left:right]
        scale = PIXELATE_BLOCKS / max(region.shape[:2])
        if scale >= 1:
            scale = 0.5
        small = cv2.resize(region, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        picture[top:bottom, left:right] = cv2.resize(
            small, (right - left, bottom - top), interpolation=cv2.INTER_NEAREST
        )


def encode_jpeg(picture: Picture, *, max_width: int = 1280, quality: int = 82) -> bytes:
    """``picture`` (h, w, 3) BGR as JPEG, at most ``max_width`` pixels wide."""
    height, width = picture.shape[:2]
    if width > max_width:
        size = (max_width, round(height * max_width / width))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    taken, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not taken:
        raise ValueError(f"a picture of shape {picture.shape} could not be encoded as JPEG")
    return bytes(encoded)
