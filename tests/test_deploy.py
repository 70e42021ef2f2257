"""What deploy/ holds, checked by the tools that will read it, without an engine."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from safecity.settings import load_site

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
SECRETS = {"SAFECITY_TOKEN": "a" * 48, "POSTGRES_PASSWORD": "b" * 48}


def tool(name: str) -> str:
    """A program that came with a package, beside this Python, or one of the system's."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name) or name


def run(*command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        cwd=DEPLOY,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_dockerfile_is_clean():
    checked = run(tool("hadolint"), "Dockerfile")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_compose_accepts_its_file_and_names_every_part():
    checked = run(tool("docker-compose"), "-f", "compose.yaml", "config", "--format", "json", **SECRETS)
    assert checked.returncode == 0, checked.stderr
    services = json.loads(checked.stdout)["services"]
    assert set(services) == {"kafka", "postgres", "centre", "worker", "prometheus"}
    for name, service in services.items():
        for port in service.get("ports", []):
            assert port["host_ip"] == "127.0.0.1", f"{name} is published beyond loopback"
    assert services["worker"].get("ports") is None, "a worker needs no open port"


def test_compose_wants_the_secrets():
    refused = run(
        tool("docker-compose"), "-f", "compose.yaml", "config", "-q", SAFECITY_TOKEN="", POSTGRES_PASSWORD=""
    )
    assert refused.returncode != 0
    assert "openssl rand" in refused.stderr or "deploy/.env" in refused.stderr


def test_the_site_file_of_compose_loads(monkeypatch):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    site = load_site(DEPLOY / "site.toml")
    assert site.bus.backend == "kafka"
    assert site.centre.host == "0.0.0.0"
    assert site.centre.token.get_secret_value() == SECRETS["SAFECITY_TOKEN"]


def test_prometheus_accepts_its_file():
    checked = run(tool("promtool"), "check", "config", "--syntax-only", "prometheus.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
