"""From eight bits to floats and back: the same model sees the same."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto

from detectors.agreement import agreement
from detectors.backends.onnx import OnnxBackend
from detectors.building.dequantised import dequantise
from detectors.building.quantisation import LEAST_PICTURES, quantise, tail
from detectors.cards import load_card
from detectors.detector import detector_of
from detectors.inspection import Wishes, inspect
from detectors.pictures import sample
from tests.detectors.footage import STREET, street
from tests.detectors.models import box_finder, trained


@pytest.fixture(scope="module")
def floats(tmp_path_factory):
    return dequantise(load_card("nanodet-g"), tmp_path_factory.mktemp("fp32") / "floats.onnx")


def kinds(card):
    return [node.op_type for node in onnx.load(str(card.file)).graph.node]


def test_the_float_model_has_no_eight_bit_node_left(floats):
    assert not {"QuantizeLinear", "DequantizeLinear"} & set(kinds(floats))
    graph = onnx.load(str(floats.file)).graph
    assert graph.input[0].type.tensor_type.elem_type == TensorProto.FLOAT
    assert all(tensor.data_type in (TensorProto.FLOAT, TensorProto.INT64) for tensor in graph.initializer)
    assert floats.name == "nanodet-g-fp32"


def test_the_float_model_says_almost_what_the_shipped_one_says(floats):
    picture = street(1)[0]
    whole = OnnxBackend(load_card("nanodet-g")).infer(picture, (576, 320))
    exact = OnnxBackend(floats).infer(picture, (576, 320))
    for a, b in zip(whole[:3], exact[:3], strict=True):
        assert float(np.abs(a - b).mean()) < 0.002
        assert float(np.corrcoef(a.ravel(), b.ravel())[0, 1]) > 0.97


def test_the_float_model_sees_what_the_shipped_one_sees(floats):
    pictures = street(6, step=20)
    found = [
        [detector_of(card, "onnx", card.labels).detect(picture) for picture in pictures]
        for card in (load_card("nanodet-g"), floats)
    ]
    said = agreement(*found, confidence=0.5)
    assert said.first > 10
    assert said.matched_share > 0.95
    assert abs(said.confidence_difference) < 0.03


def test_what_is_in_floats_already_cannot_be_dequantised(floats, tmp_path):
    with pytest.raises(ValueError, match="not in QDQ format"):
        dequantise(floats, tmp_path / "again.onnx")


def brightness(card, picture):
    return OnnxBackend(card).infer(picture, (64, 64))[0][0, 4]


def test_a_model_goes_to_eight_bits_and_takes_raw_pixels(tmp_path):
    card, _ = inspect(box_finder(tmp_path / "m.onnx"), "m", Wishes(labels=("bright", "grey", "dark")))
    small = quantise(card, street(12, step=8), tmp_path / "m-int8.onnx")
    assert onnxruntime.InferenceSession(str(small.file)).get_inputs()[0].type == "tensor(uint8)"
    assert not small.input.normalises
    for picture in street(3, step=30):
        exact, whole = brightness(card, picture), brightness(small, picture)
        assert exact.max() - exact.min() > 0.1, "the pictures have light and shade"
        np.testing.assert_allclose(whole, exact, atol=0.02)


def test_boxes_and_scores_are_joined_in_floats(tmp_path):
    """In eight bits the scale of pixels would leave nothing of the scores."""
    model = onnx.load(str(box_finder(tmp_path / "m.onnx")))
    for index, node in enumerate(model.graph.node):
        node.name = f"{node.op_type}_{index}"
    named = tail(model.graph)
    assert not any(name.startswith("Conv") for name in named)
    assert {name.partition("_")[0] for name in named} == {"AveragePool", "Reshape", "Concat"}


def test_a_handful_of_pictures_is_no_calibration(tmp_path):
    card, _ = inspect(box_finder(tmp_path / "m.onnx"), "m", Wishes(labels=("bright", "grey", "dark")))
    with pytest.raises(ValueError, match=f"there are 2 pictures to calibrate with; want {LEAST_PICTURES}"):
        quantise(card, street(2), tmp_path / "m-int8.onnx")


def same_detections(file, folder):
    card, _ = inspect(file, file.stem, Wishes())
    pictures = sample(STREET, 16)
    small = quantise(card, pictures[::2], folder / "int8.onnx")
    found = [
        [detector_of(c, "onnx", c.labels).detect(picture) for picture in pictures[1::2]]
        for c in (card, small)
    ]
    said = agreement(*found, confidence=0.5)
    assert said.first > 5
    assert said.matched_share > 0.85


TRAINED = [file for name in ("yolov8n_416", "ssdlite_mbv2_300") for file in trained(name)]


def test_trained_models_see_the_same_in_eight_bits(tmp_path):
    for file in TRAINED:
        same_detections(file, tmp_path)
