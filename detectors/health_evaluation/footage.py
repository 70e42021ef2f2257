"""The shipped footage, a little wider than the camera's picture, so that the camera can be turned in it."""

from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

import safecity
from detectors.health_evaluation.optics import Luma

STREET = Path(safecity.__file__).parent / "demo" / "footage" / "street.mp4"
RATE = 5
"""Pictures a second that are looked at."""
SIZE = (720, 540)
"""The camera's picture is 640 x 360 out of the middle of it."""


@dataclass(frozen=True)
class Footage:
    """A street by day, over and over again."""

    visible: tuple[Luma, ...]
    infrared: tuple[Luma, ...]
    """The same as a camera without its infrared filter sees it: other things are bright."""
    still: Luma
    """With nobody in it."""

    def at(self, seconds: float, *, infrared: bool) -> Luma:
        """The picture (540, 720) of that time."""
        pictures = self.infrared if infrared else self.visible
        return pictures[round(seconds * RATE) % len(pictures)]


def read_footage(path: Path = STREET) -> Footage:
    """Footage of a fixed camera, 5 pictures a second.

    Raises:
        ValueError: it cannot be read.
    """
    visible, infrared = [], []
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            step = max(1, round(float(stream.average_rate or RATE) / RATE))
            for index, frame in enumerate(container.decode(stream)):
                if index % step == 0:
                    picture = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
                    visible.append(_shrunk(np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)))
                    infrared.append(_shrunk(_without_filter(picture)))
    except (av.error.FFmpegError, IndexError) as error:
        raise ValueError(f"{path}: {error}") from None
    still = np.median(np.stack(visible[:: max(1, len(visible) // 31)]), axis=0).astype(np.uint8)
    return Footage(tuple(visible), tuple(infrared), still)


def _without_filter(bgr: NDArray[np.uint8]) -> Luma:
    """Red and green count, blue counts against: what is green by day is bright in the near infrared."""
    weights = np.array([[-0.7, 0.3, 1.4]], np.float32)
    return np.asarray(cv2.transform(bgr, weights), np.uint8).reshape(bgr.shape[:2])


def _shrunk(luma: Luma) -> Luma:
    return np.asarray(cv2.resize(luma, SIZE, interpolation=cv2.INTER_AREA), np.uint8)
