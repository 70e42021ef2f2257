import cv2
import numpy as np
import pytest

from detectors.camera_health.exposure import measure_exposure
from tests.detectors.footage import street

SMALL = cv2.cvtColor(cv2.resize(street(1)[0], (320, 180), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)


def lit(gain, veil=0.0):
    return cv2.convertScaleAbs(SMALL, alpha=gain, beta=veil)


@pytest.mark.parametrize(("gain", "veil"), [(1.0, 0), (0.3, 0), (1.6, 0), (0.4, 120)])
def test_day_night_sun_and_fog_are_no_faults(gain, veil):
    assert not measure_exposure(lit(gain, veil), None).is_bad


@pytest.mark.parametrize(("gain", "veil"), [(0.0, 0), (0.05, 0), (0.05, 16), (0.14, 0)])
def test_without_light_it_is_dark(gain, veil):
    exposure = measure_exposure(lit(gain, veil), None)
    assert exposure.is_dark
    assert not exposure.is_overexposed


@pytest.mark.parametrize(("gain", "veil"), [(3.0, 0), (6.0, 0), (0.2, 195)])
def test_with_too_much_light_it_is_overexposed(gain, veil):
    exposure = measure_exposure(lit(gain, veil), None)
    assert exposure.is_overexposed
    assert not exposure.is_dark


def test_a_lamp_in_the_night_is_no_darkness():
    night = lit(0.05)
    night[20:40, 100:140] = 180
    assert not measure_exposure(night, None).is_dark


def test_a_privacy_mask_is_no_darkness_and_does_not_hide_one():
    visible = np.zeros((180, 320), bool)
    visible[60:120, 100:200] = True
    assert not measure_exposure(np.where(visible, SMALL, 0).astype(np.uint8), visible).is_bad
    assert measure_exposure(np.where(visible, 10, 255).astype(np.uint8), visible).is_dark
    assert measure_exposure(np.zeros((180, 320), np.uint8), np.zeros((180, 320), bool)) is None
