import hashlib
import json

import cv2
import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.backends.onnx import OnnxBackend
from detectors.backends.scripted import paint_number, read_number
from detectors.cards import MODELS, ModelInput, load_card
from detectors.detections import Detections
from detectors.detector import Detector, build_detector
from detectors.suppression import MOST_CANDIDATES, suppress
from safecity.settings import DetectorSettings
from tests.detectors.footage import street


class Script:
    """A backend and head in one that sees one box, given in shares of the picture."""

    IOU = None

    def __init__(self, share):
        self.share = np.array(share, np.float32)

    def infer(self, bgr, size):
        return [self.share]

    def decode(self, outputs, size, floor):
        xyxy = outputs[0] * np.array([*size, *size], np.float32)
        return Detections(xyxy[None], np.array([0.9], np.float32), np.array([0]))


class EverywhereTwice(Script):
    """Sees each of many boxes twice over, as a model of anchors does, and a bicycle at each of them."""

    IOU = 0.6

    def decode(self, outputs, size, floor):
        corners = np.random.default_rng(0).uniform(0, 400, (4000, 2)).astype(np.float32)
        boxes = np.concatenate([corners, corners + 8], axis=1)
        confidence = np.linspace(0.9, 0.2, 4000, dtype=np.float32)
        classes = np.repeat([0, 1], 4000)
        return Detections(np.tile(boxes, (2, 1)), np.tile(confidence, 2), classes)


def people(found, least=0.5):
    return found.select((found.class_id == 0) & (found.confidence >= least))


@given(
    st.sampled_from([(720, 1280), (576, 768), (1280, 720), (97, 333)]),
    st.tuples(*[st.floats(0, 1, width=32) for _ in range(4)]),
    st.sampled_from([0, 32]),
)
def test_a_box_comes_back_to_where_it_is_in_the_picture(shape, share, free):
    card = load_card("nanodet-g").model_copy(update={"input": ModelInput(width=416, height=416, free=free)})
    script = Script(share)
    found = Detector(card, script, script, ["person"]).detect(np.zeros((*shape, 3), np.uint8))
    height, width = shape
    np.testing.assert_allclose(
        found.xyxy[0], np.array(share) * [width, height, width, height], atol=2e-3 * max(shape) / 100
    )


def test_boxes_end_at_the_edge_of_the_picture():
    script = Script((-0.5, -0.5, 1.5, 1.5))
    found = Detector(load_card("nanodet-g"), script, script, ["person"]).detect(
        np.zeros((90, 160, 3), np.uint8)
    )
    assert found.xyxy.tolist() == [[0, 0, 160, 90]]


def test_an_object_is_seen_once_and_what_is_not_asked_for_takes_no_place():
    script = EverywhereTwice((0, 0, 1, 1))
    found = Detector(load_card("nanodet-g"), script, script, ["person"]).detect(
        np.zeros((416, 416, 3), np.uint8)
    )
    assert set(found.class_id.tolist()) == {0}
    assert 100 < len(found) <= MOST_CANDIDATES
    assert len(suppress(found, 0.6)) == len(found)


def test_pedestrians_in_the_street_are_found_and_always_the_same():
    first, second = build_detector(DetectorSettings()), build_detector(DetectorSettings())
    counts = []
    for picture in street(6, step=20):
        found, again = first.detect(picture), second.detect(picture)
        assert found.xyxy.tobytes() == again.xyxy.tobytes()
        assert found.confidence.tobytes() == again.confidence.tobytes()
        seen = people(found)
        heights = seen.xyxy[:, 3] - seen.xyxy[:, 1]
        assert (heights > seen.xyxy[:, 2] - seen.xyxy[:, 0]).all(), "people stand"
        counts.append(len(seen))
    assert min(counts) >= 1
    assert sum(counts) >= 15


