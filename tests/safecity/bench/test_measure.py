"""Measuring in a process of its own."""

import hashlib
import os
import time

import pytest

from safecity.bench.measure import MeasureError, measure

HERE = "tests.safecity.bench.test_measure"


def spend(rounds):
    begin = time.process_time()
    ballast = os.urandom(1 << 20) * 64
    for _ in range(rounds):
        hashlib.sha256(ballast).digest()
    preparing = time.process_time() - begin

    def work():
        for _ in range(rounds):
            hashlib.sha256(ballast[: 1 << 20]).digest()
        print("said in between")
        return {
            "cores": sorted(os.sched_getaffinity(0)),
            "threads": os.environ["OMP_NUM_THREADS"],
            "preparing": preparing,
        }

    return work


def sleep(seconds):
    return lambda: time.sleep(seconds)


def fail():
    raise ValueError("the reason")


def test_work_runs_on_the_core_asked_for_and_its_answer_comes_back():
    core = min(os.sched_getaffinity(0))
    measured = measure(f"{HERE}:spend", {"rounds": 3}, core=core)
    assert measured.result["cores"] == [core]
    assert measured.result["threads"] == "1"


def test_the_preparation_is_not_counted_its_memory_is():
    measured = measure(f"{HERE}:spend", {"rounds": 10})
    # 64 times the work is done before the clock starts.
    assert 0 < measured.cpu_seconds < measured.result["preparing"]
    assert measured.peak_rss_bytes > 64 << 20


def test_waiting_costs_time_and_no_cpu():
    measured = measure(f"{HERE}:sleep", {"seconds": 0.3})
    assert measured.wall_seconds >= 0.3
    assert measured.cpu_seconds < measured.wall_seconds


def test_failure_says_why():
    with pytest.raises(MeasureError, match="ValueError: the reason"):
        measure(f"{HERE}:fail", {})


def test_what_takes_too_long_is_ended():
    with pytest.raises(MeasureError, match=r"longer than 0\.5 s"):
        measure(f"{HERE}:sleep", {"seconds": 60}, timeout=0.5)
