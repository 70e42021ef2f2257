"""ultralytics for real: a network built from its architecture is exported, checked and run on the footage.

No checkpoint is downloaded. Random weights see nothing at all, so the network's normalisation is set by the
footage and its confidence shifted: what it sees then is nonsense, but it depends on the picture, surely.
"""

import json
import math
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import av
import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from detectors.backends.onnx import OnnxBackend
from detectors.cards import load_card
from detectors.detector import FAINT, build_detector, detector_of
from ingest.frame import Frame
from ingest.ledger import Outcome
from ingest.pipeline import CameraPipeline
from safecity.camera import Camera
from safecity.settings import DetectorSettings
from tests.detectors.footage import STREET, street

SIZE = 320
SURE = 0.8


def tensors(pictures):
    small = [cv2.resize(picture, (SIZE, SIZE))[:, :, ::-1].transpose(2, 0, 1) for picture in pictures]
    return torch.from_numpy(np.stack(small).astype(np.float32) / 255)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    os.environ |= {"YOLO_AUTOINSTALL": "false", "YOLO_OFFLINE": "true"}
    from ultralytics import YOLO

    torch.manual_seed(0)
    model = YOLO("yolo26n.yaml")
    network, pictures = model.model, tensors(street(16, step=10))
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None
    with torch.no_grad():
        network.train()(pictures)
        network.eval()
        scores = network(pictures)[0][:, 4:]
        shift = math.log(SURE / (1 - SURE)) - torch.logit(scores.double()).max().item()
        head = network.model[-1]
        for branch in [*head.cv3, *getattr(head, "one2one_cv3", [])]:
            branch[-1].bias += shift
    path = tmp_path_factory.mktemp("checkpoint") / "street.pt"
    model.save(path)
    return path