def test_a_session_takes_pictures_of_different_shapes_in_turn():
    detector = build_detector(DetectorSettings())
    picture = street(1)[0]
    narrow = np.ascontiguousarray(picture[:, : picture.shape[1] // 2])
    alone = detector.detect(picture)
    detector.detect(narrow)
    assert detector.detect(picture).xyxy.tobytes() == alone.xyxy.tobytes()


def test_only_the_wanted_classes_are_reported():
    detector = build_detector(DetectorSettings(labels=("car",)))
    found = detector.detect(street(1)[0])
    assert set(found.class_id.tolist()) == {detector.labels.index("car")}


def test_a_class_that_the_model_does_not_know_is_named():
    with pytest.raises(ValueError, match=r"does not know drone; it knows: person"):
        build_detector(DetectorSettings(labels=("person", "drone")))


def test_a_file_that_is_no_model_is_named(tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    text = (MODELS / "nanodet-g.toml").read_text()
    card = load_card("nanodet-g")
    text = text.replace("nanodet-g.onnx", "bad.onnx")
    text = text.replace(card.sha256, hashlib.sha256(b"no model").hexdigest())
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(ValueError, match=r"bad\.onnx: onnxruntime cannot load it"):
        build_detector(DetectorSettings(model=str(tmp_path / "bad.toml")))


def script_card(folder, lines):
    script = "\n".join(json.dumps(line) for line in lines)
    (folder / "script.jsonl").write_text(script)
    digest = hashlib.sha256(script.encode()).hexdigest()
    (folder / "script.toml").write_text(
        f'name = "script"\nfile = "script.jsonl"\nsha256 = "{digest}"\nhead = "end_to_end"\n'
        'licence = "none"\nsource = "tests"\nlabels = ["person", "car"]\n[input]\nwidth = 100\nheight = 100\n'
    )
    return DetectorSettings(backend="scripted", model=str(folder / "script.toml"), labels=("person", "car"))


def test_a_script_is_said_line_by_line_and_then_nothing(tmp_path):
    car = {"label": "car", "confidence": 0.8, "box": [0.25, 0.5, 0.5, 1.0]}
    detector = build_detector(script_card(tmp_path, [[car], [], [car, car]]))
    picture = np.zeros((200, 400, 3), np.uint8)
    first = detector.detect(picture)
    assert first.xyxy.tolist() == [[100, 100, 200, 200]]
    assert first.class_id.tolist() == [1]
    assert [len(detector.detect(picture)) for _ in range(4)] == [0, 2, 0, 0]


def test_a_numbered_script_is_said_by_what_the_picture_shows_whoever_looks(tmp_path):
    car = {"label": "car", "confidence": 0.8, "box": [0.25, 0.5, 0.5, 1.0]}
    settings = script_card(tmp_path, ["numbered", [], [car], [car, car]])
    one, other = build_detector(settings), build_detector(settings)
    for number in (2, 0, 1, 65_535, 40_000):
        picture = np.full((72, 128, 3), 90, np.uint8)
        paint_number(picture, number)
        coded = cv2.imdecode(cv2.imencode(".jpg", picture)[1], cv2.IMREAD_COLOR)
        assert read_number(coded) == number
        assert len(one.detect(coded)) == len(other.detect(coded)) == number % 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"label": "dog", "confidence": 0.5, "box": [0, 0, 1, 1]},
        {"label": "car", "confidence": 2, "box": [0, 0, 1, 1]},
        {"label": "car", "confidence": 0.5, "box": [0, 0, 1]},
    ],
)
def test_a_wrong_line_of_a_script_is_named(tmp_path, wrong):
    settings = script_card(tmp_path, [[], [wrong]])
    with pytest.raises(ValueError, match=r"script\.jsonl:2: "):
        build_detector(settings)


def test_the_shipped_model_takes_regions_of_any_multiple_of_32():
    card = load_card("nanodet-g")
    backend = OnnxBackend(card)
    for width, height in ((96, 96), (320, 64), (32, 160), (96, 96)):
        outputs = backend.infer(street(1)[0][:height, :width], (width, height))
        cells = [(width // stride) * (height // stride) for stride in (8, 16, 32)]
        assert [o.shape[:2] for o in outputs] == [(1, n) for n in cells * 2]


def test_a_size_that_a_model_cannot_take_is_named():
    with pytest.raises(ValueError, match="an input of 100 x 40 pixels"):
        OnnxBackend(load_card("nanodet-g")).infer(street(1)[0], (100, 40))


def test_the_shipped_model_sees_the_same_on_every_processor():
    """With and without the runtime's exact mode, which it needs where there is no VNNI."""
    card = load_card("nanodet-g")
    pixels = np.ascontiguousarray(cv2.resize(street(1)[0], (416, 320)).transpose(2, 0, 1)[None])
    seen = []
    for exact in "01":
        options = onnxruntime.SessionOptions()
        options.add_session_config_entry("session.x64quantprecision", exact)
        session = onnxruntime.InferenceSession(str(card.file), options)
        seen.append(session.run(None, {"input_1": pixels}))
    for fast, exact in zip(*seen, strict=True):
        np.testing.assert_array_equal(fast, exact)
