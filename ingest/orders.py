"""What a supervisor tells its shards about cameras, and what they answer."""

from dataclasses import dataclass
from datetime import datetime

from safecity.camera import Camera


@dataclass(frozen=True)
class Take:
    """Open a camera."""

    camera: Camera
    epoch: int
    warm: bool = False
    """Its owner goes on until we are ready: look for a while before deciding anything."""

    @property
    def camera_id(self) -> str:
        """Whose."""
        return self.camera.id


@dataclass(frozen=True)
class Change:
    """Its configuration is another now."""

    camera: Camera

    @property
    def camera_id(self) -> str:
        """Whose."""
        return self.camera.id


@dataclass(frozen=True)
class End:
    """Somebody else decides on the camera's frames from the event time ``since`` on: close it then."""

    camera_id: str
    since: datetime


@dataclass(frozen=True)
class Drop:
    """Close the camera now."""

    camera_id: str


Order = Take | Change | End | Drop


@dataclass(frozen=True)
class Began:
    """Answer to :class:`Take`: frames come, and from the event time ``since`` on they are decided on."""

    camera_id: str
    epoch: int
    since: datetime
