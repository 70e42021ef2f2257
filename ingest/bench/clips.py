"""Clips as cameras send them, made from the shipped footage: real people, a still street, a sensor's noise.

The footage (768x576, 10 pictures a second) is cut to 16:9, scaled, brought to 25 pictures a second by
blending neighbours, and given noise that changes with every picture, so that an encoder has something to
spend its bits on. Where nothing is to move, its median picture stands in.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from safecity.demo.scenes import FOOTAGE

Picture = NDArray[np.uint8]
Activity = Literal["busy", "active", "static"]

RECIPE = 1
"""Rises when the same clip would be made otherwise, so that none of the old ones is used."""
RATE = 25
SOURCE_RATE = 10
GOP = 50
NOISE = 2.0
"""Standard deviation of the sensor's noise, grey levels."""
GRAIN_SHIFTS = 64
"""The same grain, shifted anew by up to so many pixels for each picture."""
BURST_SECONDS = 3.0
ACTIVE_SHARE = 0.1
STARTS = (3.0, 40.0, 18.0, 55.0, 28.0, 66.0)
"""Seconds into the footage at which the bursts of an active clip begin."""
BITRATES = {
    ("main", "h264"): 2_000_000,
    ("main", "hevc"): 1_200_000,
    ("sub", "h264"): 512_000,
    ("sub", "hevc"): 300_000,
}
SIZES = {"main": (1280, 720), "sub": (640, 360)}


@dataclass(frozen=True)
class Clip:
    """What a clip shows and how it is encoded."""

    activity: Activity
    stream: Literal["main", "sub"] = "main"
    codec: Literal["h264", "hevc"] = "h264"
    rate: Literal["cbr", "vbr"] = "cbr"
    seconds: int = 60

    @property
    def name(self) -> str:
        """As tables show it."""
        return f"{self.activity} {self.rate} {self.codec}"

    @property
    def file_name(self) -> str:
        """Unique to what is in it."""
        return f"{self.stream}-{self.activity}-{self.codec}-{self.rate}-{self.seconds}.mp4"

    @property
    def frames(self) -> int:
        """How many pictures it has."""
        return self.seconds * RATE

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""
        return SIZES[self.stream]


def make_clip(clip: Clip, folder: Path) -> Path:
    """The clip as a file of ``folder``, made unless it is there."""
    target = folder / clip.file_name
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(f".{os.getpid()}.part")
    with av.open(str(unfinished), "w", format="mp4") as container:
        encoder = "libx264" if clip.codec == "h264" else "libx265"
        stream = container.add_stream(encoder, rate=RATE, options=_options(clip))
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = clip.size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        for index, picture in enumerate(_pictures(clip)):
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    unfinished.rename(target)
    return target


def _options(clip: Clip) -> dict[str, str]:
    """As a camera encodes: no look-ahead, one reference, one slice, key frames at a fixed distance."""
    kilobits = BITRATES[clip.stream, clip.codec] // 1000
    keys = f"keyint={GOP}:min-keyint={GOP}:scenecut=0:bframes=0:ref=1"
    if clip.rate == "cbr":
        keys += f":bitrate={kilobits}:vbv-maxrate={kilobits}:vbv-bufsize={kilobits}"
    else:
        keys += f":crf=24:vbv-maxrate={2 * kilobits}:vbv-bufsize={2 * kilobits}"
    if clip.codec == "h264":
        return {"preset": "veryfast", "tune": "zerolatency", "x264-params": f"{keys}:sliced-threads=0"}
    return {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "x265-params": f"{keys}:pools=none:frame-threads=1:log-level=none",
    }


def _pictures(clip: Clip) -> Iterator[Picture]:
    """Planes as FFmpeg's yuv420p has them, ``(height * 3 / 2, width)``."""
    street = _street(clip.size)
    still = np.asarray(np.median(street[::40], axis=0), np.uint8)
    generator = np.random.default_rng(1)
    width, height = clip.size
    grain = np.rint(generator.normal(0, NOISE, (height + GRAIN_SHIFTS, width + GRAIN_SHIFTS))).astype(
        np.int16
    )
    for index in range(clip.frames):
        second = _source_second(clip, index / RATE)
        picture = still.copy() if second is None else _at(street, second)
        y, x = generator.integers(0, GRAIN_SHIFTS, 2)
        luma = picture[:height]
        cv2.add(luma, grain[y : y + height, x : x + width], dst=luma, dtype=cv2.CV_8U)
        yield picture


def _source_second(clip: Clip, second: float) -> float | None:
    """Where in the footage the clip is; None where it is still."""
    if clip.activity == "busy":
        return second % 78.0
    if clip.activity == "static":
        return None
    number, into = divmod(second, BURST_SECONDS / ACTIVE_SHARE)
    begin = first_burst(clip)
    if not begin <= into < begin + BURST_SECONDS:
        return None
    return STARTS[int(number) % len(STARTS)] + into - begin


def first_burst(clip: Clip) -> float:
    """The second at which something begins to move, if anything does."""
    return (BURST_SECONDS / ACTIVE_SHARE - BURST_SECONDS) / 2 if clip.activity == "active" else 0.0


def _street(size: tuple[int, int]) -> list[Picture]:
    pictures = []
    with av.open(str(FOOTAGE)) as container:
        for frame in container.decode(video=0):
            whole = frame.to_ndarray(format="bgr24")
            height = whole.shape[1] * 9 // 16
            top = (whole.shape[0] - height) // 2
            scaled = cv2.resize(whole[top : top + height], size, interpolation=cv2.INTER_CUBIC)
            pictures.append(np.asarray(cv2.cvtColor(scaled, cv2.COLOR_BGR2YUV_I420), np.uint8))
    return pictures


def _at(street: list[Picture], second: float) -> Picture:
    first, share = divmod(second * SOURCE_RATE, 1.0)
    before, after = street[int(first)], street[int(first) + 1]
    return np.asarray(cv2.addWeighted(before, 1 - share, after, share, 0), np.uint8)
