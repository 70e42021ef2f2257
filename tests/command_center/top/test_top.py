"""``safecity top`` on a centre that runs, and its arithmetic."""

import json
import os
import subprocess
import sys
from datetime import timedelta

import pytest

from command_center.top.look import Answers, look_at
from safecity.status import CameraState, LedgerCounts
from tests.command_center.conftest import wait_until
from tests.command_center.messages import BEGIN, make_event, make_status, publish_event, publish_status


def top(*arguments, seconds=60):
    return subprocess.run(
        [sys.executable, "-m", "safecity", "top", *arguments],
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


@pytest.fixture
def city(running):
    faring = {
        "cam-1": make_status("cam-1", outbox_pending=7),
        "cam-2": make_status(
            "cam-2", CameraState.RECONNECTING, reason="the camera refuses", outbox_pending=7
        ),
        "cam-3": make_status("cam-3", faults=("blurred",), outbox_pending=7),
    }
    for status in faring.values():
        publish_status(running.producer, status)
    publish_event(running.producer, make_event(1))
    running.producer.flush(5)
    wait_until(lambda: running.stored() == 1 and len(running.centre.statuses()) == 3)
    return running


def test_one_look_tells_what_is_wrong_for_people(city):
    ended = top("--once", "--url", city.url)
    assert ended.returncode == 0, ended.stderr
    assert "Test city" in ended.stdout
    assert "2 live" in ended.stdout
    assert "1 reconnecting" in ended.stdout
    lines = [line for line in ended.stdout.splitlines() if "Camera " in line]
    assert ["Camera 2" in lines[0], "Camera 3" in lines[1], "Camera 1" in lines[2]] == [True] * 3
    assert "the camera refuses" in lines[0]
    assert "blurred" in lines[1]
    (worker,) = [line for line in ended.stdout.splitlines() if line.startswith("│ test/0")]
    assert worker.replace("│", " ").split()[1:5] == ["3", "2", "0", "7"]


def test_one_look_as_json_for_programs(city):
    ended = top("--once", "--json", "--url", city.url)
    look = json.loads(ended.stdout)
    assert look["states"] == {"live": 2, "reconnecting": 1}
    assert [camera["camera_id"] for camera in look["cameras"]] == ["cam-2", "cam-3", "cam-1"]
    assert look["cameras"][2]["trouble"] == ""
    (worker,) = look["workers"]
    assert (worker["name"], worker["cameras"], worker["live"], worker["outbox"]) == ("test/0", 3, 2, 7)
    assert look["stored"] == 1
    assert set(look["lag"]) >= {"events", "snapshots", "status"}


def test_looks_follow_each_other_until_it_is_ended(city):
    process = subprocess.Popen(
        [sys.executable, "-m", "safecity", "top", "--json", "--every", "0.5", "--url", city.url],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        first = json.loads(process.stdout.readline())
        publish_event(city.producer, make_event(2))
        city.producer.flush(5)
        looks = [json.loads(process.stdout.readline())]
        while looks[-1]["stored"] < 2:
            looks.append(json.loads(process.stdout.readline()))
        assert first["stored_per_second"] is None
        assert looks[-1]["stored_per_second"] > 0
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def test_without_a_centre_it_says_what_to_do():
    ended = top("--once", "--url", "http://127.0.0.1:1")
    assert ended.returncode == 2
    assert "start one, or give --url" in ended.stderr


def answers(seconds, analysed, shed, *, stored=0, stale=False):
    ledger = LedgerCounts(received=analysed + shed, analysed=analysed, shed=shed)
    now = {"reported_at": BEGIN + timedelta(seconds=seconds), "ledger": ledger}
    status = make_status(outbox_pending=3).model_copy(update=now)
    item = {"id": "cam-1", "name": "Camera 1", "stale": stale, "status": status.model_dump(mode="json")}
    stats = {
        "events": {"stored": stored, "duplicates": 0},
        "dead_letter": 0,
        "lag": {"events": 2},
        "latency_ms": {"p50": 1.0, "p95": 2.0, "p99": 3.0},
    }
    return [item], stats, BEGIN + timedelta(seconds=seconds + 1)


def test_rates_are_those_between_two_reports():
    before = Answers.keep(*answers(0, 100, 10))
    look = look_at("x", *answers(4, 120, 18, stored=10), before)
    (camera,), (worker,) = look.cameras, look.workers
    assert (camera.analysed, camera.dropped) == (5.0, 2.0)
    assert (worker.analysed, worker.dropped, worker.outbox) == (5.0, 2.0, 3)
    assert look.stored_per_second == 2.5


def test_a_worker_that_began_anew_has_no_rate_yet():
    before = Answers.keep(*answers(0, 1000, 10))
    (camera,) = look_at("x", *answers(4, 20, 0), before).cameras
    assert camera.analysed is None


def test_a_camera_that_went_silent_is_in_trouble():
    look = look_at("x", *answers(0, 1, 0, stale=True))
    assert look.states == {"stale": 1}
    assert look.cameras[0].trouble == "has not reported for 1 s"
