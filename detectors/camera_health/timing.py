"""Wrong clock and low frame rate: what the stream tells beside the pictures."""

from collections import deque

WINDOW_SECONDS = 10.0
GAP_SECONDS = 5.0
"""No frame for so long: the stream was away, which is another matter than a slow one."""
LEARN_SECONDS = 30.0
FORGET_SECONDS = 3600.0
"""A camera that is slower for good is accepted in the end."""


class FrameRate:
    """The rate at which a stream's frames come, and the rate that they used to come at.

    Args:
        expected: frames a second that are promised; learned from the stream when None.
    """

    def __init__(self, expected: float | None) -> None:
        self._is_promised = expected is not None
        self._learned_for = 0.0
        self._seen: deque[tuple[float, int]] = deque()
        self.expected = expected
        """Frames a second; None while it is not known."""
        self.measured: float | None = None
        """Frames a second over the last ten seconds; None while it is not known."""

    def update(self, frame_index: int, seconds: float) -> None:
        """A frame with the number ``frame_index`` in its stream, at event time ``seconds``."""
        seen = self._seen
        elapsed = seconds - seen[-1][0] if seen else 0.0
        if not 0.0 <= elapsed <= GAP_SECONDS:
            seen.clear()
        seen.append((seconds, frame_index))
        while seconds - seen[0][0] > WINDOW_SECONDS:
            seen.popleft()
        span = seconds - seen[0][0]
        self.measured = (frame_index - seen[0][1]) / span if span > 0.7 * WINDOW_SECONDS else None
        if self.measured is not None and not self._is_promised:
            self._learn(self.measured, elapsed)

    def _learn(self, measured: float, elapsed: float) -> None:
        if self.expected is None:
            self._learned_for += elapsed
            if self._learned_for > LEARN_SECONDS:
                self.expected = measured
            return
        time_constant = LEARN_SECONDS if measured > self.expected else FORGET_SECONDS
        self.expected += (measured - self.expected) * min(1.0, elapsed / time_constant)


class ClockError:
    """How far the camera's clock is from ours, without the delay on the way.

    A picture that is late makes its clock look slow, never fast: of several, the earliest tells the truth.
    """

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque()

    def update(self, error: float | None, seconds: float) -> None:
        """Take the next picture's.

        Args:
            error: the picture's time by the camera's clock less the time of its arrival, seconds; None when
                it has none.
            seconds: event time.
        """
        seen = self._seen
        if error is None:
            seen.clear()
            return
        seen.append((seconds, error))
        while len(seen) > 1 and not 0.0 <= seconds - seen[0][0] <= WINDOW_SECONDS:
            seen.popleft()

    @property
    def seconds(self) -> float | None:
        """The error over the last few seconds, + when the camera is ahead; None when it has no clock."""
        return max((error for _, error in self._seen), default=None)
