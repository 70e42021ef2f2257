"""What every bench leaves behind: a table for people, JSON for programs, a picture on request."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from safecity.cli import UsageError
from safecity.message import format_utc

Row = Mapping[str, Any]
WIDE = 160
LIBRARIES = (
    "safecity",
    "av",
    "crc32c",
    "kafka-python",
    "numpy",
    "onnxruntime",
    "opencv-python",
    "psycopg",
    "sqlalchemy",
)

JsonOption = Annotated[
    Path | None, typer.Option("--json", help="Write everything that was measured.", metavar="FILE")
]
PlotOption = Annotated[
    Path | None, typer.Option("--plot", help="Draw it; needs the extra analysis.", metavar="FILE.png")
]
QuickOption = Annotated[bool, typer.Option("--quick", help="Less of everything: a first impression.")]


def machine_facts() -> dict[str, Any]:
    """What the figures of a run depend on: processor, cores, versions, and what else was going on."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "cores_allowed": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "libraries": {name: found for name in LIBRARIES if (found := _version(name)) is not None},
        "date": format_utc(datetime.now(UTC)),
        "load_average": [round(load, 2) for load in os.getloadavg()],
    }


def check_outputs(json_path: Path | None, plot_path: Path | None) -> None:
    """Find out before the work, not after it, that what it ends in cannot be written.

    Raises:
        UsageError: no such folder, or matplotlib is missing.
    """
    for path in (json_path, plot_path):
        if path is not None and not path.absolute().parent.is_dir():
            raise UsageError(f"{path}: there is no folder {path.absolute().parent}; make it first")
    if plot_path is not None:
        _pyplot()


def write_report(
    name: str, rows: Sequence[Row], *, json_path: Path | None, extra: Mapping[str, Any] | None = None
) -> None:
    """Write a bench's JSON: its name, the machine, the rows, and what ``extra`` adds beside them.

    Args:
        name: of the bench.
        rows: what was measured; one object each.
        json_path: None: write nothing.
        extra: further members of the document.
    """
    if json_path is None:
        return
    document = {
        "bench": name,
        "machine": machine_facts(),
        **(extra or {}),
        "rows": [dict(row) for row in rows],
    }
    json_path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    Console(stderr=True).print(f"written: {json_path}", highlight=False, soft_wrap=True)


def show_table(title: str, rows: Sequence[Row], columns: Mapping[str, str]) -> None:
    """Print rows.

    Args:
        title: above the table.
        rows: with at least the columns' keys; None is shown as a dash.
        columns: key of a row → heading.
    """
    table = Table(title=title, title_justify="left")
    for key, heading in columns.items():
        numeric = any(isinstance(row.get(key), int | float) for row in rows)
        table.add_column(heading, justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*(shown(row.get(key)) for key in columns))
    console = Console()
    # Into a pipe or a file nothing is cut off.
    (console if console.is_terminal else Console(width=WIDE)).print(table)


def shown(value: object) -> str:
    """A value as the table shows it: three figures that count, thousands set apart."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def bar_plot(
    path: Path,
    title: str,
    labels: Sequence[str],
    series: Mapping[str, Sequence[float]],
    *,
    unit: str,
    log: bool = False,
) -> None:
    """Draw horizontal bars, the first label on top, one colour for each series.

    Args:
        path: of the picture; the suffix says of which kind, e.g. ``.png`` or ``.svg``.
        title: above it.
        labels: one for each group of bars.
        series: name → one value for each label.
        unit: below the axis.
        log: whether the axis is logarithmic.

    Raises:
        UsageError: matplotlib is missing, or it cannot write such a file.
    """
    pyplot = _pyplot()
    thickness = 0.8 / len(series)
    figure, axes = pyplot.subplots(figsize=(9, 1.2 + 0.32 * len(labels) * max(1, len(series))))
    for place, (name, values) in enumerate(series.items()):
        at = [index + (place - (len(series) - 1) / 2) * thickness for index in range(len(labels))]
        bars = axes.barh(at, values, thickness, label=name)
        axes.bar_label(bars, labels=[shown(float(value)) for value in values], padding=3, fontsize=8)
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel(unit)
    axes.set_title(title, loc="left")
    if log:
        axes.set_xscale("log")
    if len(series) > 1:
        axes.legend(loc="best", fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    try:
        figure.savefig(path, dpi=150, bbox_inches="tight")
    except ValueError as error:
        raise UsageError(f"--plot {path}: {error}") from None
    finally:
        pyplot.close(figure)


def progress_bar() -> Progress:
    """A bar on standard error, gone when the work is done; nothing where there is no terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _pyplot() -> Any:
    try:
        import matplotlib as mpl
    except ImportError:
        raise UsageError(
            "--plot needs matplotlib; install it with: pip install 'safecity[analysis]'"
        ) from None
    mpl.use("Agg")
    from matplotlib import pyplot

    return pyplot


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
