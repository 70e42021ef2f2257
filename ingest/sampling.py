"""Which frames of a stream are looked at: so many a second, at even distances in event time."""

import math

EDGE = 0.25


class Sampler:
    """Takes the first frame of each slot of ``1 / rate`` seconds of event time.

    Slots are counted from the epoch, not from the first frame, so a reader that starts anew takes the same.

    Args:
        rate: frames a second that are to be analysed.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._slot: int | None = None

    def takes(self, seconds: float) -> bool:
        """Whether the frame of event time ``seconds`` (s since the epoch) is looked at."""
        # Frames often fall on the slots' edges: shifted into the slot, a little jitter does not matter.
        slot = math.floor(seconds * self._rate + EDGE)
        taken, self._slot = slot != self._slot, slot
        return taken

    @property
    def slot(self) -> int:
        """Number of the slot of the newest frame, counted from the epoch; 0 before the first."""
        return self._slot or 0
