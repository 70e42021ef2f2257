import numpy as np
import pytest

from detectors.detections import Detections


def one(xyxy=(0, 0, 4, 8), confidence=0.5):
    return Detections(np.array([xyxy], np.float32), np.array([confidence], np.float32), np.array([0]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Detections(np.zeros((2, 4), np.float32), np.zeros(1, np.float32), np.zeros(2, int)), "conf"),
        (lambda: Detections(np.zeros((1, 5), np.float32), np.zeros(1, np.float32), np.zeros(1, int)), "xyxy"),
        (lambda: one(xyxy=(0, 0, np.nan, 1)), "not finite"),
        (lambda: one(confidence=1.5), "outside 0 to 1"),
        (lambda: one(confidence=np.nan), "outside 0 to 1"),
    ],
)
def test_arrays_that_do_not_fit_cannot_exist(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_selection_keeps_rows_together():
    both = Detections(
        np.array([[0, 0, 1, 1], [2, 2, 3, 3]], np.float32), np.array([0.1, 0.9], np.float32), np.array([4, 7])
    )
    chosen = both.select(np.array([False, True]))
    assert chosen.xyxy.tolist() == [[2, 2, 3, 3]]
    assert chosen.class_id.tolist() == [7]
    assert len(Detections.empty()) == 0
