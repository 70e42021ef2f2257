import json
import subprocess
import sys

import pytest

from detectors.cards import MODELS
from tests.detectors.models import box_finder


def safecity(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "safecity", "models", *arguments], capture_output=True, text=True, timeout=120
    )


def test_the_models_are_listed_for_people_and_for_programs():
    assert "nanodet-g" in safecity("list").stdout
    (row,) = json.loads(safecity("list", "--json").stdout)
    assert (row["name"], row["licence"], len(row["labels"])) == ("nanodet-g", "Apache-2.0", 80)
    assert row["bytes"] == (MODELS / "nanodet-g.onnx").stat().st_size
    assert row["input"]["width"] == 416


def test_a_good_model_is_said_to_be_good():
    done = safecity("check", "nanodet-g", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["milliseconds"] > 0
    assert "good" in safecity("check").stdout


def test_a_model_that_has_changed_is_not(tmp_path):
    card = (MODELS / "nanodet-g.toml").read_text()
    (tmp_path / "nanodet-g.toml").write_text(card)
    (tmp_path / "nanodet-g.onnx").write_bytes((MODELS / "nanodet-g.onnx").read_bytes()[:-1])
    done = safecity("check", str(tmp_path / "nanodet-g.toml"))
    assert done.returncode == 2
    assert "is not the file that the card describes" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "yolo"], "no model is called 'yolo'; there are: nanodet-g"),
        (["check", "--backend", "gpu"], "no detectors.backends plug-in is called 'gpu'"),
        (["build", "yolo", "--output", "x.onnx"], "there is no recipe for 'yolo'"),
        (["add", "x", "--onnx", "none.onnx"], "none.onnx is not there"),
        (["add", "a/b", "--onnx", "none.onnx"], "want a name of letters"),
        (["add", "x", "--onnx", str(MODELS / "nanodet-g.onnx"), "--size", "wide"], "--size wide: want"),
        (["export", "yolo26n.yaml", "--int8"], "--int8 needs --calibrate"),
        (["build", "nanodet-g", "--output", "x.onnx", "--package", "none.tgz"], "none.tgz"),
    ],
)
def test_what_is_asked_wrongly_is_answered_in_a_line(arguments, message):
    done = safecity(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def added(folder, *arguments):
    file = box_finder(folder / "found.onnx")
    return safecity(
        "add",
        "spots",
        "--onnx",
        str(file),
        "--folder",
        str(folder / "own"),
        "--labels",
        "bright,grey,dark",
        *arguments,
    )


def test_a_model_of_ones_own_is_added_listed_and_checked(tmp_path):
    picture = tmp_path / "seen.jpg"
    done = added(tmp_path, "--draw", str(picture), "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["head"], said["labels"], said["licence"]) == (
        "yolo",
        ["bright", "grey", "dark"],
        "not stated",
    )
    assert picture.read_bytes()[:2] == b"\xff\xd8"
    card = tmp_path / "own" / "spots.toml"
    assert said["card"] == str(card)
    rows = json.loads(safecity("list", "--folder", str(tmp_path / "own"), "--json").stdout)
    assert [row["model"] for row in rows] == ["nanodet-g", str(card)]
    assert "spots: good" in safecity("check", str(card)).stdout


def test_a_model_is_not_replaced_by_accident(tmp_path):
    assert added(tmp_path).returncode == 0
    again = added(tmp_path)
    assert again.returncode == 2
    assert "--force replaces it" in again.stderr
    assert added(tmp_path, "--force").returncode == 0


def test_a_refused_model_leaves_nothing_behind(tmp_path):
    done = added(tmp_path, "--head", "ssd")
    assert done.returncode == 2
    assert "which the head ssd cannot read" in done.stderr
    assert not (tmp_path / "own").exists()


def test_two_models_are_compared_on_pictures(tmp_path):
    floats = tmp_path / "floats.onnx"
    assert safecity("build", "nanodet-g-fp32", "--output", str(floats)).returncode == 0
    done = safecity("check", str(floats.with_suffix(".toml")), "--against", "nanodet-g", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)["against"]
    assert (said["name"], said["pictures"]) == ("nanodet-g", 40)
    assert said["matched_share"] > 0.95
    strict = safecity("check", str(floats.with_suffix(".toml")), "--against", "nanodet-g", "--least", "1")
    assert strict.returncode == int(said["matched_share"] < 1)


def test_models_that_know_other_things_are_not_compared(tmp_path):
    assert added(tmp_path).returncode == 0
    done = safecity("check", str(tmp_path / "own" / "spots.toml"), "--against", "nanodet-g")
    assert done.returncode == 2
    assert "have other labels" in done.stderr
