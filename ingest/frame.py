"""Frame: one decoded picture of a camera. It never leaves the edge."""

import threading
from datetime import datetime
from typing import Self

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

Plane = NDArray[np.uint8]

MOST_CONVERTERS = 16
"""Kinds of picture that a thread keeps a converter for."""

_PLANAR_LUMA = frozenset(
    {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "gray"}
)


class Frame:
    """A picture, its place in the stream and its times.

    Args:
        camera_id: whose picture it is.
        index: 0 for the first frame of the stream since the worker began with it.
        captured_at: event time, UTC.
        received_at: wall clock of the worker, UTC.
        picture: as the decoder gave it.
        clock_error: its time by the camera's clock less the time of its arrival, seconds; None when the
            stream has no clock of its own.
    """

    __slots__ = (
        "_picture",
        "camera_id",
        "captured_at",
        "clock_error",
        "height",
        "index",
        "received_at",
        "width",
    )

    def __init__(
        self,
        camera_id: str,
        index: int,
        captured_at: datetime,
        received_at: datetime,
        picture: VideoFrame,
        clock_error: float | None = None,
    ) -> None:
        self.camera_id = camera_id
        self.index = index
        self.captured_at = captured_at
        self.received_at = received_at
        self.width = picture.width
        self.height = picture.height
        self.clock_error = clock_error
        self._picture = picture

    @classmethod
    def from_bgr(
        cls, camera_id: str, index: int, captured_at: datetime, received_at: datetime, bgr: Plane
    ) -> Self:
        """A frame of a picture (h, w, 3), blue green red."""
        return cls(camera_id, index, captured_at, received_at, VideoFrame.from_ndarray(bgr, format="bgr24"))

    def luma(self) -> Plane:
        """Brightness, (h, w), read-only; see :func:`luma_of`."""
        return luma_of(self._picture)

    def bgr(self) -> Plane:
        """The picture in colour, (h, w, 3), blue green red; a copy of the caller's own."""
        return bgr_of(self._picture)


class _Converters(threading.local):
    """Of this thread, one for each kind of picture: making one costs more than converting a picture."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, int, int], VideoReformatter] = {}

    def of(self, picture: VideoFrame) -> VideoReformatter:
        kind = picture.format.name, picture.width, picture.height
        if kind not in self.known:
            if len(self.known) >= MOST_CONVERTERS:
                self.known.clear()
            self.known[kind] = VideoReformatter()
        return self.known[kind]


_converters = _Converters()


def bgr_of(picture: VideoFrame) -> Plane:
    """The picture in colour, (h, w, 3), blue green red; a copy of the caller's own."""
    coloured = _converters.of(picture).reformat(picture, format="bgr24", threads=1)
    return np.asarray(coloured.to_ndarray(), np.uint8)


def luma_of(picture: VideoFrame) -> Plane:
    """Brightness, (h, w), read-only: the decoder's own plane where it has one, which costs nothing.

    It is read-only because the decoder may still predict the next pictures from it.
    """
    if picture.format.name not in _PLANAR_LUMA:
        gray = np.asarray(picture.to_ndarray(format="gray"), np.uint8)
        gray.setflags(write=False)
        return gray
    plane = picture.planes[0]
    rows: Plane = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    view = rows[: picture.height, : picture.width]
    view.setflags(write=False)
    return view
