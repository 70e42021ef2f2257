"""What cameras cost, measured: CPU seconds that have been used so far become smoothed cores."""

from collections.abc import Mapping
from dataclasses import dataclass

from ingest.admission import Load
from ingest.ladder import Cost

SMOOTHING_SECONDS = 5.0
MEASURED_SECONDS = 3.0
"""Of a stream that runs; before that its cost is not known."""
MOST_OVERTAKEN = 0.1
"""Share of the frames offered to the analysis that may be overtaken by newer ones."""
BUSY_SHARE = 0.7
"""Of its time the analysis works, or frames are not overtaken for want of time, but because they come in
bursts."""
MOST_LAG_SECONDS = 5.0
"""Between event time and decision. Decoding on demand may be late by half of it."""


@dataclass(frozen=True)
class Used:
    """One camera's counters, all since its beginning."""

    decode_seconds: float = 0.0
    analysis_seconds: float = 0.0
    served: int = 0
    """Frames that the analysis took."""
    overtaken: int = 0
    """Frames that it did not come to."""


class CostMeter:
    """One camera's cost.

    Args:
        now: monotonic seconds.
        used: the counters at that time.
    """

    def __init__(self, now: float, used: Used) -> None:
        self._begin = self._at = now
        self._used = used
        self._cost = Cost(0.0, 0.0)
        self.overtaken_share = 0.0

    def update(self, now: float, used: Used, *, busy: bool) -> None:
        """Take in the counters at ``now``; ``busy``: the analysis had hardly a moment to wait."""
        elapsed = now - self._at
        if elapsed <= 0:
            return
        served, overtaken = used.served - self._used.served, used.overtaken - self._used.overtaken
        # What the analysis did not come to would have cost as much as what it took.
        wanted = (served + overtaken) / served if served and busy else 1.0
        decode = (used.decode_seconds - self._used.decode_seconds) / elapsed
        analysis = (used.analysis_seconds - self._used.analysis_seconds) / elapsed * wanted
        weight = min(1.0, elapsed / min(SMOOTHING_SECONDS, now - self._begin))
        self._cost = Cost(
            self._cost.decode + weight * (decode - self._cost.decode),
            self._cost.analysis + weight * (analysis - self._cost.analysis),
        )
        share = overtaken / (served + overtaken) if overtaken and busy else 0.0
        self.overtaken_share += weight * (share - self.overtaken_share)
        self._at, self._used = now, used

    @property
    def cost(self) -> Cost | None:
        """Smoothed; None before enough was measured."""
        return self._cost if self._at - self._begin >= MEASURED_SECONDS else None


class ShardMeter:
    """The cost of a shard's cameras, and what it uses beside them.

    Args:
        now: monotonic seconds.
        process_seconds: CPU time that the process has used.
    """

    def __init__(self, now: float, process_seconds: float) -> None:
        self._meters: dict[str, CostMeter] = {}
        self._used: dict[str, Used] = {}
        self._at, self._process_seconds = now, process_seconds
        self._overhead = 0.0
        self._lag = 0.0

    def begin(self, camera_id: str, now: float, used: Used) -> None:
        """Measure a camera anew: it was opened, or is given something else."""
        self._meters[camera_id] = CostMeter(now, used)

    def end(self, camera_id: str) -> None:
        """A camera has gone."""
        self._meters.pop(camera_id, None)
        self._used.pop(camera_id, None)

    def update(
        self,
        now: float,
        process_seconds: float,
        used: Mapping[str, Used],
        *,
        elsewhere: float,
        lag: float,
        busy_share: float,
    ) -> None:
        """Take in the counters at ``now``.

        Args:
            now: monotonic seconds.
            process_seconds: CPU time that the process has used.
            used: the counters of the cameras that were begun.
            elsewhere: CPU seconds since the last time that went into what is not to be counted.
            lag: seconds that the analysis is behind.
            busy_share: of the time since the last time, the analysis worked.
        """
        elapsed = now - self._at
        if elapsed <= 0:
            return
        cameras = elsewhere
        for camera_id, counters in used.items():
            before = self._used.get(camera_id, Used())
            cameras += counters.decode_seconds - before.decode_seconds
            cameras += counters.analysis_seconds - before.analysis_seconds
            self._meters[camera_id].update(now, counters, busy=busy_share >= BUSY_SHARE)
        overhead = max(0.0, process_seconds - self._process_seconds - cameras) / elapsed
        self._overhead += min(1.0, elapsed / SMOOTHING_SECONDS) * (overhead - self._overhead)
        self._used = dict(used)
        self._at, self._process_seconds = now, process_seconds
        self._lag = lag if busy_share >= BUSY_SHARE else 0.0

    def load(self, away: frozenset[str] = frozenset()) -> Load:
        """What the shard's admission has to know; ``away``: cameras that give nothing now."""
        costs = {i: meter.cost for i, meter in self._meters.items()}
        overtaken = [meter.overtaken_share for meter in self._meters.values() if meter.cost is not None]
        pressed = any(share > MOST_OVERTAKEN for share in overtaken) or self._lag > MOST_LAG_SECONDS
        known = {camera_id: cost for camera_id, cost in costs.items() if cost is not None}
        return Load(self._overhead, known, away, pressed)
