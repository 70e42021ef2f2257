"""Stretches over several processes, with the same result as in one.

Gate, tracker and rules go from picture to picture, so one stretch is the work of one process. Stretches
know nothing of each other, so they may run side by side; what they tell is put in order again.
"""

import multiprocessing
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from multiprocessing.connection import Connection, wait

import cv2

from detectors.detector import build_detector
from ingest.replay.stretch import Job, Step, run_stretch


class ProcessError(Exception):
    """A process of the replay has failed."""


def run(job: Job, processes: int, saw: Callable[[Step], None]) -> Iterator[Step]:
    """All steps of a job, in order of its stretches.

    Args:
        job: what to do.
        processes: 1: in this one; else so many others, at most one for each stretch.
        saw: told of each step at once, in whatever order they come.

    Raises:
        ProcessError: a process died or failed.
    """
    if processes == 1:
        yield from _here(job, saw)
        return
    waiting: dict[int, list[Step]] = {}
    ended: set[int] = set()
    turn = 0
    with closing(_spread(job, min(processes, len(job.stretches)))) as messages:
        for index, step in messages:
            if step is None:
                ended.add(index)
            else:
                saw(step)
                waiting.setdefault(index, []).append(step)
            while turn < len(job.stretches):
                yield from waiting.pop(turn, ())
                if turn not in ended:
                    break
                turn += 1


def _here(job: Job, saw: Callable[[Step], None]) -> Iterator[Step]:
    cv2.setNumThreads(1)
    detector = build_detector(job.detector)
    for stretch in job.stretches:
        for step in run_stretch(job, stretch, detector):
            saw(step)
            yield step


def _spread(job: Job, processes: int) -> Generator[tuple[int, Step | None]]:
    """Steps with the number of their stretch, as they come; None: the stretch is over."""
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe() for _ in range(processes)]
    workers = [context.Process(target=_work, args=(job, theirs), daemon=True) for _, theirs in pipes]
    for worker in workers:
        worker.start()
    for _, theirs in pipes:
        theirs.close()
    left = iter(range(len(job.stretches)))
    try:
        busy = {ours for ours, _ in pipes if _give(ours, left)}
        while busy:
            for ours in wait(list(busy)):
                assert isinstance(ours, Connection)
                index, step = _receive(ours)
                yield index, step
                if step is None and not _give(ours, left):
                    busy.discard(ours)
    finally:
        for ours, _ in pipes:
            ours.close()
        for worker in workers:
            worker.join(5.0)
            if worker.is_alive():
                worker.terminate()


def _give(ours: Connection, left: Iterator[int]) -> bool:
    index = next(left, None)
    if index is not None:
        ours.send(index)
    return index is not None


def _receive(ours: Connection) -> tuple[int, Step | None]:
    try:
        message = ours.recv()
    except (EOFError, OSError):
        raise ProcessError("a process of the replay has died; was there enough memory?") from None
    if isinstance(message, str):
        raise ProcessError(message)
    index, step = message
    return index, step


def _work(job: Job, theirs: Connection) -> None:
    """What a process does: the stretches that it is given, until nobody gives it any more."""
    cv2.setNumThreads(1)
    try:
        detector = build_detector(job.detector)
        while True:
            index = theirs.recv()
            for step in run_stretch(job, job.stretches[index], detector):
                theirs.send((index, step))
            theirs.send((index, None))
    except (EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        return
    except Exception as error:  # noqa: BLE001  told to the one who started it, in one line
        theirs.send(f"{type(error).__name__}: {error}")
