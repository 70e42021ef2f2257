"""The edge's benches: ``safecity bench density`` and ``safecity bench distant``."""

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from safecity.bench.report import (
    JsonOption,
    PlotOption,
    QuickOption,
    bar_plot,
    check_outputs,
    progress_bar,
    show_table,
    write_report,
)
from safecity.cli import UsageError

if TYPE_CHECKING:
    from ingest.bench.clips import Clip
    from ingest.bench.density import Plan

DENSITY_COLUMNS = {
    "stream": "stream",
    "clip": "clip",
    "name": "pipeline",
    "cpu_seconds": "CPU s",
    "cameras_per_core": "cameras a core",
    "ratio_to_naive": "× naive",
    "share_of_ceiling": "of ceiling",
    "events_kept": "events kept",
    "inferred": "looks",
}
DISTANT_COLUMNS = {
    "height": "pixels high",
    "name": "looks at",
    "found": "found",
    "there": "of",
    "share_found": "share",
    "cpu_ms_per_second": "CPU ms a camera and second",
    "times_as_often": "× as often",
}
HEIGHTS = (24, 36, 48)
DEFAULT_BASELINE = "nanodet-g in fp32, shipped with safecity; give --baseline-model for another"


def density(
    baseline_model: Annotated[
        str | None,
        typer.Option(help="ONNX file, or card, that the naive rows run.", metavar="MODEL"),
    ] = None,
    json_path: JsonOption = None,
    plot: PlotOption = None,
    quick: QuickOption = False,
    clips: Annotated[
        Path | None,
        typer.Option(help="Where the clips are kept; in the user's cache by default.", metavar="DIR"),
    ] = None,
) -> None:
    """Cameras a core, at 5 analysed frames a second, and the share of events that each saving keeps.

    Side by side, in one run: the naive pipeline of most tutorials, decoding alone, and ours with and without
    each of its savings, on clips made from the shipped footage (720p25 and 640x360; busy, one tenth active,
    static; constant and variable bit rate; H.264 and H.265). Each row is a process of its own on one core.

    Example: safecity bench density --quick --json density.json --plot density.png
    """
    check_outputs(json_path, plot)
    from ingest.bench.density import FULL, QUICK, make_clips, rows_of, run, tasks_of
    from safecity.bench.measure import MeasureError

    plan = QUICK if quick else FULL
    with _baseline(baseline_model) as (model, said), progress_bar() as bar:
        making = bar.add_task("making clips", total=sum(clip.frames for clip in plan.clips))
        files = make_clips(plan, clips or _cache(), lambda frames: bar.advance(making, frames))
        tasks = tasks_of(plan, files, model)
        measuring = bar.add_task("measuring", total=len(tasks) * plan.repeats)
        try:
            run(tasks, plan.repeats, lambda what: bar.update(measuring, advance=1, description=what))
        except MeasureError as error:
            raise UsageError(str(error)) from None
    rows = rows_of(tasks)
    show_table(f"Cameras a core. Naive: {said}", rows, DENSITY_COLUMNS)
    write_report("density", rows, json_path=json_path, extra={"baseline_model": said, **_plan_facts(plan)})
    if plot is not None:
        _plot(plot, rows, plan.clips)


def distant(
    json_path: JsonOption = None,
    plot: PlotOption = None,
    quick: QuickOption = False,
) -> None:
    """How often distant people are found, around what moves and in the whole picture, and what it costs.

    Real walkers of the shipped footage, scaled to 24, 36 and 48 pixels in a street of 1280x720; found is a
    track that overlaps one by half. With --quick only those of 24 pixels.

    Example: safecity bench distant --json distant.json
    """
    check_outputs(json_path, plot)
    from ingest.bench.distant import distant_rows
    from safecity.bench.measure import MeasureError

    heights = HEIGHTS[:1] if quick else HEIGHTS
    with progress_bar() as bar:
        measuring = bar.add_task("measuring", total=2 * len(heights))
        try:
            rows = distant_rows(heights, lambda: bar.advance(measuring))
        except MeasureError as error:
            raise UsageError(str(error)) from None
    show_table("Distant people in 1280x720", rows, DISTANT_COLUMNS)
    write_report("distant", rows, json_path=json_path)
    if plot is not None:
        shares = {
            name: [row["share_found"] for row in rows if row["name"] == name]
            for name in dict.fromkeys(row["name"] for row in rows)
        }
        bar_plot(plot, "Share found", [f"{height} pixels" for height in heights], shares, unit="share")


@contextmanager
def _baseline(given: str | None) -> Iterator[tuple[str, str]]:
    """The model of the naive rows, and what to call it."""
    if given is not None:
        if not Path(given).is_file():
            raise UsageError(f"--baseline-model: there is no file {given}")
        yield given, Path(given).name
        return
    try:
        from detectors.building.dequantised import dequantise
    except ImportError:
        raise UsageError(
            'the naive rows need a model in fp32: give --baseline-model, or pip install "safecity[models]"'
        ) from None
    from detectors.card_file import write_card
    from detectors.cards import load_card

    with tempfile.TemporaryDirectory(prefix="safecity-bench-") as folder:
        card = dequantise(load_card("nanodet-g"), Path(folder) / "nanodet-g-fp32.onnx")
        yield str(write_card(card, Path(folder) / "nanodet-g-fp32.toml")), DEFAULT_BASELINE


def _cache() -> Path:
    from ingest.bench.clips import RECIPE

    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "safecity" / f"clips-{RECIPE}"


def _plan_facts(plan: "Plan") -> dict[str, Any]:
    return {"repeats": plan.repeats, "clips": dict(Counter(clip.stream for clip in plan.clips))}


def _plot(path: Path, rows: list[dict[str, Any]], clips: "Sequence[Clip]") -> None:
    first = {stream: next(c.name for c in clips if c.stream == stream) for stream in ("main", "sub")}
    chosen = [row for row in rows if row["clip"] == first[row["stream"]]]
    bar_plot(
        path,
        "Times the naive pipeline's cameras a core, one tenth of the time active",
        [f"{row['stream']}: {row['name']}" for row in chosen],
        {"× naive": [row["ratio_to_naive"] for row in chosen]},
        unit="times naive (log)",
        log=True,
    )
