"""The view against its reference, on real footage."""

import numpy as np
import pytest

from detectors.camera_health.structure import Structure, compare
from detectors.camera_health.view import PERIOD_SECONDS, ViewWatch
from detectors.health_evaluation.optics import Aim, Light, covered, defocused, noisy
from safecity.camera_fault import CameraFault
from tests.detectors.health_evaluation.runs import clean, small_of

EVERYWHERE = np.ones((9, 16), bool)


def watch(visible=EVERYWHERE, relearn_seconds=3600.0):
    return ViewWatch(visible, obstructed_share=0.2, moved_share=0.02, relearn_seconds=relearn_seconds)


def shown(watched, begin, seconds, **how):
    """Readings of ``seconds`` of the street, 5 pictures a second."""
    times = [begin + step / 5 for step in range(int(seconds * 5))]
    readings = [watched.update(small_of(at, **how), at) for at in times]
    return [reading for reading in readings if reading is not None]


def test_it_learns_first_and_then_finds_nothing_in_the_clean_street():
    watched = watch()
    assert shown(watched, 0.0, 6 * PERIOD_SECONDS) == []
    readings = shown(watched, 30.0, 60)
    assert len(readings) >= 10
    assert {reading.fault for reading in readings} == {None}


@pytest.mark.parametrize(
    ("fault", "how"),
    [
        (CameraFault.BLURRED, {"lens": defocused(3.0)}),
        (CameraFault.BLURRED, {"lens": defocused(3.0), "light": Light(0.3), "noise": 5.0}),
        (CameraFault.OBSTRUCTED, {"lens": covered(0.4, level=80, texture=8)}),
        (CameraFault.OBSTRUCTED, {"lens": covered(1.2, level=150, texture=20)}),
        (CameraFault.MOVED, {"aim": Aim(right=0.04)}),
        (CameraFault.MOVED, {"aim": Aim(degrees=5)}),
        (CameraFault.MOVED, {"aim": Aim(right=0.4, down=0.4), "light": Light(0.5), "noise": 3.0}),
        (None, {"light": Light(0.3), "noise": 5.0}),
        (None, {"light": Light(0.4, 120.0)}),
        (None, {"infrared": True}),
        (None, {"aim": Aim(right=0.01)}),
    ],
)
def test_each_fault_is_told_from_the_others_and_from_another_light(fault, how):
    watched = watch()
    shown(watched, 0.0, 40)
    readings = shown(watched, 40.0, 26, **how)[1:]
    assert len(readings) >= 3
    assert {reading.fault for reading in readings} == {fault}


def test_a_shift_is_measured():
    watched = watch()
    shown(watched, 0.0, 40)
    reading = shown(watched, 40.0, 26, aim=Aim(right=0.05, down=-0.06))[-1]
    # The camera turned to the right: the scene wandered to the left.
    assert reading.shift == pytest.approx((-0.05, 0.06), abs=0.006)


def test_what_lasts_is_the_new_view_in_the_end():
    watched = watch(relearn_seconds=60.0)
    shown(watched, 0.0, 40)
    faults = [reading.fault for reading in shown(watched, 40.0, 160, aim=Aim(degrees=6))]
    assert faults[1] is CameraFault.MOVED
    assert faults[-1] is None
    assert shown(watched, 200.0, 20)[-1].fault is CameraFault.MOVED, "back again is another view now"


def test_a_masked_part_is_not_looked_at():
    visible = EVERYWHERE.copy()
    visible[:, :8] = False
    watched = watch(visible)
    shown(watched, 0.0, 40)
    assert {r.fault for r in shown(watched, 40.0, 20, lens=covered(0.45, level=80, texture=8))} == {None}
    assert shown(watch(np.zeros((9, 16), bool)), 0.0, 60) == []


def test_pictures_that_are_skipped_and_gaps_are_no_view():
    watched = watch()
    shown(watched, 0.0, 40)
    watched.skip()
    assert watched.update(small_of(40.2), 40.2) is None
    assert watched.update(small_of(500.0), 500.0) is None
    assert watched.update(small_of(500.2), 3.0) is None
    assert {r.fault for r in shown(watched, 3.2, 20)} == {None}


def test_a_flat_reference_says_nothing():
    flat = Structure.of(np.full((180, 320), 90, np.float32))
    assert compare(flat, Structure.of(small_of(0.0).astype(np.float32)), EVERYWHERE) is None


def test_noise_is_no_sharpness_and_no_structure():
    mean = np.mean([small_of(at / 5).astype(np.float32) for at in range(25)], axis=0)
    night = [noisy(Light(0.3).expose(small_of(at / 5, size=None)), 6.0, at / 5) for at in range(25)]
    seen = np.mean([clean(picture).astype(np.float32) for picture in night], axis=0)
    result = compare(Structure.of(mean), Structure.of(seen.astype(np.float32)), EVERYWHERE)
    assert result.sharpness == pytest.approx(1.0, abs=0.1)
    assert result.same > 0.7
    assert result.hidden < 0.1
