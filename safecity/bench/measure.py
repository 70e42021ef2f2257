"""What a piece of work costs: run in a fresh process, on one core, with one thread in every pool."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from safecity.parent import die_with

ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "BLIS_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "OPENCV_FOR_THREADS_NUM",
    ),
    "1",
)

Work = Callable[[], Any]
"""What is measured. Answers with something that JSON can carry."""


class MeasureError(Exception):
    """The work failed; the message ends in what it said."""


@dataclass(frozen=True)
class Measured:
    """What a piece of work cost, without what it took to prepare it."""

    cpu_seconds: float
    """User and system time of the process, and of the processes that it waited for."""
    wall_seconds: float
    peak_rss_bytes: int
    """Of the process over its whole life, the preparation included."""
    result: Any
    """What the work answered."""


def measure(
    prepare: str,
    arguments: Mapping[str, Any],
    *,
    core: int | None = None,
    timeout: float = 3600.0,
) -> Measured:
    """Prepare and do a piece of work in a process of its own.

    Args:
        prepare: ``module:function``; called with ``arguments``, gives the :data:`Work`. Imports, loading and
            warming up belong into it and are not counted.
        arguments: what JSON can carry.
        core: the core that the process is pinned to; the last that this process may use when not given.
        timeout: seconds after which it is killed.

    Raises:
        MeasureError: it failed, or took too long.
    """
    order = {
        "prepare": prepare,
        "arguments": dict(arguments),
        "core": max(os.sched_getaffinity(0)) if core is None else core,
        "parent": os.getpid(),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "safecity.bench.measure"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **ONE_THREAD},
    )
    try:
        answer, said = process.communicate(json.dumps(order).encode(), timeout)
    except BaseException as error:
        process.kill()
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise MeasureError(f"{prepare} took longer than {timeout:g} s") from None
        raise
    if process.returncode != 0:
        words = said.decode(errors="replace").strip()[-1500:]
        raise MeasureError(f"{prepare} failed ({process.returncode}): {words}")
    return Measured(**json.loads(answer))


def _answer(order: Mapping[str, Any]) -> dict[str, Any]:
    """The child's side: pin, prepare, work, and say what the work cost."""
    die_with(order["parent"], signal.SIGKILL)
    os.sched_setaffinity(0, {order["core"]})
    module, _, name = order["prepare"].partition(":")
    work: Work = getattr(import_module(module), name)(**order["arguments"])
    cpu, wall = _cpu_seconds(), time.perf_counter()
    result = work()
    return {
        "cpu_seconds": _cpu_seconds() - cpu,
        "wall_seconds": time.perf_counter() - wall,
        "peak_rss_bytes": peak_rss_bytes(),
        "result": result,
    }


def _cpu_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def peak_rss_bytes() -> int:
    """The most memory that this process has had resident.

    Not ``ru_maxrss``: on Linux a process begins with that of the one that started it.
    """
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _main() -> None:
    order = json.loads(sys.stdin.buffer.read())
    # What the work prints must not get between the lines of the answer.
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    answer.write(json.dumps(_answer(order)).encode())
    answer.close()


if __name__ == "__main__":
    _main()
