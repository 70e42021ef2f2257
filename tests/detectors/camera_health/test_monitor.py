"""All faults together, over the footage and over a still scene."""

import numpy as np
import pytest

from detectors.camera_health import CameraHealth
from detectors.camera_health.monitor import FaultChange
from safecity.camera import HealthSettings
from safecity.camera_fault import CameraFault

GENERATOR = np.random.default_rng(8)
SCENE = np.kron(GENERATOR.integers(60, 200, (45, 80)), np.ones((4, 4))).astype(np.uint8)


def live(at):
    return (SCENE + np.random.default_rng(round(at * 5)).integers(0, 3, SCENE.shape)).astype(np.uint8)


def run(health, begin, seconds, picture=live, fps=25.0, error=None):
    changes = []
    for step in range(int(seconds * 5)):
        at = begin + step / 5
        changes += health.update(picture(at), at, frame_index=int(at * fps), clock_error=error)
    return changes


def test_a_frozen_camera_is_said_to_be_frozen_since_it_froze_and_then_to_be_well():
    health = CameraHealth(HealthSettings())
    assert run(health, 0.0, 60) == []
    (raised,) = run(health, 60.0, 60, lambda _: SCENE)
    assert (raised.fault, raised.is_raised) == (CameraFault.FROZEN, True)
    assert raised.since == pytest.approx(60.0, abs=1.0)
    assert raised.figures["unchanged_seconds"] == pytest.approx(30.0, abs=1.5)
    assert health.faults == (CameraFault.FROZEN,)
    (cleared,) = run(health, 120.0, 30)
    assert (cleared.fault, cleared.is_raised, cleared.since) == (CameraFault.FROZEN, False, raised.since)
    assert health.faults == ()


def test_the_dark_says_only_that_it_is_dark():
    health = CameraHealth(HealthSettings())
    run(health, 0.0, 60)
    changes = run(health, 60.0, 100, lambda at: live(at) // 40)
    assert [(change.fault, change.is_raised) for change in changes] == [(CameraFault.DARK, True)]
    assert changes[0].figures["brightness"] < 5


def test_a_fault_that_is_switched_off_is_not_looked_for():
    health = CameraHealth(HealthSettings(off=("frozen", "dark")))
    run(health, 0.0, 60)
    assert run(health, 60.0, 100, lambda _: SCENE) == []
    assert run(health, 160.0, 100, lambda _: SCENE // 40) == []


def test_seconds_of_evidence_are_as_configured():
    health = CameraHealth(HealthSettings(raise_seconds=4, clear_seconds=2))
    run(health, 0.0, 60)
    (raised,) = run(health, 60.0, 6, lambda at: live(at) // 40)
    assert raised.since == pytest.approx(59.0, abs=1.1)
    (cleared,) = run(health, 66.0, 5)
    assert not cleared.is_raised


def test_a_slow_stream_against_what_is_promised_and_against_what_it_was():
    promised = CameraHealth(HealthSettings(expected_fps=25))
    (raised,) = run(promised, 0.0, 40, fps=5)
    assert (raised.fault, raised.figures["expected_fps"]) == (CameraFault.SLOW, 25)
    assert raised.figures["fps"] == pytest.approx(5, abs=0.3)
    assert run(CameraHealth(HealthSettings()), 0.0, 100, fps=5) == []


def test_a_wrong_clock_is_told_with_its_error():
    health = CameraHealth(HealthSettings())
    assert run(health, 0.0, 60, error=-0.2) == []
    (raised,) = run(health, 60.0, 40, error=-3600.0)
    assert raised == FaultChange(CameraFault.CLOCK_WRONG, True, raised.since, {"ahead_seconds": -3600.0})


def test_a_picture_that_is_masked_altogether_says_nothing_of_the_picture():
    health = CameraHealth(HealthSettings(), np.zeros((180, 320), bool))
    assert run(health, 0.0, 100, lambda _: np.zeros((180, 320), np.uint8)) == []


def test_the_same_pictures_give_the_same_changes():
    def changes():
        health = CameraHealth(HealthSettings())
        return run(health, 0.0, 60) + run(health, 60.0, 60, lambda _: SCENE) + run(health, 120.0, 30)

    assert changes() == changes()
