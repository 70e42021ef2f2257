"""The footage as camera health sees it."""

from functools import cache

import cv2

from detectors.health_evaluation.footage import Footage, read_footage
from detectors.health_evaluation.optics import SMALL, Aim, Light, noisy


@cache
def footage() -> Footage:
    return read_footage()


def clean(picture):
    return cv2.resize(picture, SMALL, interpolation=cv2.INTER_AREA)


def small_of(seconds, *, aim=Aim(), lens=None, light=Light(), noise=1.0, infrared=False, size=SMALL):  # noqa: B008
    """The picture of that time (180, 320), or at the camera's own size when ``size`` is None."""
    picture = aim.view(footage().at(seconds, infrared=infrared))
    if lens is not None:
        picture = lens(picture, seconds)
    picture = noisy(light.expose(picture), noise, seconds)
    return picture if size is None else clean(picture)
