"""The image and the compose file, checked by the tools that will read them, without an engine."""

import json
from pathlib import Path

from safecity.settings import load_site
from tests.deploy.tools import DEPLOY, SECRETS, run, tool


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
    for name, service in services.items():
        for mount in service.get("volumes", []):
            if mount["type"] == "bind":
                assert Path(mount["source"]).is_file(), f"{name} mounts what is not there"


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
