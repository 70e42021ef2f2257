import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.homography import fit_homography

PICTURE = np.array([[0.2, 0.9], [0.8, 0.9], [0.6, 0.4], [0.4, 0.4]])
GROUND = np.array([[0, 0], [8, 0], [8, 40], [0, 40]], float)


def test_the_points_come_out_where_they_were_measured():
    assert fit_homography(PICTURE, GROUND).metres(PICTURE) == pytest.approx(GROUND, abs=1e-6)


def test_what_is_far_is_seen_small():
    ground = fit_homography(PICTURE, GROUND)
    near, far = (np.diff(ground.metres(np.array([[0.5, y], [0.5, y - 0.05]])), axis=0) for y in (0.9, 0.45))
    assert np.linalg.norm(far) > 3 * np.linalg.norm(near)


shifts = st.tuples(st.floats(-2, 2), st.floats(-2, 2))


@settings(deadline=None)
@given(st.lists(shifts, min_size=4, max_size=4), st.floats(0.1, 30))
def test_a_camera_over_any_quadrangle_is_found_again(places, scale):
    ground = scale * (GROUND + np.array(places))
    assert fit_homography(PICTURE, ground).metres(PICTURE) == pytest.approx(ground, abs=1e-3)


@pytest.mark.parametrize(
    ("picture", "ground", "words"),
    [
        (PICTURE[:3], GROUND[:3], "four or more points"),
        (np.array([[0.1, 0.1], [0.2, 0.2], [0.3, 0.3], [0.9, 0.1]]), GROUND, "do not fit together"),
        (PICTURE, GROUND[[0, 2, 1, 3]], "do not fit together"),
        (PICTURE, np.zeros((4, 2)), "all the same"),
        (np.array([[0.1, 0.1], [0.2, 0.2], [0.3, 0.3], [0.4, 0.4]]), GROUND, "on one line"),
        (
            np.vstack([PICTURE, [0.5, 0.65]]),
            np.vstack([GROUND, [70, 10]]),
            r"number \d is \d+\.\d m off",
        ),
    ],
)
def test_points_that_do_not_fit_are_refused(picture, ground, words):
    with pytest.raises(ValueError, match=words):
        fit_homography(picture, ground)
