"""The demo, as a newcomer runs it: its summary adds up, its page is there, and nothing is left running."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from safecity.free_port import free_port
from safecity.status import OUTCOMES
from tests.system.processes import Part, children_of, parts, wait_until


def assert_adds_up(summary: dict) -> None:
    events = summary["events"]
    assert events["decided"] == events["published"] == events["stored"] > 0
    assert events["duplicates"] == 0
    assert sum(events["by_kind"].values()) == events["decided"]
    assert all(camera["events"] > 0 for camera in summary["cameras"].values()), summary["cameras"]
    for camera_id, ledger in summary["ledger"].items():
        assert ledger["residue"] == 0, camera_id
        assert ledger["in_flight"] == 0, camera_id
        assert ledger["received"] == sum(ledger[outcome] for outcome in OUTCOMES) > 0
    assert summary["latency_ms"]["p50"] <= summary["latency_ms"]["p95"]


@pytest.mark.parametrize("bus", ["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def test_the_summary_adds_up(tmp_path, bus, request):
    summary = tmp_path / "demo.json"
    arguments = ["demo", "--duration", "45", "--summary", str(summary), "--port", str(free_port())]
    if bus == "kafka":
        arguments += ["--kafka", request.getfixturevalue("kafka_broker").address]
    ended = subprocess.run(
        [sys.executable, "-m", "safecity", *arguments],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert_adds_up(json.loads(summary.read_text()))
    assert "The page: http://127.0.0.1:" in ended.stdout


def test_interrupted_it_leaves_nothing_running(tmp_path):
    port = free_port()
    part = Part(
        ["demo", "--cameras", "2", "--port", str(port), "--data", str(tmp_path / "d")], tmp_path / "log", {}
    )
    with parts(part):
        part.start()
        wait_until(lambda: "The page:" in part.said, 60, "the demo to start")
        family = children_of(part.process.pid)
        assert len(family) >= 3, "centre, worker and viewer"
        assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 200
        os.kill(part.process.pid, signal.SIGINT)
        assert part.process.wait(60) == 0, part.said
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family), 10, "all to be gone")
        assert "events decided" in part.said


def test_a_port_in_use_is_said_in_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "safecity", "demo", "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ended.returncode == 2
    assert ended.stderr.strip().splitlines() == [
        f"safecity: port {port} cannot be had (Address already in use); choose another: --port 8081"
    ]
