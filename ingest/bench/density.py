"""``safecity bench density``: which rows there are, what each is compared with, and what comes of it."""

import multiprocessing
import os
import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import cv2

from ingest.bench.clips import BURST_SECONDS, Clip, first_burst, make_clip
from safecity.bench.measure import Measured, measure

SAME_SECONDS = 1.5
"""Two runs found the same event when they found it within so long of each other."""
WHOLE = {"look_at": "picture"}
NAIVE, NAIVE_FIFTH = "naive, every frame", "naive, every 5th frame"
UNGATED, CEILING = "ungated", "decoding alone (ceiling)"
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    UNGATED: {"motion_gate": False, **WHOLE},
    "gated": WHOLE,
    "gated, regions": {},
    "gated, no deblocking": {**WHOLE, "deblocking": False},
    "gated, on demand": {**WHOLE, "decode": "on_demand"},
    "gated, on demand, regions": {"decode": "on_demand"},
    "gated, on demand, regions, no deblocking": {"decode": "on_demand", "deblocking": False},
    "key frames (overload)": {**WHOLE, "decode": "key_frames"},
}
"""Ours: a name and what it sets for the camera."""
SHORT = (UNGATED, "gated", "gated, on demand, regions")
"""What is also run on the clips that are there for comparison."""


@dataclass(frozen=True)
class Plan:
    """How much is done."""

    clips: Sequence[Clip]
    """The first of each stream gets all rows, the others a few."""
    repeats: int
    naive_seconds: float
    """Of video that the naive rows run through."""


QUICK = Plan(
    clips=(
        Clip("active"),
        Clip("busy", seconds=10),
        Clip("static", seconds=18),
        Clip("active", rate="vbr", seconds=30),
        Clip("active", codec="hevc", seconds=30),
        Clip("active", "sub"),
        Clip("busy", "sub", seconds=10),
        Clip("static", "sub", seconds=18),
        Clip("active", "sub", codec="hevc", seconds=30),
    ),
    repeats=2,
    naive_seconds=1.2,
)
FULL = Plan(
    clips=tuple(
        Clip(activity, stream, codec, rate, seconds=120 if activity == "active" else 60)
        for stream in ("main", "sub")
        for codec in ("h264", "hevc")
        for rate in ("cbr", "vbr")
        for activity in ("active", "busy", "static")
    ),
    repeats=3,
    naive_seconds=3.0,
)


@dataclass(frozen=True)
class Task:
    """One row on one clip, and how it is measured."""

    name: str
    clip: Clip
    prepare: str
    arguments: Mapping[str, Any]
    runs: list[Measured] = field(default_factory=list)

    @property
    def cpu_seconds(self) -> float:
        """Of the run in the middle."""
        return median(run.cpu_seconds for run in self.runs)

    @property
    def cameras_per_core(self) -> float:
        """Seconds of video that a second of one core is enough for."""
        return float(self.answer["seconds"]) / self.cpu_seconds

    @property
    def answer(self) -> dict[str, Any]:
        """What the work answered; every run answers the same."""
        result: dict[str, Any] = self.runs[0].result
        return result


def make_clips(plan: Plan, folder: Path, progress: Callable[[int], None]) -> dict[Clip, Path]:
    """All clips of a plan, each made unless it is there, as many at a time as there are cores.

    Args:
        plan: has the clips.
        folder: where they are kept.
        progress: told of each clip's number of pictures once it is there.
    """
    cores = len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(cores, multiprocessing.get_context("spawn"), cv2.setNumThreads, (1,)) as pool:
        making = {pool.submit(make_clip, clip, folder): clip for clip in plan.clips}
        for future in as_completed(making):
            progress(making[future].frames)
        return {clip: future.result() for future, clip in making.items()}


def tasks_of(plan: Plan, files: Mapping[Clip, Path], model: str) -> list[Task]:
    """What has to be run: for each clip the naive rows, the ceiling, and ours."""
    return [task for clip in plan.clips for task in _tasks(plan, clip, str(files[clip]), model)]


