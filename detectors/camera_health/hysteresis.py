"""When evidence has lasted long enough to say so, and when its absence has."""

LONGEST_STEP = 15.0
"""Seconds between two readings; over a longer gap (the camera was away) nothing is known."""
FORGET = 2.0
"""What speaks against a fault weighs so much more than what speaks for it."""


class Hysteresis:
    """One fault of one camera, over event time.

    Args:
        raise_seconds: evidence for so long raises the fault.
        clear_seconds: no evidence for so long clears it.
    """

    def __init__(self, raise_seconds: float, clear_seconds: float) -> None:
        self._raise_seconds = raise_seconds
        self._clear_seconds = clear_seconds
        self._last: float | None = None
        self._evidence = self._calm = 0.0
        self.active = False
        self.since = 0.0
        """Event time at which the evidence for the fault began."""

    def update(self, bad: bool | None, seconds: float) -> bool:
        """Take a reading at event time ``seconds``; whether the fault was raised or cleared by it.

        Args:
            bad: whether it speaks for the fault; None when nothing can be said.
            seconds: event time.
        """
        last, self._last = self._last, seconds
        elapsed = 0.0 if last is None else seconds - last
        if bad is None or not 0.0 <= elapsed <= LONGEST_STEP:
            return False
        if self.active:
            return self._while_active(bad, elapsed)
        if not bad:
            self._evidence = max(0.0, self._evidence - FORGET * elapsed)
            return False
        return self._while_suspected(seconds, elapsed)

    def _while_suspected(self, seconds: float, elapsed: float) -> bool:
        if self._evidence == 0.0:
            self.since = seconds - elapsed
        self._evidence += elapsed
        if self._evidence < self._raise_seconds:
            return False
        self.active, self._calm = True, 0.0
        return True

    def _while_active(self, bad: bool, elapsed: float) -> bool:
        self._calm = 0.0 if bad else self._calm + elapsed
        if self._calm < self._clear_seconds:
            return False
        self.active, self._evidence = False, 0.0
        return True
