"""The measure itself: that it can say good and bad, and what some runs give."""

import json
from itertools import pairwise

import numpy as np
import pytest

from detectors.health_evaluation.cli import health, summary
from detectors.health_evaluation.plot import draw
from detectors.health_evaluation.scenario import Incident, Scenario, play
from detectors.health_evaluation.scenarios import EMPTY, LOW_BITRATE, scenarios
from detectors.health_evaluation.score import Verdict, judge, score
from safecity.camera import HealthSettings
from safecity.camera_fault import CameraFault
from safecity.cli import UsageError
from tests.detectors.health_evaluation.runs import footage

SETTINGS = HealthSettings()
FROZEN = Scenario("frozen", CameraFault.FROZEN, Incident(is_frozen=True))
CLEAN = Scenario("clean", None, Incident())


def verdict(scenario, seconds, *wrong):
    return Verdict(scenario, seconds, seconds is not None, wrong, 10, 0.001)


def test_precision_recall_and_times_of_one_fault_and_of_all():
    verdicts = [
        verdict(FROZEN, 30.0),
        verdict(FROZEN, 40.0, CameraFault.MOVED),
        verdict(FROZEN, None),
        verdict(CLEAN, None, CameraFault.FROZEN),
    ]
    frozen, everything = score(verdicts, CameraFault.FROZEN), score(verdicts)
    assert (frozen.there, frozen.found, frozen.false_alarms) == (3, 2, 1)
    assert (frozen.median_seconds, frozen.longest_seconds) == (35.0, 40.0)
    assert frozen.precision == frozen.recall == pytest.approx(2 / 3)
    assert everything.precision == 0.5
    assert score(verdicts, CameraFault.MOVED).precision == 0.0
    assert score([], CameraFault.DARK).recall == 1.0


def test_every_fault_is_in_the_set_in_several_strengths_and_quick_is_a_part_of_it():
    everything, quick = scenarios(), scenarios(quick=True)
    for fault in CameraFault:
        assert sum(run.fault is fault for run in everything) >= 3
        assert any(run.fault is fault for run in quick)
    assert sum(run.fault is None for run in everything) >= 20
    assert {(r.name, r.conditions.name) for r in quick} <= {(r.name, r.conditions.name) for r in everything}


def test_a_run_is_the_same_at_each_call_and_the_fault_is_only_in_its_time():
    once, again = ([sample.small for sample in play(FROZEN, footage())] for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))
    same = [np.array_equal(a, b) for a, b in pairwise(once)]
    begin, end = round(FROZEN.begins * 5), round(FROZEN.ends * 5)
    assert all(same[begin : end - 1])
    assert not any(same[:begin])
    assert not any(same[end:])


@pytest.mark.parametrize(
    "name",
    ["the same picture again", "8 s ahead", "20% of the frames", "3% of the light", "six times the light"],
)
def test_a_fault_is_found_in_good_time_and_cleared_and_nothing_else_is_said(name):
    scenario = next(run for run in scenarios() if run.name == name)
    found = judge(scenario, footage(), SETTINGS)
    assert found.seconds_to_detect is not None
    assert found.seconds_to_detect < 45
    assert found.cleared
    assert found.false_alarms == ()


@pytest.mark.parametrize(
    "scenario",
    [
        Scenario("clean and looped", None, Incident(), lasts=130.0),
        Scenario("empty, little data", None, Incident(), EMPTY, LOW_BITRATE, lasts=60.0),
        *(run for run in scenarios() if run.name in ("lightning", "the exposure hunts", "headlights")),
    ],
    ids=lambda scenario: scenario.name,
)
def test_what_is_no_fault_raises_nothing(scenario):
    assert judge(scenario, footage(), SETTINGS).false_alarms == ()


@pytest.mark.parametrize("content", [None, b"no video"])
def test_footage_that_cannot_be_read_is_the_users_to_mend(tmp_path, content):
    path = tmp_path / "street.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"street\.mp4"):
        health(footage=path)


def test_the_summary_is_json_and_can_be_drawn(tmp_path):
    result = summary([verdict(FROZEN, 30.0), verdict(CLEAN, None, CameraFault.MOVED)])
    assert json.loads(json.dumps(result)) == result
    assert [row["fault"] for row in result["faults"]] == [*(f.value for f in CameraFault), "all"]
    assert result["milliseconds_per_picture"] == 0.1
    draw(result, tmp_path / "health.png")
    assert (tmp_path / "health.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="not supported"):
        draw(result, tmp_path / "health.nonsense")
