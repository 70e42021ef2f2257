import cv2
import numpy as np
import pytest

from detectors.pictures import sample
from tests.detectors.footage import STREET


def test_pictures_are_spread_evenly_over_a_video():
    few, more = sample(STREET, 4), sample(STREET, 8)
    assert len(few) == 4
    assert all(np.array_equal(a, b) for a, b in zip(few, more[::2], strict=True))
    assert few[0].dtype == np.uint8
    assert few[0].shape[2] == 3


def test_a_folder_gives_its_photographs_in_order(tmp_path):
    for k in range(6):
        cv2.imwrite(str(tmp_path / f"{k}.png"), np.full((8, 8, 3), 40 * k, np.uint8))
    (tmp_path / "notes.txt").write_text("no picture")
    assert [int(p[0, 0, 0]) for p in sample(tmp_path, 3)] == [0, 80, 160]
    assert len(sample(tmp_path, 100)) == 6
    assert sample(tmp_path / "5.png", 4)[0].max() == 200


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.mp4", None, "is not there"),
        ("none.jpg", None, "is not there"),
        ("bad.mp4", b"no video", "cannot be read"),
        ("bad.jpg", b"no picture", "is no picture that can be read"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name}: {message}"):
        sample(tmp_path / name, 4)


def test_an_empty_folder_is_said_to_be_empty(tmp_path):
    with pytest.raises(ValueError, match="holds no pictures"):
        sample(tmp_path, 4)
