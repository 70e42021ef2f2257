"""How full a bounded store is, said at a few levels on its way up and once when it has room again. Pure."""

LEVELS = (0.5, 0.8, 0.95)
CLEAR = 0.4
"""Below it the next rise is told anew: what swings about a level is not told each time."""


class FillLevel:
    """Remembers what was said last."""

    def __init__(self) -> None:
        self._said = 0.0

    def rises_to(self, share: float) -> float | None:
        """The level that ``share`` (1 is full) has reached and that was not told yet."""
        reached = max((level for level in LEVELS if share >= level), default=0.0)
        if reached <= self._said:
            return None
        self._said = reached
        return reached

    def clears(self, share: float) -> bool:
        """Whether there is room again after a level was told; true once."""
        if share >= CLEAR or not self._said:
            return False
        self._said = 0.0
        return True
