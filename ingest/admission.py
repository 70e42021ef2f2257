"""Which camera is given how much of a shard's budget: at the start, under overload, and when there is room.

Pure: measured cost and time come as arguments. Under pressure the cameras of the lowest priority give
first, each a step in turn, down to the bottom of the ladder; only then does the next priority give
anything. When there is room, the highest priority gets back first, and no lower one before it has all that
fits. What a step up will cost is known from when the camera stood there, if that is not long ago. When a
step up had to be taken back soon, the next one waits, each time twice as long, so the shard comes to rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ingest.ladder import Cost, Setting
from ingest.pressure import SETTLING_SECONDS, Act, Pressure, Signal

LOWER_TO = 0.9
"""Of the budget: so far down is gone under overload, and so far up afterwards."""
ROOM_BELOW = 0.85
PRESSED_ABOVE = 0.5
"""Of the budget. A shard that is slow though it uses less is starved by others on its machine, and giving its
cameras less would not help it."""
RELAPSE_SECONDS = 120.0
"""Overload so soon after a step up means that it should not have been made."""
PROVEN_SECONDS = 600.0
"""A step up that lasted so long was right."""
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 15.0, 900.0
MEMORY_SECONDS = 60.0
"""So long a camera is taken to cost on a step what it did when it left it; scenes change."""
LEAST_COST = 0.002
"""Cores; who costs less than this (a camera that is away) has nothing to give."""
ASSUMED = Cost(decode=0.02, analysis=0.02)
"""Of a camera, before any was measured."""


@dataclass(frozen=True)
class Place:
    """A camera that may be given less."""

    camera_id: str
    priority: int
    ladder: tuple[Setting, ...]


@dataclass(frozen=True)
class Load:
    """What was measured."""

    overhead: float
    """Cores used beside the cameras."""
    costs: Mapping[str, Cost]
    """By camera, at its step of now, with what it would have used had no frame been overtaken."""
    away: frozenset[str] = frozenset()
    """Cameras that give nothing now: they neither have anything to give nor stand in others' way."""
    pressed: bool = False
    """Frames are overtaken or the analysis lags, whatever the figures say."""

    @property
    def use(self) -> float:
        """Cores wanted, all told."""
        return self.overhead + sum(cost.total for cost in self.costs.values())


@dataclass
class _Standing:
    place: Place
    rung: int = 0
    arrived_at: float = 0.0
    known: dict[int, tuple[float, float]] = field(default_factory=dict)
    """Cores by rung when the camera last left it, and when that was."""
    arrival_cost: float | None = None
    """Cores on the present rung, first measured after it came there."""

    @property
    def setting(self) -> Setting:
        return self.place.ladder[self.rung]


