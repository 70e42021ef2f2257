"""Recordings made by the real recorder from real files, faster than they were taken."""

import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av

from ingest.attention import Attention, DecodePolicy
from ingest.packet_tap import PacketTap, TappedPacket
from ingest.recorder import Recorder
from ingest.sources import open_source
from safecity.camera import Camera
from safecity.settings import RecordingSettings
from tests.cameras import picture

BEGIN = datetime(2026, 3, 1, 12, 0, 0, 123457, UTC)


def encode(
    path: Path, frames: int, *, fps: int = 30, gop: int = 30, b_frames: int = 0, codec: str = "libx264"
) -> Path:
    """An MP4 file in which something moves."""
    options = {"preset": "ultrafast", "bf": str(b_frames), "x265-params": "log-level=none"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 320, 240, "yuv420p", gop
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(number), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def camera(source: Path, **more: object) -> Camera:
    settings = {"id": "gate", "source": source.as_uri(), "playback": "fast", "start_time": BEGIN}
    return Camera.model_validate({**settings, "recording": "continuous", **more})


def captures(of: Camera, tap: PacketTap | None = None) -> list[datetime]:
    """Event times of all pictures, as the source gives them."""
    source = open_source(of, (), 0.0, threading.Event(), Attention(DecodePolicy.FULL), tap)
    try:
        return [c.captured_at for c in source.captures() if c.picture is not None]
    finally:
        if tap is not None:
            tap.away("camera away")
        source.close()


def record(of: Camera, folder: Path, **settings: object) -> Recorder:
    """Record all of a file, without delay."""
    recorder = Recorder(of, folder, RecordingSettings.model_validate({"least_free_mb": 0, **settings}))
    captures(of, recorder)
    return recorder


class Collecting:
    """A tap that keeps what it gets."""

    def __init__(self) -> None:
        self.packets: list[TappedPacket] = []

    def take(self, tapped: TappedPacket) -> None:
        self.packets.append(tapped)

    def away(self, reason: str) -> None:
        pass


def payloads(paths: Iterable[Path]) -> list[bytes]:
    """Every packet of some files."""
    found = []
    for path in paths:
        with av.open(str(path)) as container:
            found += [bytes(packet) for packet in container.demux(video=0) if packet.size]
    return found
