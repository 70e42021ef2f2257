"""``safecity simulate`` as a user runs it: real workers' outboxes, a real Kafka, a real centre."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.processes import children_of, wait_until


def start(folder, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "safecity", "simulate", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    )


@pytest.mark.kafka
def test_everything_that_is_decided_is_stored_once_and_measured(tmp_path, kafka_broker, postgres):
    document, folder = tmp_path / "simulation.json", tmp_path / "temporary"
    folder.mkdir()
    options = ("--cameras", "40", "--duration", "12", "--events-per-minute", "30")
    where = ("--kafka", kafka_broker.address, "--store", postgres.format(database="postgres"))
    process = start(folder, *options, *where, "--json", str(document))
    said, _ = process.communicate(timeout=200)
    assert process.returncode == 0, said
    found = json.loads(document.read_text())
    assert found["lost"] == found["duplicates"] == found["unknown"] == 0
    assert found["stored"] == found["decided"] > 250
    assert found["messages"]["events"] == found["decided"]
    assert found["messages_per_second"]["observations"] == pytest.approx(200, rel=0.2)
    assert 0 < found["stored_latency_ms"]["p50"] <= found["stored_latency_ms"]["p95"]
    assert {"centre", "worker-0", "worker-1"} <= found["rss_growth_mb"].keys()
    assert all(cpu > 0 for cpu in found["cpu_seconds"].values())
    assert found["broker_disk_bytes"]["observations"] > found["broker_disk_bytes"]["status"] > 0
    assert isinstance(found["lag_growth_per_s"], float)
    cities = {city["cameras"]: city for city in found["sizing"]["cities"]}
    assert cities.keys() == {20, 40, 675, 8000}
    assert (cities[40]["basis"], cities[8000]["basis"]) == ("measured", "extrapolated")
    assert "what breaks first" in said
    assert list(folder.iterdir()) == []


def test_interrupted_it_leaves_no_process_and_no_file(tmp_path):
    folder = tmp_path / "temporary"
    folder.mkdir()
    options = ("--cameras", "10", "--duration", "300", "--store", "sqlite")
    process = start(folder, *options)

    def plays():
        assert process.poll() is None, process.stdout.read()
        return any(path.stat().st_size for path in folder.glob("*/decided-*.jsonl"))

    try:
        wait_until(plays, 120, "the workers")
        begun = children_of(process.pid)
        assert len(begun) >= 4, "two workers, a centre, a broker"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode == 130
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in begun), 20, "their end")
        assert list(folder.iterdir()) == []
    finally:
        for pid in [process.pid, *children_of(process.pid)] if process.poll() is None else []:
            os.kill(pid, signal.SIGKILL)
