"""What the detector and the tracker made of one frame."""

from collections.abc import Sequence
from dataclasses import dataclass

from detectors.tracking import Track
from ingest.snapshots import Picture


@dataclass(frozen=True)
class Seen:
    """What the detector and the tracker made of one frame."""

    tracks: Sequence[Track]
    picture: Picture | None = None
    """In colour, masked; None: nobody looked."""
