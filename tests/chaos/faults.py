"""Which faults there are, and when a seed has them happen. Pure."""

import random
from dataclasses import dataclass
from enum import StrEnum

FIRST_AFTER = 3.0
GAPS = (1.0, 6.0)
"""Seconds between the beginnings of two faults; they may overlap."""


class Fault(StrEnum):
    """What is done to the city."""

    KILL_WORKER = "kill worker"
    FREEZE_WORKER = "freeze worker"
    SET_CLOCK = "set clock of worker"
    KILL_CENTRE = "kill centre"
    FREEZE_CENTRE = "freeze centre"
    KILL_BROKER = "kill broker"
    FREEZE_BROKER = "freeze broker"
    CUT_LINK = "cut link"
    FILL_DISK = "fill disk"
    REPEAT = "repeat messages"


LASTS: dict[Fault, tuple[float, float]] = {
    Fault.KILL_WORKER: (1.0, 9.0),
    Fault.FREEZE_WORKER: (1.0, 10.0),
    Fault.SET_CLOCK: (2.0, 12.0),
    Fault.KILL_CENTRE: (0.5, 6.0),
    Fault.FREEZE_CENTRE: (1.0, 8.0),
    Fault.KILL_BROKER: (0.5, 6.0),
    Fault.FREEZE_BROKER: (1.0, 8.0),
    Fault.CUT_LINK: (1.0, 8.0),
    Fault.FILL_DISK: (2.0, 8.0),
    Fault.REPEAT: (0.0, 0.0),
}
"""Seconds until it is mended, from and to."""
WRONG_BY = (5, 7200)
"""Seconds that a clock is set ahead or back by. A worker that starts meanwhile would have no way to tell, so
none is killed while its clock is wrong."""
AWAY = frozenset({Fault.KILL_BROKER, Fault.FREEZE_BROKER, Fault.CUT_LINK})
"""While one of these lasts no worker can take over from another."""
DOWN = frozenset({Fault.KILL_WORKER, Fault.FREEZE_WORKER})
"""While one of these lasts this worker can take over from nobody."""


@dataclass(frozen=True, order=True)
class Strike:
    """One fault."""

    at: float
    """Seconds after the city had settled."""
    fault: Fault
    target: int
    """Which worker, where it is one's."""
    lasts: float
    """Seconds until it is mended."""


def plan(seed: int, seconds: float, workers: int) -> list[Strike]:
    """The faults of a seed, in order of their beginning; the same ones every time."""
    dice = random.Random(seed)
    strikes, at = [], FIRST_AFTER
    busy: dict[tuple[str, int], float] = {}
    while at < seconds:
        fault = dice.choice(list(Fault))
        target = dice.randrange(workers) if "worker" in fault or fault is Fault.FILL_DISK else 0
        lasts = round(dice.uniform(*LASTS[fault]), 2)
        part = fault.split()[-1], target
        if busy.get(part, 0.0) <= at:
            busy[part] = at + lasts + 1.0
            strikes.append(Strike(round(at, 2), fault, target, lasts))
        at += dice.uniform(*GAPS)
    return strikes
