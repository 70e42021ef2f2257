"""What the sizes of a stream's packets give away, learned for each camera, and whether that can be relied on.

An encoder that may spend what it needs makes large packets when something moves. One with a constant bit
rate does not, and its sizes say nothing. So the sizes are only a hint: its worth is measured while
everything is decoded, against what the motion gate sees in the pictures, and it is not listened to before it
has proved to be good.
"""

import math

LEARN = 0.02
"""Weight of one more packet in the running figures."""
DEVIATIONS = 5.0
LEAST_DEVIATION = 0.12
"""Of the logarithm (base 2) of a size: 9 %."""
ENOUGH_STILL = 100
ENOUGH_MOVING = 50
LEAST_HITS = 0.3
"""Share of the packets with motion that have to stand out: one of the first few then does."""
MOST_FALSE = 0.005
"""Share of the packets without motion that may stand out."""


class PacketSizes:
    """The sizes of one camera's packets between key frames."""

    def __init__(self) -> None:
        self._mean = 0.0
        self._variance = 0.0
        self._still = 0
        self._moving = 0
        self._hits = 0.0
        self._false = 0.0

    @property
    def trusted(self) -> bool:
        """Whether motion has been seen to show in the sizes, and stillness not to."""
        return (
            self._still >= ENOUGH_STILL
            and self._moving >= ENOUGH_MOVING
            and self._hits >= LEAST_HITS
            and self._false <= MOST_FALSE
        )

    def stands_out(self, size: int) -> bool:
        """Whether a packet of ``size`` bytes is larger than stillness explains."""
        deviation = max(math.sqrt(self._variance), LEAST_DEVIATION)
        return math.log2(size + 1) > self._mean + DEVIATIONS * deviation

    def learn(self, size: int, *, moving: bool) -> None:
        """A packet of ``size`` bytes came while the pictures did or did not show motion."""
        out = self._still >= ENOUGH_STILL and self.stands_out(size)
        if moving:
            self._moving += 1
            self._hits += max(LEARN, 1 / self._moving) * (out - self._hits)
            return
        self._still += 1
        weight = max(LEARN, 1 / self._still)
        self._false += weight * (out - self._false)
        surprise = math.log2(size + 1) - self._mean
        self._mean += weight * surprise
        self._variance += weight * (surprise * surprise - self._variance)
