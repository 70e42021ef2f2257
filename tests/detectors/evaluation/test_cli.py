"""``safecity evaluate`` on the shipped footage, with a truth made from what the shipped model sees in it."""

import json
import subprocess
import sys

import av
import cv2
import pytest

from detectors.detector import build_detector
from safecity.settings import DetectorSettings
from tests.detectors.footage import STREET, street

FRAMES = 60


def safecity(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "safecity", "evaluate", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=240,
    )


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    """People that the model is sure of, each frame's by their place from the left; one that is not there."""
    detector = build_detector(DetectorSettings(labels=("person",)))
    lines = ["1,99,5,5,60,120,1,-1,-1,-1"]
    for number, picture in enumerate(street(FRAMES), 1):
        found = detector.detect(picture, 0.5)
        for order, (x1, y1, x2, y2) in enumerate(sorted(found.xyxy.tolist()), 1):
            lines.append(f"{number},{order},{x1},{y1},{x2 - x1},{y2 - y1},1,-1,-1,-1")
    path = tmp_path_factory.mktemp("truth") / "truth.txt"
    path.write_text("\n".join(lines))
    return path


def test_detections_on_footage_are_measured_on_every_fifth_frame(truth, tmp_path):
    done = safecity(
        "detect",
        STREET,
        "--truth",
        truth,
        "--every",
        5,
        "--json",
        tmp_path / "a.json",
        "--plot",
        tmp_path / "a.png",
    )
    assert done.returncode == 0, done.stderr
    said = json.loads((tmp_path / "a.json").read_text())
    assert said["pictures"] == FRAMES / 5
    assert list(said["by_class"]) == ["person"]
    assert said["ap50"] == said["by_class"]["person"]["ap50"] == pytest.approx(1.0, abs=0.03)
    assert said["ap50_95"] == pytest.approx(1.0, abs=0.03), "the boxes are the model's own"
    assert (said["misses"], said["right"]) == (1, said["truths"] - 1), "only who is not there is missed"
    assert "AP50" in done.stdout
    assert cv2.imread(str(tmp_path / "a.png")).shape[0] > 100


def test_tracks_on_footage_are_measured_at_each_rate(truth, tmp_path):
    with av.open(str(STREET)) as container:
        rate = float(container.streams.video[0].average_rate)
    done = safecity(
        "track", STREET, "--truth", truth, "--rates", "5,2,500", "--json", tmp_path / "a.json", "--plot",
        tmp_path / "a.png",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads((tmp_path / "a.json").read_text())
    assert said["analysed_fps"] == pytest.approx(rate)
    assert [row["analysed_fps"] for row in said["rates"]] == [5.0, 2.0]
    assert said["rates_above_footage"] == [500.0]
    keys = {"mota", "idf1", "hota", "deta", "assa", "id_switches", "fragmentations", "misses", "false_alarms"}
    for row in (said, *said["rates"]):
        assert keys <= set(row)
        assert 0 < row["mota"] <= 1
        assert row["misses"] >= 1
    assert said["truths"] > said["rates"][0]["truths"] > said["rates"][1]["truths"] > 0
    assert "HOTA" in done.stdout
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_a_dataset_is_measured_by_class(tmp_path):
    detector = build_detector(DetectorSettings())
    person = detector.labels.index("person")
    for number, picture in enumerate(street(3, step=40)):
        height, width = picture.shape[:2]
        for folder in ("images", "labels"):
            (tmp_path / folder).mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / "images" / f"{number}.png"), picture)
        found = detector.detect(picture, 0.5)
        boxes = found.xyxy[found.class_id == person]
        lines = [
            f"0 {(x1 + x2) / 2 / width} {(y1 + y2) / 2 / height} {(x2 - x1) / width} {(y2 - y1) / height}"
            for x1, y1, x2, y2 in boxes.tolist()
        ]
        (tmp_path / "labels" / f"{number}.txt").write_text("\n".join(lines))
    (tmp_path / "data.yaml").write_text("names: [person, rickshaw]\nval: images\n")
    done = safecity("detect", tmp_path, "--json", tmp_path / "a.json")
    assert done.returncode == 0, done.stderr
    said = json.loads((tmp_path / "a.json").read_text())
    assert (said["format"], said["pictures"], said["unknown_labels"]) == ("yolo", 3, ["rickshaw"])
    assert said["ap50_95"] == pytest.approx(1.0, abs=0.01)
    assert sum(area["truths"] for area in said["by_area"].values()) == said["truths"] > 0
    assert "rickshaw" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["detect", "none"], "none is not there"),
        (["detect", STREET], "for a video give --truth MOT.txt"),
        (["detect", STREET, "--truth", "none.txt"], "none.txt"),
        (["detect", STREET, "--truth", "{truth}", "--labels", "person,car"], "name that one"),
        (["detect", STREET, "--truth", "{truth}", "--labels", "tank"], "the model does not know tank"),
        (["track", "{truth}", "--truth", "{truth}"], "not a video that can be read"),
        (["track", STREET, "--truth", "{truth}", "--rates", "ten"], "--rates: want frames a second"),
        (["track", STREET, "--truth", "{truth}", "--model", "tank"], "no model is called 'tank'"),
        (["track", STREET, "--truth", "{wrong}"], "wrong.txt:1: want frame,id,left,top,width,height"),
        (["track", STREET, "--truth", "{long}", "--rates", "1"], "the truth goes up to frame 99999"),
    ],
)
def test_what_is_asked_wrongly_is_answered_in_a_line(truth, tmp_path, arguments, message):
    (tmp_path / "wrong.txt").write_text("a,b\n")
    (tmp_path / "long.txt").write_text("99999,1,0,0,5,5\n")
    places = {"truth": truth, "wrong": tmp_path / "wrong.txt", "long": tmp_path / "long.txt"}
    done = safecity(*(str(argument).format(**places) for argument in arguments))
    assert done.returncode == 2, done.stdout
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
