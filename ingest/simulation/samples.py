"""A run as a row of samples, and what they come to: rates, slopes. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ingest.simulation.usage import Usage

WARM_UP_SHARE, LONGEST_WARM_UP = 1 / 3, 180.0


@dataclass(frozen=True)
class Sample:
    """The city at one moment."""

    at: float
    """Seconds since the beginning."""
    usage: Mapping[str, Usage]
    """By the process' name."""
    lag: Mapping[str, int]
    """Messages that the centre has not read, by topic."""


@dataclass
class Samples:
    """What was seen during a run.

    Args:
        duration: of the run, seconds.
        begin: seconds since 1970.
    """

    duration: float
    begin: float
    taken: list[Sample] = field(default_factory=list)
    busy: list[tuple[float, float]] = field(default_factory=list)
    """After the warm-up and at the end: seconds since the beginning, and those that the centre's consumer had
    been busy."""

    @property
    def warm_up(self) -> float:
        """Seconds at the beginning that say nothing of how it goes on: caches fill, code is compiled."""
        return min(WARM_UP_SHARE * self.duration, LONGEST_WARM_UP)

    @property
    def steady(self) -> list[Sample]:
        """Those after the warm-up."""
        return [sample for sample in self.taken if sample.at >= self.warm_up]

    def cores(self) -> dict[str, float]:
        """CPU seconds a second of each process, after the warm-up."""
        steady = self.steady
        if len(steady) < 2:
            return {}
        first, last = steady[0], steady[-1]
        return {
            name: (last.usage[name].cpu_seconds - first.usage[name].cpu_seconds) / (last.at - first.at)
            for name in last.usage
            if name in first.usage
        }

    def centre_busy(self) -> float:
        """Share of the time that the centre's consumer worked or waited for its disks, after the warm-up."""
        if len(self.busy) < 2:
            return 0.0
        (first, before), (last, after) = self.busy[0], self.busy[-1]
        return (after - before) / (last - first)

    def cpu_seconds(self) -> dict[str, float]:
        """Of each process, from its start to the last sample."""
        return {name: used.cpu_seconds for name, used in self.taken[-1].usage.items()} if self.taken else {}

    def memory_mb(self) -> dict[str, float]:
        """Of each process, at the last sample."""
        return (
            {name: used.memory_bytes / 1e6 for name, used in self.taken[-1].usage.items()}
            if self.taken
            else {}
        )

    def memory_growth_mb(self) -> dict[str, float]:
        """What each process grew by after the warm-up, by the line of least squares."""
        steady = self.steady
        return {
            name: slope(
                [s.at for s in steady if name in s.usage],
                [s.usage[name].memory_bytes / 1e6 for s in steady if name in s.usage],
            )
            * (self.duration - self.warm_up)
            for name in (steady[-1].usage if steady else ())
        }

    def lag_growth(self) -> float:
        """By how many messages a second the centre falls behind, after the warm-up."""
        steady = self.steady
        return slope([s.at for s in steady], [float(sum(s.lag.values())) for s in steady])

    def highest_lag(self) -> int:
        """The most messages that the centre had not read, after the warm-up."""
        return max((sum(sample.lag.values()) for sample in self.steady), default=0)


def slope(times: Sequence[float], values: Sequence[float]) -> float:
    """Of the line of least squares; 0 for fewer than three values."""
    if len(times) < 3:
        return 0.0
    return float(np.polyfit(np.asarray(times) - times[0], np.asarray(values), 1)[0])


def percentiles(milliseconds: Sequence[float]) -> dict[str, float | None]:
    """p50, p95 and p99; None without values."""
    if not milliseconds:
        return {"p50": None, "p95": None, "p99": None}
    found = np.percentile(milliseconds, (50, 95, 99))
    return {f"p{share}": round(float(value), 1) for share, value in zip((50, 95, 99), found, strict=True)}
