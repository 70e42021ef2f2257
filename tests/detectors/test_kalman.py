import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.kalman import BoxFilter

boxes = st.tuples(
    st.floats(0, 1000), st.floats(0, 1000), st.floats(2, 300), st.floats(2, 300)
).map(lambda b: np.array([b[0], b[1], b[0] + b[2], b[1] + b[3]]))  # fmt: skip


def centre(xyxy):
    return (xyxy[:2] + xyxy[2:]) / 2


@given(boxes)
def test_it_starts_where_it_was_seen_and_at_rest(box):
    track = BoxFilter(box)
    np.testing.assert_allclose(track.xyxy, box, atol=1e-6)
    assert track.velocity.tolist() == [0, 0]
    track.predict(2.0)
    np.testing.assert_allclose(track.xyxy, box, atol=1e-6)


@given(boxes, boxes, st.floats(0, 5))
def test_a_sight_draws_it_towards_itself_and_never_beyond(start, seen, elapsed):
    track = BoxFilter(start)
    track.predict(elapsed)
    before = track.xyxy
    track.correct(seen)
    low, high = np.minimum(centre(before), centre(seen)), np.maximum(centre(before), centre(seen))
    assert (centre(track.xyxy) >= low - 1e-6).all()
    assert (centre(track.xyxy) <= high + 1e-6).all()


@given(st.floats(-80, 80), st.floats(-40, 40), st.sampled_from([0.1, 0.2, 0.5]))
def test_it_learns_a_steady_walk_at_any_rate(vx, vy, step):
    start = np.array([500.0, 500.0, 540.0, 600.0])
    track = BoxFilter(start)
    moved = np.array([vx, vy, vx, vy])
    for k in range(1, int(6 / step) + 1):
        track.predict(step)
        track.correct(start + moved * step * k)
    assert track.velocity == pytest.approx([vx, vy], abs=2.0)
    track.predict(1.0)
    np.testing.assert_allclose(centre(track.xyxy), centre(start + moved * 7), atol=4.0)


@given(boxes, st.lists(st.floats(0, 3600), max_size=8))
def test_it_is_a_box_however_long_nothing_is_seen(box, spans):
    track = BoxFilter(box)
    track.correct(box + np.array([3, 3, -3, -3.0]) / 4)
    for span in spans:
        track.predict(span)
        assert np.isfinite(track.xyxy).all()
        assert (track.xyxy[2:] > track.xyxy[:2]).all()


def test_at_rest_it_stays():
    track = BoxFilter(np.array([0.0, 0, 10, 20]))
    track.predict(0.2)
    track.correct(np.array([5.0, 0, 15, 20]))
    track.rest()
    before = track.xyxy
    track.predict(3.0)
    np.testing.assert_allclose(track.xyxy, before)
