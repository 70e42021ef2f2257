"""This machine's wall clock without its jumps.

A clock is set by hand, by a time server after hours without a network, or by a virtual machine that goes on;
often it is set back within seconds. Event times, and what is deleted for its age, do not follow such a jump
at once: only what lasts is believed.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

STEP_SECONDS = 1.0
"""A time server moves a clock that is less than this from the right time little by little, or by so little
that nobody minds (ntpd steps from 0.128 s on, chronyd as ``makestep`` says)."""
BELIEVE_SECONDS = 30.0
"""A jump that has lasted so long is the new time."""

_log = structlog.get_logger()


class SteadyClock:
    """Wall time that the monotonic clock carries over jumps. May be asked by any thread.

    Args:
        wall: seconds since 1970; may jump.
        monotonic: seconds since whenever; does not.
    """

    def __init__(
        self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._lock = threading.Lock()
        self._offset = wall() - monotonic()
        self._jumped_at: float | None = None

    def time(self) -> float:
        """Seconds since 1970."""
        with self._lock:
            since_start = self._monotonic()
            jump = self._wall() - since_start - self._offset
            if abs(jump) <= STEP_SECONDS:
                self._jumped_at = None
                self._offset += jump
            elif self._jumped_at is None:
                self._jumped_at = since_start
                _log.warning("this machine's clock has jumped; believed if it lasts", seconds=round(jump, 1))
            elif since_start - self._jumped_at >= BELIEVE_SECONDS:
                self._jumped_at = None
                self._offset += jump
                _log.warning("this machine's clock was set, and is followed", seconds=round(jump, 1))
            return since_start + self._offset

    def now(self) -> datetime:
        """The same, UTC."""
        return datetime.fromtimestamp(self.time(), UTC)


STEADY = SteadyClock()
"""The one of this process."""
