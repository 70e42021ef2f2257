"""What the analysis of a camera tells its reader: is anything going on, and how much may decoding cost."""

from enum import StrEnum


class DecodePolicy(StrEnum):
    """Which packets of a stream are decoded."""

    FULL = "full"
    """Every one."""
    ON_DEMAND = "on_demand"
    """While nothing moves only key frames; what lies between two that differ is decoded after all."""
    KEY_FRAMES = "key_frames"
    """Only key frames: a picture every second or two, at a tenth of the cost."""
    NONE = "none"
    """Nothing; the packets themselves are given on."""


class Attention:
    """Shared by a camera's reader and its analysis; each field is written by one side only.

    Args:
        policy: how decoding begins.
    """

    def __init__(self, policy: DecodePolicy = DecodePolicy.FULL) -> None:
        self.policy = policy
        self._still_seconds = 0.0
        self._last_motion: float | None = None

    @property
    def still_seconds(self) -> float:
        """Event time from the last motion to the newest analysed picture; 0 while something moves."""
        return self._still_seconds

    def saw(self, seconds: float, *, moving: bool) -> None:
        """A picture of event time ``seconds`` was analysed."""
        if moving or self._last_motion is None or seconds < self._last_motion:
            self._last_motion = seconds
        self._still_seconds = seconds - self._last_motion
