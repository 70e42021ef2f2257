"""How well the faults are found: precision, recall, time to detect, for each fault and over all."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from detectors.camera_health import CameraHealth
from detectors.health_evaluation.footage import Footage
from detectors.health_evaluation.scenario import Scenario, play
from safecity.camera import HealthSettings
from safecity.camera_fault import CameraFault


@dataclass(frozen=True)
class Verdict:
    """What came of one run."""

    scenario: Scenario
    seconds_to_detect: float | None
    """None when the fault was not found, or when there was none."""
    cleared: bool
    """The fault was over for us within a minute after it was over."""
    false_alarms: tuple[CameraFault, ...]
    pictures: int
    cpu_seconds: float
    """What camera health took for them."""


@dataclass(frozen=True)
class Score:
    """How well one fault is found."""

    there: int
    found: int
    false_alarms: int
    cleared: int
    median_seconds: float | None
    longest_seconds: float | None

    @property
    def precision(self) -> float:
        """Share of the alarms that were right."""
        alarms = self.found + self.false_alarms
        return self.found / alarms if alarms else 1.0

    @property
    def recall(self) -> float:
        """Share of the faults that were found."""
        return self.found / self.there if self.there else 1.0


def judge(scenario: Scenario, footage: Footage, settings: HealthSettings) -> Verdict:
    """Let camera health look at a run."""
    health = CameraHealth(settings)
    detected: float | None = None
    cleared, wrong = False, []
    pictures, cpu_seconds = 0, 0.0
    for sample in play(scenario, footage):
        begin = time.process_time()
        changes = health.update(
            sample.small, sample.seconds, frame_index=sample.frame_index, clock_error=sample.clock_error
        )
        pictures, cpu_seconds = pictures + 1, cpu_seconds + time.process_time() - begin
        for change in changes:
            is_right = change.fault is scenario.fault and scenario.begins <= sample.seconds < scenario.ends
            if not change.is_raised:
                cleared |= change.fault is scenario.fault and sample.seconds >= scenario.ends
            elif is_right and detected is None:
                detected = sample.seconds - scenario.begins
            else:
                wrong.append(change.fault)
    return Verdict(scenario, detected, cleared, tuple(wrong), pictures, cpu_seconds)


def score(verdicts: Sequence[Verdict], fault: CameraFault | None = None) -> Score:
    """The score of one fault, or over all faults."""

    def counts(other: CameraFault | None) -> bool:
        return other is not None and fault in (None, other)

    there = [verdict for verdict in verdicts if counts(verdict.scenario.fault)]
    times = [v.seconds_to_detect for v in there if v.seconds_to_detect is not None]
    return Score(
        there=len(there),
        found=len(times),
        false_alarms=sum(counts(alarm) for verdict in verdicts for alarm in verdict.false_alarms),
        cleared=sum(v.cleared for v in there if v.seconds_to_detect is not None),
        median_seconds=median(times) if times else None,
        longest_seconds=max(times, default=None),
    )


Progress = Callable[[int, int], None]


def judge_all(
    runs: Sequence[Scenario], footage: Footage, settings: HealthSettings, progress: Progress
) -> list[Verdict]:
    """Every run; ``progress`` is told how many of how many are done."""
    verdicts = []
    for number, scenario in enumerate(runs):
        progress(number, len(runs))
        verdicts.append(judge(scenario, footage, settings))
    progress(len(runs), len(runs))
    return verdicts
