import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.detections import Detections
from detectors.suppression import suppress
from safecity.geometry import iou

objects = st.lists(
    st.tuples(
        st.integers(0, 60), st.integers(0, 60), st.integers(1, 40), st.integers(1, 40),
        st.integers(1, 100), st.integers(0, 1),
    ),
    max_size=14,
)  # fmt: skip


def detections(rows):
    array = np.array(rows, np.float32).reshape(-1, 6)
    xyxy = np.concatenate([array[:, :2], array[:, :2] + array[:, 2:4]], axis=1)
    return Detections(xyxy, array[:, 4] / 100, array[:, 5].astype(np.int64))


@given(objects, st.sampled_from([0.3, 0.5, 0.6]))
def test_what_stays_does_not_overlap_and_what_goes_had_a_better_rival(rows, threshold):
    found = detections(rows)
    stays = suppress(found, threshold)
    overlap = iou(found.xyxy, found.xyxy) > threshold
    same = found.class_id[:, None] == found.class_id[None, :]
    for i in stays:
        assert not any(overlap[i, j] and same[i, j] for j in stays if j != i)
    for i in set(range(len(found))) - set(stays.tolist()):
        assert any(overlap[i, j] and same[i, j] and found.confidence[j] >= found.confidence[i] for j in stays)


@given(objects)
def test_the_most_confident_comes_first_and_twice_is_as_once(rows):
    found = detections(rows)
    kept = found.select(suppress(found, 0.5))
    assert (np.diff(kept.confidence) <= 0).all()
    assert len(suppress(kept, 0.5)) == len(kept)
