import json
import subprocess
import sys

import pytest

from detectors.cards import MODELS


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
        (["build", "nanodet-g", "--output", "x.onnx", "--package", "none.tgz"], "none.tgz"),
    ],
)
def test_what_is_asked_wrongly_is_answered_in_a_line(arguments, message):
    done = safecity(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