class Admission:
    """One shard's decisions.

    Args:
        places: the cameras.
        budget: cores.
        now: monotonic seconds.
    """

    def __init__(self, places: Sequence[Place], budget: float, now: float) -> None:
        self._budget = budget
        self._standing = {place.camera_id: _Standing(place) for place in places}
        self._open: set[str] = set()
        self._pressure = Pressure(now)
        self._raised_at = self._not_before = float("-inf")
        self._failures = 0

    def add(self, place: Place) -> None:
        """One more camera, not yet open."""
        self._standing[place.camera_id] = _Standing(place)

    def remove(self, camera_id: str) -> None:
        """A camera has gone."""
        self._standing.pop(camera_id, None)
        self._open.discard(camera_id)

    def setting(self, camera_id: str) -> Setting:
        """What a camera is given now."""
        return self._standing[camera_id].setting

    def admit(self, camera_id: str, load: Load, now: float) -> Setting:
        """Open a camera on the highest step that fits beside those that are open."""
        standing = self._standing[camera_id]
        guess = self._typical(load)
        unmeasured = sum(
            self._standing[other].setting.expected(guess, standing.place.ladder[0]).total
            for other in self._open - load.costs.keys()
        )
        free = LOWER_TO * self._budget - load.use - unmeasured
        ladder = standing.place.ladder
        fitting = (
            rung for rung, setting in enumerate(ladder) if setting.expected(guess, ladder[0]).total <= free
        )
        standing.rung = next(fitting, len(ladder) - 1)
        standing.arrived_at = now
        self._open.add(camera_id)
        return standing.setting

    def decide(self, load: Load, now: float) -> dict[str, Setting]:
        """What changes at ``now`` (monotonic seconds), by camera; mostly nothing."""
        for camera_id, cost in load.costs.items():
            standing = self._standing[camera_id]
            if standing.arrival_cost is None and now - standing.arrived_at >= SETTLING_SECONDS:
                standing.arrival_cost = cost.total
        act = self._pressure.feel(self._signal(load), now)
        before = {camera_id: standing.rung for camera_id, standing in self._standing.items()}
        if act is Act.LOWER:
            self._lower(load, now)
        elif act is Act.RAISE:
            self._raise(load, now)
        return {
            camera_id: standing.setting
            for camera_id, standing in self._standing.items()
            if standing.rung != before[camera_id]
        }

    def _signal(self, load: Load) -> Signal:
        if load.use > self._budget or (load.pressed and load.use > PRESSED_ABOVE * self._budget):
            return Signal.OVER
        return Signal.ROOM if load.use < ROOM_BELOW * self._budget else Signal.LEVEL

    def _lower(self, load: Load, now: float) -> None:
        self._take_back(now)
        goal = load.use - LOWER_TO * min(self._budget, load.use)
        saved = 0.0
        begun = {camera_id: standing.rung for camera_id, standing in self._standing.items()}
        while saved < goal or saved == 0.0:
            able = [
                standing
                for camera_id, standing in self._standing.items()
                if camera_id in load.costs
                and camera_id not in load.away
                and load.costs[camera_id].total > LEAST_COST
                and standing.rung + 1 < len(standing.place.ladder)
            ]
            if not able:
                break
            lowered = min(able, key=lambda s: (s.place.priority, s.rung, s.place.camera_id))
            at = lowered.place.ladder[begun[lowered.place.camera_id]]
            cost = load.costs[lowered.place.camera_id]
            was = lowered.setting.expected(cost, at).total
            lowered.rung += 1
            saved += was - lowered.setting.expected(cost, at).total
        for camera_id, rung in begun.items():
            if self._standing[camera_id].rung != rung:
                self._came_down(self._standing[camera_id], rung, load.costs[camera_id], now)

    def _take_back(self, now: float) -> None:
        stood = now - self._raised_at
        if stood < RELAPSE_SECONDS:
            self._failures += 1
        elif stood > PROVEN_SECONDS:
            self._failures = max(0, self._failures - 1)
        self._not_before = now + min(LONGEST_WAIT_SECONDS, self._back_off(FIRST_WAIT_SECONDS))

    def _back_off(self, seconds: float) -> float:
        """``seconds``, doubled with every step up that had to be taken back."""
        return float(seconds * 2**self._failures)

    def _came_down(self, standing: _Standing, begun: int, cost: Cost, now: float) -> None:
        standing.known[begun] = cost.total, now
        for rung in range(begun + 1, standing.rung):
            at = standing.place.ladder[begun]
            standing.known[rung] = standing.place.ladder[rung].expected(cost, at).total, now
        standing.arrived_at, standing.arrival_cost = now, None

    def _raise(self, load: Load, now: float) -> None:
        if now < self._not_before:
            return
        free = LOWER_TO * self._budget - load.use
        here = self._open - load.away
        below = [s for camera_id, s in self._standing.items() if s.rung > 0 and camera_id in here]
        stuck_at: int | None = None
        for standing in sorted(below, key=lambda s: (-s.place.priority, -s.rung, s.place.camera_id)):
            if stuck_at is not None and standing.place.priority < stuck_at:
                break
            cost = load.costs.get(standing.place.camera_id)
            if cost is None:
                continue
            rise = self._rise(standing, cost, load, now)
            if rise > free:
                stuck_at = standing.place.priority
                continue
            free -= rise
            standing.known[standing.rung] = cost.total, now
            standing.rung -= 1
            standing.arrived_at = self._raised_at = now
            standing.arrival_cost = None

    def _rise(self, standing: _Standing, cost: Cost, load: Load, now: float) -> float:
        """Cores that the next step up is likely to add."""
        upper, ladder = standing.rung - 1, standing.place.ladder
        known, known_at = standing.known.get(upper, (0.0, float("-inf")))
        if now - known_at > self._back_off(MEMORY_SECONDS):
            known_below = cost
            at = standing.setting
            if cost.analysis == 0.0:
                known_below, at = self._typical(load), ladder[0]
            return max(0.0, ladder[upper].expected(known_below, at).total - cost.total)
        if standing.arrival_cost and cost.analysis > 0.0:
            # The scene may have become busier or calmer since.
            known *= min(2.0, max(0.1, cost.total / standing.arrival_cost))
        return max(0.0, known - cost.total)

    def _typical(self, load: Load) -> Cost:
        """What a camera of this shard costs with all that it asks for."""
        full = [
            self._standing[camera_id].place.ladder[0].expected(cost, self._standing[camera_id].setting)
            for camera_id, cost in load.costs.items()
            if cost.analysis > 0.0
        ]
        if not full:
            return ASSUMED
        return Cost(sum(c.decode for c in full) / len(full), sum(c.analysis for c in full) / len(full))
