"""Trying cameras: does each give a picture, and how fast?"""

import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from ingest.attention import Attention
from ingest.sources import open_source
from ingest.sources.base import SourceError
from safecity.camera import Camera
from safecity.redaction import redact

AT_ONCE = 16
RATE_FRAMES = 12
"""So many pictures are read to find the rate of a camera that does not say it."""


@dataclass(frozen=True)
class CameraCheck:
    """What came of trying one camera."""

    camera_id: str
    ok: bool
    stream: str = "source"
    """Which of its streams was tried: source or substream."""
    reason: str | None = None
    width: int | None = None
    height: int | None = None
    codec: str | None = None
    fps: float | None = None
    seconds_to_first_frame: float | None = None


def try_cameras(
    cameras: Iterable[Camera], allowed_networks: Sequence[str], timeout: float
) -> list[CameraCheck]:
    """Open each stream of each camera and wait up to ``timeout`` seconds for its first picture; some at a
    time."""
    streams = [each for camera in cameras for each in camera.by_stream().items()]
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="check") as pool:
        return list(pool.map(lambda each: _try(each[0], each[1], allowed_networks, timeout), streams))


def _try(stream: str, camera: Camera, allowed_networks: Sequence[str], timeout: float) -> CameraCheck:
    begin = time.monotonic()
    # A recording is looked at as fast as it can be read, whatever its playback.
    camera = camera.model_copy(update={"playback": "fast"})
    try:
        source = open_source(camera, allowed_networks, timeout, threading.Event(), Attention())
    except SourceError as error:
        return CameraCheck(camera.id, ok=False, stream=stream, reason=redact(error))
    try:
        captures = (capture for capture in source.captures() if capture.picture is not None)
        first = next(captures, None)
        first_after = time.monotonic() - begin
        if first is None or first.picture is None:
            return CameraCheck(camera.id, ok=False, stream=stream, reason="it opened, but no picture came")
        times = [first.captured_at, *(more.captured_at for more in islice(captures, RATE_FRAMES))]
    except SourceError as error:
        return CameraCheck(camera.id, ok=False, stream=stream, reason=redact(error))
    finally:
        source.close()
    span = (times[-1] - times[0]).total_seconds()
    return CameraCheck(
        camera.id,
        ok=True,
        stream=stream,
        width=first.picture.width,
        height=first.picture.height,
        codec=source.codec,
        fps=round((len(times) - 1) / span, 2) if span > 0 else None,
        seconds_to_first_frame=round(first_after, 3),
    )
