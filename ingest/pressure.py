"""When a shard gives its cameras less, and when more: a state machine with patience in both directions."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Signal(StrEnum):
    """What a shard's load looks like at one moment."""

    OVER = "over"
    """More than its budget is wanted, or frames are overtaken, or the analysis lags."""
    LEVEL = "level"
    ROOM = "room"
    """So far below its budget that somebody may be given more."""


class Mode(StrEnum):
    """What the shard makes of it."""

    STEADY = "steady"
    PRESSED = "pressed"
    ROOMY = "roomy"
    SETTLING = "settling"
    """Something was changed, and what came of it has to be measured first."""


class Act(StrEnum):
    """What is to be done."""

    LOWER = "lower"
    RAISE = "raise"


@dataclass(frozen=True)
class Turn:
    """A change of mode, once the mode before it has lasted for ``after`` seconds."""

    to: Mode
    after: float = 0.0
    act: Act | None = None


PRESSED_SECONDS = 3.0
ROOMY_SECONDS = 8.0
SETTLING_SECONDS = 5.0

_SETTLED = Turn(Mode.STEADY, SETTLING_SECONDS)
TABLE: Mapping[tuple[Mode, Signal], Turn] = {
    (Mode.STEADY, Signal.OVER): Turn(Mode.PRESSED),
    (Mode.STEADY, Signal.LEVEL): Turn(Mode.STEADY),
    (Mode.STEADY, Signal.ROOM): Turn(Mode.ROOMY),
    (Mode.PRESSED, Signal.OVER): Turn(Mode.SETTLING, PRESSED_SECONDS, Act.LOWER),
    (Mode.PRESSED, Signal.LEVEL): Turn(Mode.STEADY),
    (Mode.PRESSED, Signal.ROOM): Turn(Mode.STEADY),
    (Mode.ROOMY, Signal.OVER): Turn(Mode.PRESSED),
    (Mode.ROOMY, Signal.LEVEL): Turn(Mode.STEADY),
    (Mode.ROOMY, Signal.ROOM): Turn(Mode.SETTLING, ROOMY_SECONDS, Act.RAISE),
    (Mode.SETTLING, Signal.OVER): _SETTLED,
    (Mode.SETTLING, Signal.LEVEL): _SETTLED,
    (Mode.SETTLING, Signal.ROOM): _SETTLED,
}


class Pressure:
    """The state machine.

    Args:
        now: monotonic seconds.
    """

    def __init__(self, now: float) -> None:
        self.mode = Mode.STEADY
        self._since = now

    def feel(self, signal: Signal, now: float) -> Act | None:
        """What is to be done, if anything, when the load looks like this at ``now`` (monotonic seconds)."""
        turn = TABLE[self.mode, signal]
        if now - self._since < turn.after:
            return None
        if turn.to is not self.mode:
            self.mode, self._since = turn.to, now
        return turn.act