def _tasks(plan: Plan, clip: Clip, file: str, model: str) -> Iterator[Task]:
    begin = first_burst(clip)
    for name, every, factor in ((NAIVE, 1, 1), (NAIVE_FIFTH, 5, 2)):
        seconds = min(plan.naive_seconds * factor, BURST_SECONDS * factor)
        arguments = {"clip": file, "model": model, "every": every, "begin": begin, "seconds": seconds}
        yield Task(name, clip, "ingest.bench.work:prepare_naive", arguments)
    yield Task(CEILING, clip, "ingest.bench.work:prepare_decoding", {"clip": file})
    everything = clip == next(c for c in plan.clips if c.stream == clip.stream)
    for name, settings in VARIANTS.items():
        if everything or name in SHORT:
            arguments = {"clip": file, "settings": dict(settings)}
            yield Task(name, clip, "ingest.bench.work:prepare_pipeline", arguments)


def run(tasks: Sequence[Task], repeats: int, progress: Callable[[str], None]) -> None:
    """Run every task so many times; all once before any again, so that a slow minute hits all alike.

    Every core has one at a time, as in a worker: what cores take from each other is part of the cost.

    Raises:
        MeasureError: one failed.
    """
    cores: queue.SimpleQueue[int] = queue.SimpleQueue()
    for core in sorted(os.sched_getaffinity(0)):
        cores.put(core)

    def run_once(task: Task) -> None:
        core = cores.get()
        try:
            task.runs.append(measure(task.prepare, task.arguments, core=core))
        finally:
            cores.put(core)
        progress(f"{task.name}: {task.clip.stream}, {task.clip.name}")

    with ThreadPoolExecutor(cores.qsize()) as pool:
        runs = [pool.submit(run_once, task) for _ in range(repeats) for task in tasks]
        try:
            for future in as_completed(runs):
                future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def rows_of(tasks: Sequence[Task]) -> list[dict[str, Any]]:
    """The report: one row a task, compared with the others of its clip."""
    return [_row(task, {other.name: other for other in tasks if other.clip == task.clip}) for task in tasks]


def _row(task: Task, clip: Mapping[str, Task]) -> dict[str, Any]:
    density, answer = task.cameras_per_core, task.answer
    return {
        "name": task.name,
        "stream": task.clip.stream,
        "clip": task.clip.name,
        "cpu_seconds": round(task.cpu_seconds, 3),
        "video_seconds": round(answer["seconds"], 2),
        "cameras_per_core": round(density, 3),
        "ratio_to_naive": round(density / clip[NAIVE].cameras_per_core, 2),
        "ratio_to_naive_fifth": round(density / clip[NAIVE_FIFTH].cameras_per_core, 2),
        "share_of_ceiling": round(density / clip[CEILING].cameras_per_core, 3),
        "events_kept": None if task.name == CEILING else events_kept(clip[UNGATED].answer, answer),
        "events": None if task.name == CEILING else len(answer["events"]),
        "inferred": answer["outcomes"].get("analysed"),
        "outcomes": answer["outcomes"],
        "peak_rss_mb": round(max(run.peak_rss_bytes for run in task.runs) / 1e6, 1),
        "cpu_seconds_runs": [round(run.cpu_seconds, 3) for run in task.runs],
    }


def events_kept(full: Mapping[str, Any], other: Mapping[str, Any]) -> float | None:
    """Share of the full run's events that another run found too; None when there were none.

    Only those from the part of the clip count that the other run saw. Each event is found at most once.
    """
    begin, end = other["begin"], other["begin"] + other["seconds"]
    wanted = [event for event in full["events"] if begin <= event[2] < end]
    left = [tuple(event) for event in other["events"]]
    found = 0
    for rule, direction, second in wanted:
        fitting = [e for e in left if e[:2] == (rule, direction) and abs(e[2] - second) <= SAME_SECONDS]
        if fitting:
            left.remove(min(fitting, key=lambda event: abs(event[2] - second)))
            found += 1
    return round(found / len(wanted), 4) if wanted else None
