"""What leaves the edge shows no masked region and no recognisable person."""

import cv2
import numpy as np

from ingest.snapshots import PrivacyMask, encode_jpeg, pixelate


def noise(height: int = 240, width: int = 320) -> np.ndarray:
    return np.random.default_rng(1).integers(1, 255, (height, width, 3), dtype=np.uint8)


def test_a_mask_blackens_its_polygon_and_nothing_else():
    picture = noise()
    original = picture.copy()
    burned = PrivacyMask([[(0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.0, 0.5)]]).burn(picture)
    assert not burned[:119, :159].any()
    assert np.array_equal(burned[125:], original[125:])
    assert np.array_equal(burned[:, 165:], original[:, 165:])


def test_a_read_only_picture_is_copied_before_it_is_masked():
    grey = noise()[..., 0].copy()
    grey.flags.writeable = False
    burned = PrivacyMask([[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]]).burn(grey)
    assert not burned.any()
    assert grey.any()


def test_without_a_mask_nothing_is_copied():
    picture = noise()
    assert PrivacyMask([]).burn(picture) is picture


def test_a_person_is_pixelated_and_the_rest_stays():
    picture = noise()
    original = picture.copy()
    pixelate(picture, [(100.0, 50.0, 160.0, 200.0)])
    person = picture[55:195, 105:155]
    distinct = len(np.unique(person.reshape(-1, 3), axis=0))
    assert distinct < 120, "more colours than blocks: not pixelated"
    assert np.array_equal(picture[:, :90], original[:, :90])
    assert np.array_equal(picture[:, 170:], original[:, 170:])


def test_boxes_beyond_the_picture_do_no_harm():
    picture = noise()
    pixelate(picture, [(-50, -50, 20, 20), (300, 220, 400, 400), (10, 10, 10, 10), (500, 500, 600, 600)])
    assert picture.shape == (240, 320, 3)


def test_jpeg_is_bounded_in_width_and_can_be_read():
    decoded = cv2.imdecode(np.frombuffer(encode_jpeg(noise(1080, 1920)), np.uint8), cv2.IMREAD_COLOR)
    assert decoded.shape == (720, 1280, 3)
