"""The command, as a user runs it, and the footage."""

import json
from dataclasses import dataclass
from pathlib import Path

import typer
from typer.testing import CliRunner

from ingest.cli import register
from safecity.cli import UsageError
from safecity.settings import SettingsError

FOOTAGE = Path(__file__).parents[2] / "footage"
YARD, PARTS = FOOTAGE / "yard.mp4", (FOOTAGE / "yard-1.mp4", FOOTAGE / "yard-2.mp4")
RULES = FOOTAGE / "rules.toml"
AT = ("--camera", "yard", "--start", "2026-03-01T12:00:00Z", "--rules", RULES)


@dataclass
class Ended:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


def replay(*words, code=0):
    """Run ``safecity replay``; what it printed, once it ended with ``code``."""
    app = typer.Typer()
    register(app)
    result = CliRunner().invoke(app, ["replay", *map(str, words)])
    done = Ended(result.exit_code, result.stdout, result.stderr)
    if isinstance(result.exception, UsageError | SettingsError):  # as safecity.cli.main does
        done = Ended(2, result.stdout, str(result.exception))
    elif result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert done.returncode == code, done
    return done


def told(path):
    """The events of a file."""
    return [json.loads(line) for line in path.read_text().splitlines()]
