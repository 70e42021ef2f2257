import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from detectors.appearance import SIZE, describe
from tests.detectors.footage import street

BOX = np.array([[100, 50, 140, 150]], np.float32)
ALL = np.ones(1, bool)


def dressed(top, legs, noise=6, seed=0):
    """A picture with one who wears ``top`` and ``legs`` (BGR) before a grey wall."""
    picture = np.full((200, 240, 3), 128, np.uint8)
    picture[50:100, 100:140], picture[100:150, 100:140] = top, legs
    grain = np.random.default_rng(seed).normal(0, noise, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def described(picture, box=BOX):
    return describe(picture, box, ALL)[0]


RED, BLUE, BLACK, WHITE = (30, 30, 200), (180, 60, 30), (20, 20, 20), (230, 230, 230)


def test_the_same_clothes_are_alike_and_others_are_less_so():
    one, again = described(dressed(RED, BLACK)), described(dressed(RED, BLACK, seed=1))
    assert one @ again > 0.97
    for top, legs in ((BLUE, BLACK), (RED, WHITE), (BLACK, RED)):
        assert one @ described(dressed(top, legs)) < 0.9


def test_nearer_and_farther_are_alike():
    picture = dressed(RED, BLUE)
    far = cv2.resize(picture, (120, 100), interpolation=cv2.INTER_AREA)
    assert described(picture) @ described(far, BOX / 2) > 0.95


def test_only_those_of_interest_are_described():
    boxes = np.concatenate([BOX, BOX + 5, BOX - 5])
    found = describe(dressed(RED, BLUE), boxes, np.array([True, False, True]))
    assert found.shape == (3, SIZE)
    assert found.any(axis=1).tolist() == [True, False, True]
    assert describe(dressed(RED, BLUE), np.zeros((0, 4)), np.zeros(0, bool)).shape == (0, SIZE)


@given(arrays(np.float32, (3, 4), elements=st.floats(-500, 2000, width=32)))
def test_any_box_of_real_footage_is_described_by_shares(boxes):
    found = describe(street(1)[0], boxes, np.ones(3, bool))
    np.testing.assert_allclose((found**2).sum(axis=1), 1.0, rtol=1e-4)
