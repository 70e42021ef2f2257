"""Every backend says the same of the same model; the optional ones where they are installed."""

from importlib.util import find_spec

import numpy as np
import pytest

from detectors.agreement import agreement
from detectors.cards import load_card
from detectors.detector import detector_of
from detectors.inspection import Wishes, inspect
from safecity.plugins import load_plugin
from tests.detectors.footage import street
from tests.detectors.models import box_finder

BACKENDS = ["onnx", *(["openvino"] if find_spec("openvino") else [])]
MISSING = [name for name in ("openvino", "ultralytics") if not find_spec(name)]
NAMES = ("bright", "grey", "dark")


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_backend_computes_what_the_model_says(backend, tmp_path):
    card, _ = inspect(box_finder(tmp_path / "m.onnx"), "m", Wishes(labels=NAMES))
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[16:24, 32:40] = 255
    (output,) = load_plugin("detectors.backends", backend).build(card).infer(picture, (64, 64))
    scores = output[0, 4, :64].reshape(8, 8)
    assert np.unravel_index(scores.argmax(), scores.shape) == (2, 4)
    assert output[0, :4, 20].tolist() == [36, 20, 16, 16]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_backend_sees_what_onnx_runtime_sees_at_any_size(backend):
    card = load_card("nanodet-g")
    pictures = [*street(4, step=30), street(1)[0][:, :300]]
    found = [
        [detector_of(card, name, card.labels).detect(picture) for picture in pictures]
        for name in ("onnx", backend)
    ]
    said = agreement(*found, confidence=0.5)
    assert said.first > 5
    assert said.matched_share > 0.9


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_backend_names_a_file_that_it_cannot_load(backend, tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    card = load_card("nanodet-g").model_copy(update={"file": tmp_path / "bad.onnx"})
    with pytest.raises(ValueError, match=r"bad\.onnx: .* cannot load it"):
        load_plugin("detectors.backends", backend).build(card)


def test_a_backend_that_is_not_installed_says_what_to_install():
    card = load_card("nanodet-g").model_copy(update={"head": "end_to_end"})
    for name in MISSING:
        with pytest.raises(ValueError, match=rf'needs: pip install "safecity\[{name}\]"'):
            load_plugin("detectors.backends", name).build(card)
