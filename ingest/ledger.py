"""The ledger: what became of every frame of one camera."""

import threading
from collections import Counter
from enum import StrEnum

from safecity.status import LedgerCounts


class Outcome(StrEnum):
    """What can become of a frame. Each has exactly one."""

    ANALYSED = "analysed"
    STILL = "still"
    SAMPLED_OUT = "sampled_out"
    OVERWRITTEN = "overwritten"
    CORRUPT = "corrupt"
    SHED = "shed"


class Ledger:
    """Counts frames in and outcomes out; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._received = 0
        self._in_flight = 0
        self._outcomes: Counter[Outcome] = Counter()

    def received(self, frames: int = 1) -> None:
        """So many frames came; each of them needs an outcome."""
        with self._lock:
            self._received += frames
            self._in_flight += frames

    def settle(self, outcome: Outcome, frames: int = 1) -> None:
        """So many of the frames in flight came to this outcome.

        Raises:
            ValueError: fewer frames are in flight, so one would get a second outcome.
        """
        with self._lock:
            if frames > self._in_flight:
                raise ValueError(f"{frames} frames {outcome}, but only {self._in_flight} are in flight")
            self._in_flight -= frames
            self._outcomes[outcome] += frames

    def counts(self) -> LedgerCounts:
        """The counts, all of one moment."""
        with self._lock:
            outcomes = {outcome.value: self._outcomes[outcome] for outcome in Outcome}
            return LedgerCounts(received=self._received, in_flight=self._in_flight, **outcomes)
