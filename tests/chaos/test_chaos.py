"""The short form of ``make chaos``, and what its parts promise."""

import json
import os
import subprocess
import sys
import time
from itertools import pairwise

import pytest

from tests.chaos.clock import Clock, build_library, compiler
from tests.chaos.faults import FIRST_AFTER, LASTS, Fault, plan
from tests.chaos.isolation import command
from tests.chaos.verdict import free_seconds, judge, share


def event(number, second=0, camera="c"):
    return {
        "event_id": f"e{number}",
        "revision": 1,
        "camera_id": camera,
        "occurred_at": f"2026-03-01T12:00:{second:02}Z",
    }


def test_a_seed_says_everything_and_every_fault_happens():
    assert plan(7, 60, 2) == plan(7, 60, 2) != plan(8, 60, 2)
    strikes = [strike for seed in range(40) for strike in plan(seed, 60, 2)]
    assert {strike.fault for strike in strikes} == set(Fault)
    assert {strike.target for strike in strikes} == {0, 1}
    for strike in strikes:
        shortest, longest = LASTS[strike.fault]
        assert shortest <= strike.lasts <= longest
        assert FIRST_AFTER <= strike.at < 60


@pytest.mark.parametrize("seed", range(10))
def test_no_part_is_harmed_while_it_is_being_mended(seed):
    strikes = plan(seed, 120, 2)
    for part in ("worker", "centre", "broker"):
        for target in (0, 1):
            own = [s for s in strikes if s.fault.endswith(part) and s.target == target]
            assert all(a.at + a.lasts < b.at for a, b in pairwise(own))


def test_a_clock_is_set_while_its_process_runs_and_no_other_clock_is(tmp_path):
    if compiler() is None:
        pytest.skip("NO COMPILER, SO NO CLOCK WAS SET: apt-get install gcc libc6-dev")
    clock = Clock(build_library(tmp_path), tmp_path / "clock")
    asked = (
        "import time\nfor _ in range(3):\n"
        "    input()\n    time.sleep(0.1)\n    print(time.time(), time.monotonic(), flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", asked],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | clock.environment,
    )  # fmt: skip
    with process:
        for wrong_by in (0, -3600, 7200):
            clock.set_wrong_by(wrong_by)
            process.stdin.write("\n")
            process.stdin.flush()
            wall, monotonic = map(float, process.stdout.readline().split())
            assert abs(wall - time.time() - wrong_by) < 10
            assert abs(monotonic - time.monotonic()) < 10


def test_the_verdict_names_what_is_lost_and_what_is_there_twice():
    second = 1772366410.0
    verdict = judge(1, [event(1), event(2), event(3, 10)], [("e1", 1), ("e1", 1)], [event(3, 10)], {})
    assert (verdict.decided, verdict.stored, verdict.fenced) == (3, 1, 1)
    assert len(verdict.duplicated) == 1
    assert [line.split(": ")[1] for line in verdict.lost] == ["not in the store", "refused, nobody else's"]
    assert not verdict.good
    told = judge(1, [event(1), event(3, 10)], [("e1", 1)], [event(3, 10)], {"c": [second + 0.5]})
    assert told.good


def test_the_time_in_which_nobody_could_take_over_is_not_the_hand_overs():
    assert free_seconds(10.0, 30.0, []) == 20.0
    assert free_seconds(10.0, 30.0, [(0.0, 5.0), (40.0, 50.0)]) == 20.0
    assert free_seconds(10.0, 30.0, [(12.0, 15.0), (5.0, 11.0), (13.0, 14.0), (28.0, float("inf"))]) == 14.0
    assert free_seconds(10.0, 30.0, [(0.0, 90.0), (5.0, 11.0)]) == 0.0


def test_a_percentile_is_one_of_the_values():
    assert share([], 95) is None
    assert share([3.0], 95) == 3.0
    assert share([float(n) for n in range(100)], 95) == 95.0


@pytest.mark.kafka
@pytest.mark.timeout(400)
def test_a_city_that_is_harmed_loses_nothing_and_tells_nothing_twice(tmp_path):
    if command() is None:
        pytest.skip("NO NAMESPACES, SO NO FAULT WAS TRIED: run as root, or allow user namespaces")
    if compiler() is None:
        pytest.skip("NO COMPILER, SO NO FAULT WAS TRIED: apt-get install gcc libc6-dev")
    report = tmp_path / "verdicts.json"
    ended = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--first", "4", "--seeds", "1", "--seconds", "25",
         "--keep", str(tmp_path / "logs"), "--json", str(report)],
        capture_output=True, text=True, timeout=390, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    (verdict,) = json.loads(report.read_text())
    assert verdict["decided"] > 30
    assert verdict["lost"] == verdict["duplicated"] == []
    assert "mended" in (tmp_path / "logs" / "seed-4" / "chaos.log").read_text()
