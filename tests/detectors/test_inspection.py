"""What is found out of a model file: made ones always, trained ones where they are."""

import cv2
import numpy as np
import pytest
from onnx import TensorProto

from detectors.card_file import write_card
from detectors.cards import load_card
from detectors.detector import detector_of
from detectors.inspection import Wishes, inspect
from tests.detectors.footage import street
from tests.detectors.models import box_finder, trained

NAMES = ("bright", "grey", "dark")


def test_a_yolo_like_file_says_almost_all_of_itself(tmp_path):
    card, findings = inspect(box_finder(tmp_path / "m.onnx"), "m", Wishes(labels=NAMES))
    assert (card.head, card.labels, card.input.width, card.input.height) == ("yolo", NAMES, 64, 64)
    assert (card.input.fit, card.input.colour, card.input.std) == ("letterbox", "rgb", (255.0,) * 3)
    assert {finding.what for finding in findings} == {"input", "head", "labels", "pixels"}


def test_a_card_that_was_found_out_sees_the_bright_spot(tmp_path):
    card, _ = inspect(box_finder(tmp_path / "m.onnx"), "m", Wishes(labels=NAMES))
    picture = np.zeros((128, 256, 3), np.uint8)
    picture[32:64, 160:192] = 255
    found = detector_of(card, "onnx", NAMES).detect(picture)
    best = found.xyxy[np.argmax(found.confidence)]
    assert found.confidence.max() > 0.7
    # A letterbox of 64 x 64 shrinks it four times: the spot is one cell of 8, its box two.
    np.testing.assert_allclose(best, [144, 16, 208, 80], atol=1)


def test_a_model_of_raw_pixels_gets_no_normalisation(tmp_path):
    card, _ = inspect(box_finder(tmp_path / "m.onnx", dtype=TensorProto.UINT8), "m", Wishes(labels=NAMES))
    assert not card.input.normalises


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        (Wishes(), "has 3 classes; name them with --labels"),
        (Wishes(labels=("one",)), r"has 3 classes, and there are 1 labels \(--labels\)"),
        (Wishes(labels=NAMES, head="ssd"), "which the head ssd cannot read"),
        (Wishes(labels=NAMES, head="yolo9"), "no detectors.heads plug-in is called 'yolo9'"),
        (Wishes(labels=NAMES, size=(32, 32)), "its input is fixed at 64x64; leave --size away"),
    ],
)
def test_what_cannot_be_found_out_or_does_not_fit_is_said(tmp_path, wishes, message):
    with pytest.raises(ValueError, match=message):
        inspect(box_finder(tmp_path / "m.onnx"), "m", wishes)


def test_a_file_that_is_no_model_is_named(tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"m\.onnx: onnxruntime cannot load it"):
        inspect(tmp_path / "m.onnx", "m", Wishes())


def test_the_shipped_model_is_found_out_as_its_card_says():
    card = load_card("nanodet-g")
    found, _ = inspect(card.file, "nanodet-g", Wishes(size=(416, 416)))
    assert (found.head, found.labels, found.input) == (card.head, card.labels, card.input)


def test_an_open_size_has_to_be_said():
    with pytest.raises(ValueError, match=r"say which to spend, .*--size 416x416"):
        inspect(load_card("nanodet-g").file, "m", Wishes())


EXPECTED = {
    "yolov8n_416": ("yolo", 80, "letterbox", "nchw"),
    "ssdlite_mbv2_300": ("ssd", 90, "stretch", "nhwc"),
    "nanodet_g_416_fp32": ("nanodet", 80, "stretch", "nchw"),
}
FILES = [(file, name) for name in EXPECTED for file in trained(name)]


def sees_the_street(file, name, folder):
    card, _ = inspect(file, name, Wishes())
    assert (card.head, len(card.labels), card.input.fit, card.input.layout) == EXPECTED[name]
    detector = detector_of(load_card(str(write_card(card, folder / "m.toml"))), "onnx", card.labels)
    picture = cv2.resize(street(1)[0], None, fx=2, fy=2)
    found = detector.detect(picture)
    people = found.select((found.confidence >= 0.5) & (found.class_id == 0))
    assert len(people) >= 2
    reference = detector_of(load_card("nanodet-g"), "onnx", ["person"]).detect(picture)
    centres = [(box[:2] + box[2:]) / 2 for box in reference.xyxy[reference.confidence >= 0.2]]
    for box in people.xyxy:
        assert any((box[:2] <= c).all() and (c <= box[2:]).all() for c in centres), "another person"


def test_trained_models_are_found_out_and_see_people_where_others_see_them(tmp_path):
    for file, name in FILES:
        sees_the_street(file, name, tmp_path)
