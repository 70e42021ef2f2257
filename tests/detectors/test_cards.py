import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.cards import ModelInput, card_names, load_card

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
    with pytest.raises(ValueError, match=r"no head is called 'ssd9'; there are: end_to_end, nanodet"):
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
