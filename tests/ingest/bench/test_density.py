"""What the density bench says of its runs; the runs themselves are real, and short."""

import subprocess
import sys

import pytest

from ingest.bench.clips import Clip
from ingest.bench.density import (
    CEILING,
    NAIVE,
    NAIVE_FIFTH,
    UNGATED,
    Plan,
    events_kept,
    rows_of,
    run,
    tasks_of,
)
from ingest.bench.distant import prepare_distant
from tests.ingest.clips import clip_file

CLIP = Clip("active", "sub", seconds=30)


def answer(*events, begin=0.0, seconds=60.0):
    return {"events": [list(event) for event in events], "begin": begin, "seconds": seconds}


def test_events_are_the_same_by_rule_direction_and_time_and_each_counts_once():
    full = answer(("a", None, 1.0), ("a", None, 2.0), ("b", "left", 5.0), ("c", None, 20.0))
    assert events_kept(full, full) == 1.0
    assert events_kept(full, answer()) == 0.0
    assert events_kept(full, answer(("a", None, 1.2))) == 0.25
    assert events_kept(full, answer(("b", "right", 5.0))) == 0.0
    assert events_kept(full, answer(("c", None, 23.0))) == 0.0
    assert events_kept(full, answer(("c", None, 20.5), begin=15.0, seconds=10.0)) == 1.0
    assert events_kept(answer(), answer()) is None


@pytest.fixture(scope="module")
def rows():
    file = clip_file(activity="active", codec="h264", rate="cbr", seconds=30)
    plan = Plan(clips=(CLIP,), repeats=1, naive_seconds=0.2)
    wanted = (
        NAIVE,
        NAIVE_FIFTH,
        CEILING,
        UNGATED,
        "gated",
        "gated, on demand, regions",
        "key frames (overload)",
    )
    tasks = [task for task in tasks_of(plan, {CLIP: file}, "nanodet-g") if task.name in wanted]
    run(tasks, plan.repeats, lambda _: None)
    return {row["name"]: row for row in rows_of(tasks)}


def test_every_row_is_compared_and_the_savings_lose_no_event(rows):
    keys = {"stream", "clip", "cpu_seconds", "cameras_per_core", "ratio_to_naive", "events_kept"}
    assert all(keys <= row.keys() for row in rows.values())
    assert rows[NAIVE]["ratio_to_naive"] == 1.0
    assert rows[UNGATED]["events_kept"] == rows["gated"]["events_kept"] == 1.0
    assert rows["gated, on demand, regions"]["events_kept"] >= 0.98
    assert rows[UNGATED]["events"] >= 5


def test_each_saving_saves_what_it_is_there_to_save(rows):
    outcomes = {name: row["outcomes"] for name, row in rows.items() if row["outcomes"]}
    assert outcomes[UNGATED]["still"] == 0
    assert outcomes["gated"]["analysed"] < 0.25 * outcomes[UNGATED]["analysed"]
    assert outcomes["key frames (overload)"]["shed"] > 0.9 * outcomes["key frames (overload)"]["received"]
    for name in (UNGATED, "gated", "gated, on demand, regions"):
        counts = dict(outcomes[name])
        assert counts.pop("received") == sum(counts.values()) == CLIP.frames


def test_distant_people_are_found_around_what_moves_and_not_in_the_whole_picture():
    whole, regions = (prepare_distant(look_at, 24)() for look_at in ("picture", "regions"))
    assert regions["found"] > 0.5 * regions["there"]
    assert regions["found"] >= 3 * whole["found"]


def test_a_baseline_that_is_not_there_is_said_at_once(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-m", "safecity", "bench", "density", "--quick", "--baseline-model", "none.onnx"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert "there is no file none.onnx" in ended.stderr
