"""Worker and centre on a bus with TLS, users and ACLs: each has what it needs, and no password gets out."""

import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from safecity.free_port import free_port
from tests.kafka_broker import SecureBroker
from tests.system.processes import City, build_city, parts, wait_until

WRONG = "wr0ng-canary-of-the-bus"


def build_secure_city(folder: Path, secure: SecureBroker) -> City:
    city = build_city(folder, cameras=2, kafka=secure.broker.address)
    document = json.loads(city.site.read_text())
    document["bus"] |= {
        "topic_prefix": f"t{uuid.uuid4().hex[:8]}.",
        "tls": {"ca_file": str(secure.ca_file)},
        "sasl": {"user": "${SAFECITY_BUS_USER}", "password": "${SAFECITY_BUS_PASSWORD}"},
    }
    document["worker"]["metrics_port"] = free_port()
    secure.allow(document["bus"]["topic_prefix"])
    city.site.write_text(json.dumps(document))
    city.worker.environment |= secure.environment("worker")
    city.centre.environment |= secure.environment("centre")
    city.worker.arguments += ["--log-level", "debug"]
    return city


def safecity(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "safecity", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def check(city: City, environment: dict[str, str]) -> dict[str, Any]:
    checked = safecity("check", str(city.site), "--json", "--timeout", "5", **environment)
    bus = json.loads(checked.stdout)["bus"]
    assert checked.returncode == (0 if bus["ok"] else 1)
    assert WRONG not in checked.stdout + checked.stderr
    return bus


@pytest.mark.kafka
def test_from_camera_to_store_with_least_privilege_and_no_password_gets_out(tmp_path, secure_kafka):
    city = build_secure_city(tmp_path, secure_kafka)
    right = dict(city.worker.environment)
    made = safecity("kafka", "topics", "--site", str(city.site), "--json", **secure_kafka.environment("ops"))
    assert made.returncode == 0, made.stderr
    assert check(city, right) == {"ok": True, "reason": None, "missing_topics": []}
    wrong = right | {"SAFECITY_BUS_PASSWORD": WRONG}
    assert "wrong user or password" in check(city, wrong)["reason"]

    metrics_port = json.loads(city.site.read_text())["worker"]["metrics_port"]
    with parts(city.worker, city.centre):
        city.worker.environment = wrong
        city.worker.start()
        wait_until(lambda: len(city.decided) >= 1, 120, "an event that cannot be sent")
        wait_until(lambda: "wrong user or password" in city.worker.said, 30, "the reason in the log")
        assert city.worker.stop() == 0
        city.worker.environment = right
        city.worker.start()
        city.centre.start()
        wait_until(city.ready, 60, "the centre to be ready")
        seen = len(city.decided)
        wait_until(lambda: len(city.decided) > seen, 60, "more events")
        wait_until(city.everything_stored, 60, "every decided event to be stored")
        said = [httpx.get(f"{city.url}{path}").text for path in ("/api/v1/cameras", "/metrics")]
        said.append(httpx.get(f"http://127.0.0.1:{metrics_port}/metrics").text)
        assert city.worker.stop() == 0
        assert city.centre.stop() == 0
    assert "missing permission" not in city.worker.said + city.centre.said
    passwords = {
        secure_kafka.environment(role)["SAFECITY_BUS_PASSWORD"] for role in ("worker", "centre", "ops")
    } | {WRONG}
    for text in (*said, city.worker.said, city.centre.said, made.stdout, made.stderr):
        assert all(password not in text for password in passwords)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert all(password.encode() not in content for password in passwords), path
