"""Benches as a user runs them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def run_bench(*arguments: str, timeout: float = 120) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "safecity", "bench", *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def bench_json(path: Path, *arguments: str, timeout: float = 120) -> dict[str, Any]:
    """What the bench wrote; it must have ended well, and have printed a table."""
    ended = run_bench(*arguments, "--json", str(path), timeout=timeout)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "┃" in ended.stdout
    document = json.loads(path.read_text())
    assert document["bench"] == arguments[0]
    assert document["machine"]["cores"] >= 1
    return document
