"""The programs that will read what deploy/ holds, run without an engine or a cluster."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from prometheus_client import CollectorRegistry

from command_center.metrics import CentreMetrics
from ingest.metrics import SupervisorMetrics, WorkerMetrics

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SECRETS = {
    "SAFECITY_TOKEN": "a" * 48,
    "POSTGRES_PASSWORD": "b" * 48,
    "CAMERA_1_PASSWORD": "d" * 48,
    "SAFECITY_BUS_USER": "safecity-worker",
    "SAFECITY_BUS_PASSWORD": "c" * 48,
}


def tool(name: str) -> str:
    """A program that came with a package, beside this Python, or one of the system's."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    assert found is not None, f"{name} is missing; make test installs it"
    return found


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


def metric_names() -> set[str]:
    """Every series that worker, supervisor and centre can give."""
    names = set()
    for metrics in (WorkerMetrics, SupervisorMetrics, CentreMetrics):
        registry = CollectorRegistry()
        metrics(registry)
        for family in registry.collect():
            suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
            names |= {family.name + suffix for suffix in suffixes.get(family.type, ("",))}
    return names


def unknown_metrics(expression: str) -> set[str]:
    """The names in an expression that nobody gives."""
    return set(re.findall(r"\bsafecity_\w+", expression)) - metric_names()
