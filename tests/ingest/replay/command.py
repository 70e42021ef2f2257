"""The command, as a user runs it, in a process of its own; and the footage."""

import json
import subprocess
import sys
from pathlib import Path

FOOTAGE = Path(__file__).parents[2] / "footage"
YARD, PARTS = FOOTAGE / "yard.mp4", (FOOTAGE / "yard-1.mp4", FOOTAGE / "yard-2.mp4")
RULES = FOOTAGE / "rules.toml"
AT = ("--camera", "yard", "--start", "2026-03-01T12:00:00Z", "--rules", RULES)


def replay(*words, code=0):
    """Run ``safecity replay``; what it printed, once it ended with ``code``."""
    command = [sys.executable, "-c", "from safecity.cli import main; main()", "replay", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done


def told(path):
    """The events of a file."""
    return [json.loads(line) for line in path.read_text().splitlines()]
