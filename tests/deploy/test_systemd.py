"""The units, read by systemd itself, which need not run for it."""

import re
import sys
from pathlib import Path

import pytest

from ingest.supervisor import STOP_SECONDS
from tests.deploy.tools import DEPLOY, run, tool

UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
MOST_EXPOSED = "20"
"""In tenths: systemd calls up to 2.0 of 10 well confined."""

units = pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)


def setting(unit: Path, name: str) -> str:
    (value,) = re.findall(rf"^{name}=(.*)$", unit.read_text(), re.MULTILINE)
    return value


@units
def test_systemd_accepts_the_unit(unit, tmp_path):
    here = tmp_path / unit.name
    here.write_text(unit.read_text().replace("/opt/safecity/bin/safecity", sys.executable))
    checked = run(tool("systemd-analyze"), "verify", "--man=no", str(here))
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    here.write_text(here.read_text().replace("ProtectHome=yes", "ProtectHom=yes"))
    refused = run(tool("systemd-analyze"), "verify", "--man=no", str(here))
    assert "ProtectHom" in refused.stdout + refused.stderr


@units
def test_the_unit_is_confined(unit):
    checked = run(
        tool("systemd-analyze"),
        "security",
        "--offline=true",
        "--no-pager",
        f"--threshold={MOST_EXPOSED}",
        str(unit),
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@units
def test_the_unit_starts_a_command_that_there_is_and_leaves_it_the_time_to_end(unit):
    program, *arguments = setting(unit, "ExecStart").split()
    assert program == "/opt/safecity/bin/safecity"
    helped = run(sys.executable, "-m", "safecity", *arguments, "--help")
    assert helped.returncode == 0, helped.stderr
    assert all(argument in helped.stdout for argument in arguments if argument.startswith("--"))
    # A wrong site file is wrong five seconds later too: exit code 2 of safecity.cli.UsageError.
    assert setting(unit, "RestartPreventExitStatus") == "2"
    least = STOP_SECONDS + 30 if "worker" in unit.stem else 30
    assert int(setting(unit, "TimeoutStopSec")) > least
