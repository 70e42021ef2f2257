"""How long to wait before a camera is tried again."""

import random


class Backoff:
    """Waits that double, with jitter, so that cameras behind one cut do not all come back at once.

    Args:
        shortest: seconds before the first new attempt.
        longest: no wait is longer.
        source: of the jitter.
    """

    def __init__(
        self, shortest: float = 0.5, longest: float = 5.0, source: random.Random | None = None
    ) -> None:
        self._shortest = shortest
        self._longest = longest
        self._random = source or random.Random()
        self._failures = 0

    def next_wait(self) -> float:
        """Seconds to wait now; half of them to all of them, by chance."""
        full = min(self._longest, self._shortest * 2 ** min(self._failures, 30))
        self._failures += 1
        return self._random.uniform(full / 2, full)

    def reset(self) -> None:
        """It worked: the next wait is a short one again."""
        self._failures = 0
