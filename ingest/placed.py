"""A camera's record on the bus, as its worker sees it."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from safecity.bus.port import Record
from safecity.camera import Camera
from safecity.camera_record import CameraRecord
from safecity.settings import Site, parse_site


@dataclass(frozen=True)
class Placed:
    """A camera's record in a partition."""

    camera: Camera
    applied_at: datetime
    moved_at: float | None = None
    """Seconds since 1970, when it was moved here from another partition."""


def placed_of(record: Record, site: Site, *, moved: bool = False) -> Placed:
    """A camera's record as its worker sees it: references are filled in from this process's environment.

    Raises:
        ValidationError: no such message.
        SettingsError: a reference is to nothing, or something in the configuration is wrong.
    """
    read = CameraRecord.from_bytes(record.value or b"")
    document = {
        "timezone": site.timezone,
        "allowed_networks": list(site.allowed_networks),
        "cameras": [read.camera],
    }
    camera = parse_site(document, Path("/"), f"camera {read.camera_id}").cameras[0]
    moved_at = record.timestamp_ms / 1000 if moved else None
    return Placed(camera, read.applied_at, moved_at)
