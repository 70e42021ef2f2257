"""``safecity evaluate health``."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from safecity.cli import UsageError

if TYPE_CHECKING:
    from detectors.health_evaluation.score import Verdict


def health(
    quick: Annotated[
        bool, typer.Option("--quick", help="Faults by day only, and every second strength of each.")
    ] = False,
    footage: Annotated[
        Path | None,
        typer.Option(help="Footage of a fixed camera; the shipped street when not given.", metavar="FILE"),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write everything to this file too.", metavar="FILE")
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(help='Draw it (PNG, SVG, PDF); needs the extra "analysis".', metavar="FILE"),
    ] = None,
) -> None:
    """Measure how well faults of cameras are found: precision, recall, time to detect.

    Makes some hundred runs of three minutes and more from real footage: each fault in several strengths, by
    day, at night, in rain and in infrared, and what looks like a fault and is none (lightning, the infrared
    switch, a lorry that covers a third of the picture, …).

    Example: safecity evaluate health --quick --json health.json
    """
    import cv2

    from detectors.health_evaluation.footage import STREET, read_footage
    from detectors.health_evaluation.scenarios import scenarios
    from detectors.health_evaluation.score import judge_all
    from safecity.camera import HealthSettings

    if plot is not None:
        _need_matplotlib()
    cv2.setNumThreads(1)  # as in a worker: what it costs is measured too
    try:
        pictures = read_footage(footage or STREET)
    except ValueError as error:
        raise UsageError(str(error)) from None
    verdicts = judge_all(scenarios(quick=quick), pictures, HealthSettings(), _print_progress)
    result = summary(verdicts)
    _print_table(result)
    try:
        if json_file is not None:
            json_file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        if plot is not None:
            from detectors.health_evaluation.plot import draw

            draw(result, plot)
    except (OSError, ValueError) as error:
        raise UsageError(str(error)) from None


def summary(verdicts: Sequence["Verdict"]) -> dict[str, Any]:
    """Everything that was measured, for JSON: over all, for each fault, and run by run."""
    from detectors.health_evaluation.score import score
    from safecity.camera_fault import CameraFault

    def row(fault: CameraFault | None) -> dict[str, Any]:
        got = score(verdicts, fault)
        shares = {"precision": round(got.precision, 4), "recall": round(got.recall, 4)}
        return {"fault": fault.value if fault else "all", **shares, **vars(got)}

    pictures = sum(verdict.pictures for verdict in verdicts)
    return {
        "pictures": pictures,
        "milliseconds_per_picture": round(sum(v.cpu_seconds for v in verdicts) / max(1, pictures) * 1e3, 4),
        "faults": [row(fault) for fault in (*CameraFault, None)],
        "runs": [_run(verdict) for verdict in verdicts],
    }


def _run(verdict: "Verdict") -> dict[str, Any]:
    scenario = verdict.scenario
    return {
        "name": scenario.name,
        "conditions": scenario.conditions.name,
        "fault": scenario.fault.value if scenario.fault else None,
        "seconds_to_detect": verdict.seconds_to_detect,
        "cleared": verdict.cleared,
        "false_alarms": [fault.value for fault in verdict.false_alarms],
    }


def _print_table(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("fault", "there", "found", "false alarms", "precision", "recall", "median s", "longest s")
    for row in result["faults"]:
        seconds = (row["median_seconds"], row["longest_seconds"])
        table.add_row(
            row["fault"],
            *(str(row[key]) for key in ("there", "found", "false_alarms")),
            *(f"{row[key]:.3f}" for key in ("precision", "recall")),
            *("" if value is None else f"{value:.0f}" for value in seconds),
        )
    Console().print(table)
    for run in result["runs"]:
        missed = run["fault"] is not None and run["seconds_to_detect"] is None
        if missed or run["false_alarms"]:
            what = f"{run['fault']} missed" if missed else f"false: {', '.join(run['false_alarms'])}"
            typer.echo(f"{what}: {run['name']}, {run['conditions']}")
    typer.echo(f"{result['pictures']} pictures, {result['milliseconds_per_picture']:.3f} ms of CPU time each")


def _print_progress(done: int, total: int) -> None:
    """One line that counts up on a terminal."""
    if sys.stderr.isatty():
        typer.echo(f"\r{done} of {total} runs", err=True, nl=done == total)


def _need_matplotlib() -> None:
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise UsageError('--plot needs matplotlib: pip install "safecity[analysis]"')
