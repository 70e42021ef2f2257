"""Pictures from files, for the measures."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import av.error
import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class FootageFrame:
    """A picture of a video."""

    number: int
    """From 1, as in MOT truths."""
    seconds: float
    """Event time since the video's first picture."""
    bgr: NDArray[np.uint8]
    """(h, w, 3)"""


def read_picture(path: Path) -> NDArray[np.uint8]:
    """A picture (h, w, 3), blue green red.

    Raises:
        ValueError: it is none.
        OSError: it cannot be read.
    """
    raw = np.frombuffer(path.read_bytes(), np.uint8)
    picture = cv2.imdecode(raw, cv2.IMREAD_COLOR) if len(raw) else None
    if picture is None:
        raise ValueError(f"{path}: not a picture that can be read")
    return np.asarray(picture, np.uint8)


def frame_rate(path: Path) -> float:
    """Frames a second of a video.

    Raises:
        ValueError: it is no video.
    """
    with _open(path) as container:
        rate = container.streams.video[0].average_rate
    if not rate:
        raise ValueError(f"{path}: its frame rate is unknown")
    return float(rate)


def frames(path: Path, last: int, wanted: Callable[[int], bool]) -> Iterator[FootageFrame]:
    """The frames that are ``wanted``, by number from 1, up to the ``last``.

    Raises:
        ValueError: it is no video, or it ends before the ``last`` frame.
    """
    number, rate, begin = 0, frame_rate(path), None
    with _open(path) as container:
        for frame in container.decode(video=0):
            number += 1
            seconds = (number - 1) / rate if frame.time is None else frame.time
            begin = seconds if begin is None else begin
            if wanted(number):
                yield FootageFrame(number, seconds - begin, np.asarray(frame.to_ndarray(format="bgr24")))
            if number == last:
                return
    raise ValueError(f"{path}: has {number} frames; the truth goes up to frame {last}")


def _open(path: Path) -> "av.container.InputContainer":
    try:
        container = av.open(str(path))
    except (av.error.FFmpegError, OSError) as error:
        raise ValueError(f"{path}: not a video that can be read: {error.strerror or error}") from None
    # FFmpeg draws a text as a video of a terminal.
    if not container.streams.video or container.format.name == "tty":
        container.close()
        raise ValueError(f"{path}: not a video that can be read: no pictures in it")
    return container
