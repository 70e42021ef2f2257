"""A whole replay: a job into its outputs, with what was done; and the same again, to compare."""

import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Protocol, Self

from ingest.replay.output import EventFile
from ingest.replay.processes import run
from ingest.replay.stretch import Job, Looked, Step
from ingest.replay.summary import Summary

VERIFY_SPEED = 8.0
"""Times real time that the second run of a verification is held back to."""


class Sink(Protocol):
    """Takes what a replay tells."""

    def take(self, looked: Looked) -> None:
        """The next picture's events and observation."""
        ...


class ObservationFile:
    """Observations, one JSON line each."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def take(self, looked: Looked) -> None:
        """See :class:`Sink`."""
        if looked.observation is not None:
            self._file.write(looked.observation + b"\n")


class SnapshotFolder:
    """The events' pictures, under the names that the events give them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def take(self, looked: Looked) -> None:
        """See :class:`Sink`."""
        for event in looked.events:
            if event.picture is not None:
                name, picture = event.picture
                (self._folder / name).write_bytes(picture)


def replay_into(
    job: Job, processes: int, events: EventFile, sinks: Sequence[Sink], saw: Callable[[Step], None]
) -> Summary:
    """Run a job; every step goes to its outputs as it comes.

    Raises:
        ProcessError: a process of it failed.
        OSError: an output cannot be written.
    """
    summary, begin, cpu = Summary(), time.monotonic(), _cpu_seconds()
    for step in run(job, processes, saw):
        summary.take(step)
        if isinstance(step, Looked):
            for event in step.events:
                events.write(event)
            for sink in sinks:
                sink.take(step)
    summary.seconds, summary.cpu_seconds = time.monotonic() - begin, _cpu_seconds() - cpu
    summary.sha256 = events.sha256
    return summary


def _cpu_seconds() -> float:
    """Of this process and of those that it has ended."""
    uses = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in uses)


@dataclass(frozen=True)
class Verdict:
    """Whether two runs told the same."""

    how: str
    """What was different about the second run."""
    first_sha256: str
    second_sha256: str
    observations_same: bool
    difference: str | None

    @property
    def same(self) -> bool:
        """To the byte."""
        return self.difference is None and self.observations_same


def verify(
    job: Job, processes: int, first: Summary, lines: Sequence[bytes], saw: Callable[[Step], None]
) -> Verdict:
    """Run a job again, with another number of processes and at another speed, and compare.

    Args:
        job: as it was run, with observations.
        processes: that it was run with.
        first: what it did.
        lines: of its event file.
        saw: told of the second run's steps.
    """
    others = 2 if processes == 1 else 1
    speed = VERIFY_SPEED if job.speed is None else None
    with EventFile(None) as events:
        second = replay_into(replace(job, speed=speed, pictures=False), others, events, (), saw)
    pace = f"at {speed:g} times real time" if speed else "as fast as it goes"
    return Verdict(
        how=f"{others} process{'es' if others > 1 else ''}, {pace}",
        first_sha256=first.sha256,
        second_sha256=second.sha256,
        observations_same=first.observations.digest() == second.observations.digest(),
        difference=first_difference(lines, events.lines),
    )


def first_difference(first: Sequence[bytes], second: Sequence[bytes]) -> str | None:
    """The first line in which two event files differ, for people; None: they do not."""
    for number, (one, other) in enumerate(zip(first, second, strict=False), 1):
        if one != other:
            return f"line {number}:\n- {one.decode().rstrip()}\n+ {other.decode().rstrip()}"
    if len(first) != len(second):
        number = min(len(first), len(second))
        sign, longer = ("-", first) if len(first) > number else ("+", second)
        return f"line {number + 1}:\n{sign} {longer[number].decode().rstrip()}"
    return None
