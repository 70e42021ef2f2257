"""Rules over the observations that the site's bus has, through the command."""

import json

import pytest

from tests.ingest.replay.command import AT, RULES, YARD, replay
from tests.safecity.bus.backends import publish
from tests.safecity.bus.conftest import shared_backend  # noqa: F401  a fixture


@pytest.fixture(scope="module")
def observed(tmp_path_factory):
    """Observations of the yard, and the same as of a camera called gate."""
    file = tmp_path_factory.mktemp("observed") / "o.jsonl"
    replay(YARD, *AT, "--observations", file)
    lines = file.read_bytes().splitlines()
    return file, {"yard": lines, "gate": [line.replace(b'"yard"', b'"gate"', 1) for line in lines]}


@pytest.fixture
def words(shared_backend, observed, tmp_path):  # noqa: F811
    """The command's, for a bus that has both cameras' observations, and something that is none."""
    cameras = [{"id": name, "source": "rtsp://127.0.0.1:1/1"} for name in ("yard", "gate")]
    bus = shared_backend.settings
    site = tmp_path / "site.json"
    site.write_text(
        json.dumps({"bus": bus, "data_dir": str(shared_backend.site.data_dir), "cameras": cameras})
    )
    with shared_backend.open() as opened:
        publish(opened, observed[1], "observations")
        publish(opened, {"hall": [b"nothing"]}, "observations")
    return "--observations", "topic", "--site", site, "--rules", RULES, "--json"


def of(path, camera):
    """The lines of an event file that tell of a camera."""
    return [line for line in path.read_text().splitlines() if f'"camera_id":"{camera}"' in line]


def test_what_the_bus_has_gives_the_events_that_a_file_of_it_gives(words, observed, tmp_path):
    both = json.loads(replay(*words, "--out", tmp_path / "bus.jsonl", code=3).stdout)
    lines = observed[1]["yard"]
    assert (both["observations"], both["unreadable"]) == (2 * len(lines), 1)
    assert both["from"] == json.loads(lines[0])["captured_at"]
    assert both["to"] == json.loads(lines[-1])["captured_at"]
    file = ("--observations", observed[0], "--site", words[3], "--rules", RULES)
    replay(*file, "--out", tmp_path / "file.jsonl")
    assert of(tmp_path / "bus.jsonl", "yard") == of(tmp_path / "file.jsonl", "yard") != []
    assert len(of(tmp_path / "bus.jsonl", "gate")) == len(of(tmp_path / "bus.jsonl", "yard"))


def test_a_camera_and_a_time_are_chosen(words, observed, tmp_path):
    lines = [line for line in observed[1]["yard"] if b"12:00:03" <= line.split(b"T", 1)[1] < b"12:00:05"]
    times = ("--from", "2026-03-01T12:00:03Z", "--to", "2026-03-01T12:00:05Z")
    said = json.loads(replay(*words, "--camera", "yard", *times).stdout)
    assert said["observations"] == len(lines) > 0
    assert said["from"] == json.loads(lines[0])["captured_at"]
    assert said["to"] == json.loads(lines[-1])["captured_at"]
