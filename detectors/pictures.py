"""Pictures out of what a user has: a video, a folder of photographs, one photograph."""

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

PHOTOGRAPHS = frozenset((".bmp", ".jpeg", ".jpg", ".png", ".webp"))


def sample(path: Path, most: int) -> list[NDArray[np.uint8]]:
    """Up to ``most`` pictures (h, w, 3) BGR, evenly spread over a video or a folder, in order.

    Raises:
        ValueError: there is none, or one cannot be read.
    """
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() in PHOTOGRAPHS)
        pictures = [_photograph(files[k]) for k in _spread(len(files), most)]
    elif path.suffix.lower() in PHOTOGRAPHS:
        pictures = [_photograph(path)]
    else:
        pictures = _frames(path, most)
    if not pictures:
        raise ValueError(f"{path}: holds no pictures; want a video or a folder of .jpg or .png files")
    return pictures


def _spread(count: int, most: int) -> list[int]:
    """Up to ``most`` indices below ``count``, as far from each other as can be."""
    wanted = min(count, most)
    return [k * count // wanted for k in range(wanted)]


def _photograph(path: Path) -> NDArray[np.uint8]:
    if not path.is_file():
        raise ValueError(f"{path}: is not there")
    picture = cv2.imread(str(path))
    if picture is None:
        raise ValueError(f"{path}: is no picture that can be read")
    return np.asarray(picture, np.uint8)


def _frames(path: Path, most: int) -> list[NDArray[np.uint8]]:
    # Counted first: a container's own number of frames is often missing or wrong.
    if not path.is_file():
        raise ValueError(f"{path}: is not there")
    wanted = set(_spread(sum(1 for _ in _decoded(path)), most))
    return [
        np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
        for index, frame in enumerate(_decoded(path))
        if index in wanted
    ]


def _decoded(path: Path) -> Iterator[av.VideoFrame]:
    try:
        with av.open(str(path), options={"protocol_whitelist": "file"}) as container:
            if not container.streams.video:
                raise ValueError(f"{path}: has no pictures")
            yield from container.decode(video=0)
    except av.FFmpegError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from None