def safecity(*arguments, folder):
    return subprocess.run(
        [sys.executable, "-m", "safecity", "models", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=250,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="session")
def exported(checkpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    done = safecity(
        *("export", checkpoint, "--size", SIZE, "--int8", "--calibrate", STREET, "--output", "own"),
        *("--accept-agpl", "--json", "--confidence", 0.3),
        folder=folder,
    )
    return folder / "own", json.loads(done.stdout), done


def test_the_licence_has_to_be_accepted_before_anything_is_done(tmp_path):
    done = safecity("export", "yolo26n.yaml", folder=tmp_path)
    assert done.returncode == 2
    assert "AGPL-3.0" in done.stderr
    assert "--accept-agpl" in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_architecture_becomes_a_model_with_a_card(tmp_path):
    done = safecity("export", "yolo26n.yaml", "--size", SIZE, "--accept-agpl", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    card = load_card(str(tmp_path / "models" / "yolo26n.toml"))
    assert (card.licence, card.input.width, card.input.fit) == ("AGPL-3.0", SIZE, "letterbox")
    checked = safecity("check", "models/yolo26n.toml", folder=tmp_path)
    assert checked.returncode == 0, checked.stderr
    assert "good" in checked.stdout
    installs = [line for line in done.stderr.splitlines() if "Installing" in line or "installed" in line]
    assert not installs


def test_what_is_no_checkpoint_is_named(tmp_path):
    (tmp_path / "broken.pt").write_bytes(b"no checkpoint")
    done = safecity("export", "broken.pt", "--accept-agpl", folder=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "broken.pt" in done.stderr.splitlines()[-1]


def test_the_int8_model_takes_raw_pixels(exported):
    folder, said, done = exported
    assert "AGPL-3.0" in done.stderr
    small = load_card(str(folder / "street-int8.toml"))
    session = onnxruntime.InferenceSession(str(small.file))
    assert session.get_inputs()[0].type == "tensor(uint8)"
    assert not small.input.normalises
    kinds = [node.op_type for node in onnx.load(str(small.file)).graph.node]
    assert kinds.count("QuantizeLinear") > 50
    assert said["int8"]["bytes"] < said["model"]["bytes"] / 2


def logits(card, picture):
    (output,) = OnnxBackend(card).infer(picture, (SIZE, SIZE))
    scores = np.clip(output[0, 4:].astype(np.float64), 1e-7, 1 - 1e-7)
    return np.log(scores / (1 - scores)).ravel()


def test_the_int8_model_scores_as_the_original_does(exported):
    folder = exported[0]
    cards = [load_card(str(folder / f"{name}.toml")) for name in ("street", "street-int8")]
    for picture in street(4, step=30):
        whole, exact = (logits(card, picture) for card in cards)
        assert float(np.corrcoef(whole, exact)[0, 1]) > 0.6


def test_a_model_that_lost_too_much_in_eight_bits_is_reported_and_fails(exported):
    """As one with random weights does: which of 80 classes it takes turns on a hair."""
    _, said, done = exported
    assert said["agreement"]["first"] > 20, "something was compared"
    assert said["agreement"]["matched_share"] < 0.8
    assert done.returncode == 1
    assert "the int8 model has less than 80% in common with its original" in done.stderr


def test_the_exported_model_computes_what_the_checkpoint_does(exported, checkpoint):
    from ultralytics import YOLO

    card = load_card(str(exported[0] / "street.toml"))
    network = YOLO(str(checkpoint)).model.float().eval()
    network.model[-1].end2end = False
    picture = np.ascontiguousarray(street(1)[0][:300, :300])
    (output,) = OnnxBackend(card).infer(picture, (SIZE, SIZE))
    with torch.no_grad():
        expected = network(tensors([picture]))[0].numpy()
    assert output.shape == expected.shape == (1, 84, 2100)
    np.testing.assert_allclose(output[:, 4:], expected[:, 4:], atol=1e-3)
    np.testing.assert_allclose(output[:, :4], expected[:, :4], atol=0.5)


def test_the_pipeline_runs_it_over_the_footage(exported):
    model = str(exported[0] / "street-int8.toml")
    labels = load_card(model).labels
    detector = build_detector(DetectorSettings(model=model, labels=labels))
    camera = Camera(id="street", source=f"file://{STREET}", motion_gate=False)
    pipeline = CameraPipeline(camera, detector, start_confidence=0.3)
    begin, analyses = datetime(2026, 1, 1, tzinfo=UTC), []
    with av.open(str(STREET)) as container:
        for index, picture in enumerate(container.decode(video=0)):
            if index == 40:
                break
            at = begin + timedelta(seconds=index / 10)
            frame = Frame("street", index, at, at, picture)
            analyses.append(pipeline.process(frame))
    assert all(analysis.outcome is Outcome.ANALYSED for analysis in analyses)
    tracks = [track for analysis in analyses for track in analysis.observation.tracks]
    assert tracks
    assert {track.label for track in tracks} <= set(labels)


def test_the_backend_runs_a_checkpoint_as_it_is(checkpoint):
    from ultralytics import YOLO

    own = checkpoint.with_suffix(".toml")
    own.write_text(
        f'name = "street"\nfile = "{checkpoint.name}"\nhead = "end_to_end"\nlicence = "AGPL-3.0"\n'
        f'labels = "coco80"\n[input]\nwidth = {SIZE}\nheight = {SIZE}\n'
    )
    card, picture = load_card(str(own)), street(1)[0]
    found = detector_of(card, "ultralytics", card.labels).detect(picture)
    assert torch.get_num_threads() == 1
    (expected,) = YOLO(str(checkpoint)).predict(picture, imgsz=SIZE, conf=FAINT, iou=0.6, verbose=False)
    assert len(found) == len(expected.boxes) > 3
    np.testing.assert_allclose(found.xyxy, expected.boxes.xyxy.numpy(), atol=0.5)
    np.testing.assert_allclose(found.confidence, expected.boxes.conf.numpy(), atol=1e-4)
    assert found.class_id.tolist() == expected.boxes.cls.int().tolist()
