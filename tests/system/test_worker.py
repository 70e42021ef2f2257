"""The worker as a process: the same footage gives the same events, metrics are clean, shards come back."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from safecity.demo.scenes import FOOTAGE, SCENES, demo_site
from safecity.free_port import free_port
from safecity.status import OUTCOMES
from tests.system.processes import Part, children_of, parts, wait_until


def write_site(folder: Path, *, playback: str, cameras: int = 2, processes: int = 1, port: int = 0) -> Path:
    document = demo_site(cameras, folder / "data", 0, kafka=None, rtsp={})
    document["worker"].update(processes=processes, metrics_port=port)
    for camera in document["cameras"]:
        camera["playback"] = playback
    folder.mkdir(exist_ok=True)
    site = folder / "site.json"
    site.write_text(json.dumps(document))
    return site


def replay(folder: Path, processes: int) -> list[str]:
    """The journal of the footage read as fast as possible; each event a line."""
    site = write_site(folder, playback="fast", processes=processes)
    journal, summary = folder / "decided.jsonl", folder / "summary.json"
    worker = Part(
        ["worker", "--site", str(site), "--journal", str(journal), "--summary", str(summary)],
        folder / "log",
        {},
    )
    with parts(worker):
        worker.start()
        wait_until(lambda: worker.said.count("state=ended") == 2, 240, "both recordings to end")
        wait_until(lambda: "state=live" in worker.said, 1, "the cameras to have been live")
        assert worker.stop() == 0
    ledgers = json.loads(summary.read_text())["ledger"]
    for ledger in ledgers.values():
        assert ledger["received"] == sum(ledger[outcome] for outcome in OUTCOMES) > 200
        assert ledger["overwritten"] == ledger["corrupt"] == ledger["residue"] == 0
    return journal.read_text().splitlines()


def test_the_same_footage_gives_the_same_bytes_whatever_the_number_of_shards(tmp_path):
    one, two = replay(tmp_path / "one", 1), replay(tmp_path / "two", 2)
    assert len(one) > 20
    assert sorted(one) == sorted(two)
    assert {json.loads(line)["camera_id"] for line in one} == {"cam-1", "cam-2"}
    rules = {rule["name"] for scene in SCENES[:2] for rule in scene["rules"]}
    assert {json.loads(line)["rule"] for line in one} == rules
    assert FOOTAGE.stat().st_size < 3_000_000


def test_metrics_and_health_while_it_runs_and_after_a_shard_is_killed(tmp_path):
    port = free_port()
    site = write_site(tmp_path, playback="loop", processes=2, port=port)
    worker = Part(["worker", "--site", str(site)], tmp_path / "log", {})
    address = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        try:
            return httpx.get(f"{address}/api/v1/health/ready", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def metrics() -> str:
        return httpx.get(f"{address}/metrics", timeout=10).text

    with parts(worker):
        worker.start()
        wait_until(ready, 60, "both shards")
        live = [f'camera_state{{camera_id="cam-{n}",state="live"}} 1.0' for n in (1, 2)]
        wait_until(lambda: all(line in metrics() for line in live), 30, "both cameras to be live")
        wait_until(lambda: 'outcome="analysed"' in metrics(), 30, "frames")
        check_with_promtool(metrics())

        shards = [pid for pid in children_of(worker.process.pid) if b"spawn_main" in command_of(pid)]
        assert len(shards) == 2
        os.kill(shards[0], signal.SIGKILL)
        wait_until(lambda: "shard started again" in worker.said, 30, "the shard to be started again")
        wait_until(ready, 60, "both shards again")
        assert httpx.get(f"{address}/api/v1/health/live").status_code == 200
        check_with_promtool(metrics())
        assert "safecity_worker_shard_deaths_total 1.0" in metrics()
        assert "safecity_worker_shards 2.0" in metrics()
        assert worker.stop() == 0
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in shards), 10, "no orphan")


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def check_with_promtool(text: str) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("NO PROMTOOL: apt-get install prometheus")
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
