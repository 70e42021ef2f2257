"""What every source of pictures gives, whatever it reads from."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from av.video.frame import VideoFrame

from ingest.decoder import VideoPacket
from ingest.ledger import Outcome


class SourceError(Exception):
    """The camera gives no pictures; the message says why, for people and without secrets."""


@dataclass(frozen=True)
class Capture:
    """One picture as it came, or the place of one that could not be decoded."""

    picture: VideoFrame | None
    """None: it was not decoded, or could not be, or only in part."""
    captured_at: datetime
    """Event time, UTC."""
    received_at: datetime
    """Wall clock, UTC."""
    unseen: Outcome | None = None
    """Why it was not decoded; None: it was."""
    late: bool = False
    """Decoded only when later ones had shown that something happened."""
    packet: "VideoPacket | None" = None
    """What came, where nothing is to be decoded."""
    clock_error: float | None = None
    """Its time by the camera's clock less the time of its arrival, seconds; None: the stream has no clock."""


class Source(Protocol):
    """An open way to one camera's pictures."""

    codec: str
    """Of the stream, in FFmpeg's terms: h264, hevc, mjpeg …"""

    def captures(self) -> Iterator[Capture]:
        """Everything that comes, in order, until the recording is over; a live camera is never over.

        Raises:
            SourceError: the camera went away, hangs, or sends what is no picture.
        """
        ...

    def close(self) -> None:
        """Let go of the camera."""
        ...
