import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import card_file
from detectors.cards import ModelInput, card_names, load_card
from detectors.labels import COCO80, COCO90

CARD = """
name = "tiny"
file = "tiny.onnx"
sha256 = "{sha256}"
head = "{head}"
licence = "Apache-2.0"
source = "the tests"
labels = ["person"]
[input]
width = 416
height = 416
"""


def write_card(folder, *, sha256=None, head="nanodet", model=b"weights"):
    if model is not None:
        (folder / "tiny.onnx").write_bytes(model)
    sha256 = sha256 or hashlib.sha256(model or b"").hexdigest()
    path = folder / "tiny.toml"
    path.write_text(CARD.format(sha256=sha256, head=head))
    return path


def test_a_card_by_its_path_knows_its_model_and_what_it_is(tmp_path):
    card = load_card(str(write_card(tmp_path)))
    assert card.file == tmp_path / "tiny.onnx"
    assert card.identity == f"tiny@{hashlib.sha256(b'weights').hexdigest()[:12]}"


@pytest.mark.parametrize("name", card_names())
def test_every_shipped_card_describes_its_model(name):
    card = load_card(name)
    assert card.name == name
    assert len(set(card.labels)) == len(card.labels)


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(ValueError, match=r"no model is called 'yolo'; there are: nanodet-g"):
        load_card("yolo")


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"file: .*tiny\.onnx is not there"):
        load_card(str(write_card(tmp_path, model=None, sha256="0" * 64)))


def test_a_changed_model_is_refused(tmp_path):
    with pytest.raises(ValueError, match="is not the file that the card describes"):
        load_card(str(write_card(tmp_path, sha256="0" * 64)))


def test_an_unknown_head_lists_those_there_are(tmp_path):
    with pytest.raises(
        ValueError, match=r"no head is called 'ssd9'; there are: end_to_end, nanodet, nanodet_plus"
    ):
        load_card(str(write_card(tmp_path, head="ssd9")))


@pytest.mark.parametrize(
    ("text", "message"),
    [("name = ", "not TOML"), ('name = "x"\nwheels = 4', "wheels: Extra inputs"), ('name = ""', "name: ")],
)
def test_what_is_wrong_in_a_card_is_named(tmp_path, text, message):
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        load_card(str(path))


def test_a_fixed_input_is_what_it_is():
    assert ModelInput(width=416, height=320).size_for(1920, 1080) == (416, 320)


@pytest.mark.parametrize(
    ("picture", "size"),
    [
        ((1280, 720), (576, 320)),
        ((640, 360), (576, 320)),
        ((768, 576), (512, 384)),
        ((720, 1280), (320, 576)),
    ],
)
def test_a_free_input_keeps_the_shape_of_the_picture(picture, size):
    assert ModelInput(width=416, height=416, free=32).size_for(*picture) == size


@given(st.integers(1, 8000), st.integers(1, 8000))
def test_a_free_input_never_costs_much_more_and_is_a_multiple(width, height):
    chosen = ModelInput(width=416, height=416, free=32).size_for(width, height)
    assert all(side % 32 == 0 and side > 0 for side in chosen)
    assert chosen[0] * chosen[1] <= 1.15 * 416 * 416
    if 0.4 <= width / height <= 2.5:
        assert abs(np.log(chosen[0] / chosen[1] * height / width)) <= 0.05


TEN_LINES = """
name = "own"
file = "tiny.onnx"
head = "yolo"
labels = "coco80"
[input]
width = 640
height = 384
fit = "letterbox"
colour = "rgb"
std = 255
"""


def test_a_card_of_ten_lines_will_do(tmp_path):
    (tmp_path / "tiny.onnx").write_bytes(b"weights")
    path = tmp_path / "own.toml"
    path.write_text(TEN_LINES)
    card = load_card(str(path))
    assert card.labels[:2] == ("person", "bicycle")
    assert card.input.std == (255.0, 255.0, 255.0)
    assert card.identity == f"own@{hashlib.sha256(b'weights').hexdigest()[:12]}", (
        "found where it is not given"
    )


def test_a_written_card_says_the_same_when_it_is_read(tmp_path):
    (tmp_path / "tiny.onnx").write_bytes(b"weights")
    path = tmp_path / "own.toml"
    path.write_text(TEN_LINES)
    card = load_card(str(path))
    odd = card.model_copy(update={"source": 'of "mine", \\ and ü', "labels": ("a", "b c")})
    for written in (card, odd):
        card_file.write_card(written.model_copy(update={"file": Path("tiny.onnx")}), tmp_path / "again.toml")
        assert load_card(str(tmp_path / "again.toml")) == written


def test_coco_has_ninety_ids_and_eighty_classes():
    assert (len(COCO90), len(set(COCO90)), len(COCO80)) == (90, 90, 80)
    # Ids as the data set publishes them.
    for number, name in ((1, "person"), (13, "stop sign"), (44, "bottle"), (62, "chair"), (90, "toothbrush")):
        assert COCO90[number - 1] == name


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('labels = "coco7"', "no set of labels is called 'coco7'; there are: coco80, coco90"),
        ("labels = []", "labels: Tuple should have at least 1 item"),
    ],
)
def test_wrong_labels_are_named(tmp_path, line, message):
    path = tmp_path / "own.toml"
    path.write_text(TEN_LINES.replace('labels = "coco80"', line))
    with pytest.raises(ValueError, match=message):
        load_card(str(path))


def test_nothing_is_divided_by_zero(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(TEN_LINES.replace("std = 255", "std = 0"))
    with pytest.raises(ValueError, match=r"input\.std"):
        load_card(str(path))
