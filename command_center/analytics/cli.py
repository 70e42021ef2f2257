"""``safecity export parquet`` and ``safecity analyse``."""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from command_center.analytics.questions import Answer, Questions
from safecity.cli import UsageError, parse_time
from safecity.settings import load_site

export = typer.Typer(help="Take data out, for other tools.", no_args_is_help=True)
analyse = typer.Typer(
    help="Ask events and observations that were exported as Parquet: tables, CSV, JSON, plots.",
    no_args_is_help=True,
)

Folder = Annotated[Path, typer.Argument(help="As export parquet wrote it.", metavar="DIR")]
CameraOption = Annotated[str | None, typer.Option("--camera", help="Only this camera's.", metavar="ID")]
Csv = Annotated[Path | None, typer.Option("--csv", help="Write the table as CSV.", metavar="FILE")]
Png = Annotated[Path | None, typer.Option("--png", help="Draw it.", metavar="FILE")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@export.command()
def parquet(
    out: Annotated[Path, typer.Option(help="Folder; made when missing.", metavar="DIR")],
    site: Annotated[Path, typer.Option("--site", help="The site file.", metavar="FILE")] = Path("site.toml"),
    begin: Annotated[str | None, typer.Option("--from", help="Event time, RFC 3339.", metavar="T")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Event time, RFC 3339.", metavar="T")] = None,
    observations: Annotated[
        Path | None,
        typer.Option(
            help="Observations as JSON lines, e.g. of a replay; topic: what the site's bus has.",
            metavar="FILE|topic",
        ),
    ] = None,
    events: Annotated[
        Path | None, typer.Option(help="Events as JSON lines, instead of the store's.", metavar="FILE")
    ] = None,
    run: Annotated[str, typer.Option(help="Name of the run; its earlier files are replaced.")] = "live",
    as_json: Json = False,
) -> None:
    """Write events, and observations where a file is given, as Parquet with a folder for each day (UTC).

    Events come from the centre's store. Columns: docs/analysis.md.

    Example: safecity export parquet --site site.toml --from 2026-03-01T00:00:00Z
    --to 2026-03-02T00:00:00Z --observations seen.jsonl --out lake
    """
    from command_center.analytics import export as work
    from command_center.store.database import StoreError
    from safecity.bus.port import BusError

    if not work.RUN.fullmatch(run):
        raise UsageError(f"--run {run!r}: want letters, digits, dot, dash and underscore")
    loaded, done = load_site(site), work.Exported()
    wanted = work.Wanted(
        parse_time(begin) if begin else datetime(1970, 1, 1, tzinfo=UTC),
        parse_time(end) if end else datetime(9999, 1, 1, tzinfo=UTC),
        run,
    )
    with Console(stderr=True).status("writing Parquet …"):
        try:
            if events is not None or observations is None or _has_store(loaded):
                given = work.events_in(events, done) if events else work.stored_events(loaded, wanted)
                work.export_events(given, loaded, wanted, out, done)
            if observations is not None:
                on_bus = observations == Path("topic")
                seen = (
                    work.observations_on_bus(loaded, done)
                    if on_bus
                    else work.observations_in(observations, done)
                )
                work.export_observations(seen, loaded, wanted, out, done)
        except (StoreError, BusError) as error:
            raise UsageError(str(error)) from None
    said = {
        "events": done.events,
        "observations": done.observations,
        "unreadable_lines": done.unreadable,
        "files": [str(path) for path in done.files],
    }
    if as_json:
        typer.echo(json.dumps(said, indent=2))
    else:
        typer.echo(
            f"{done.events} events and {done.observations} rows of observations in {len(done.files)} files"
        )
        if done.unreadable:
            typer.echo(f"{done.unreadable} lines could not be read and were left out", err=True)


@analyse.command()
def counts(
    folder: Folder,
    camera: CameraOption = None,
    timezone: Annotated[str, typer.Option(help="Of the hours, IANA name.")] = "UTC",
    csv_file: Csv = None,
    png: Png = None,
    as_json: Json = False,
) -> None:
    """Events by camera, kind, line or zone, direction, class and hour.

    Example: safecity analyse counts lake --timezone Asia/Karachi --csv counts.csv --png counts.png
    """
    answer = Questions(folder).counts(timezone, camera)
    if png is not None:
        from command_center.analytics.plots import hours

        hours(answer, "Events an hour", png)
    _show(answer, csv_file, as_json=as_json)


@analyse.command()
def dwell(
    folder: Folder,
    camera: CameraOption = None,
    csv_file: Csv = None,
    png: Png = None,
    as_json: Json = False,
) -> None:
    """How long objects stay in each zone.

    Example: safecity analyse dwell lake --camera gate --png dwell.png
    """
    answer = Questions(folder).dwell(camera)
    if png is not None:
        from command_center.analytics.plots import bars

        bars(answer, ("camera_id", "zone", "label"), "median_seconds", "Time in a zone", png)
    _show(answer, csv_file, as_json=as_json)


@analyse.command()
def od(
    folder: Folder,
    camera: CameraOption = None,
    csv_file: Csv = None,
    png: Png = None,
    as_json: Json = False,
) -> None:
    """Origin and destination: the zones that tracks were in first and last.

    Example: safecity analyse od lake --camera gate --csv od.csv --png od.png
    """
    answer = Questions(folder).od(camera)
    if png is not None:
        from command_center.analytics.plots import matrix

        matrix(answer, "Tracks by origin and destination", png)
    _show(answer, csv_file, as_json=as_json)


@analyse.command()
def heatmap(
    folder: Folder,
    camera: Annotated[str, typer.Option(help="The camera.", metavar="ID")],
    label: Annotated[str | None, typer.Option(help="Only this class, e.g. person.")] = None,
    background: Annotated[
        Path | None, typer.Option(help="The camera's picture, JPEG or PNG.", exists=True, metavar="FILE")
    ] = None,
    columns: Annotated[int, typer.Option(min=4, max=640, help="Cells across.")] = 64,
    rows: Annotated[int, typer.Option(min=4, max=640, help="Cells down.")] = 36,
    csv_file: Csv = None,
    png: Png = None,
    as_json: Json = False,
) -> None:
    """Where objects stood in a camera's picture.

    Example: safecity analyse heatmap lake --camera gate --background gate.jpg --png heat.png
    """
    answer = Questions(folder).heat(camera, label, columns, rows)
    if png is not None:
        from command_center.analytics.plots import heat_map

        cells = np.zeros((rows, columns))
        for column, row, seen in answer.rows:
            cells[row, column] = seen
        heat_map(cells, background, f"Where {label or 'objects'} stood, {camera}", png)
    _show(answer, csv_file, as_json=as_json)


def _show(answer: Answer, csv_file: Path | None, *, as_json: bool) -> None:
    texts = [[_text(value) for value in row] for row in answer.rows]
    if csv_file is not None:
        output = io.StringIO()
        csv.writer(output, lineterminator="\n").writerows([answer.columns, *texts])
        csv_file.write_text(output.getvalue(), encoding="utf-8")
    if as_json:
        rows = [dict(zip(answer.columns, map(_plain, row), strict=True)) for row in answer.rows]
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table(*answer.columns)
    for row in texts[:100]:
        table.add_row(*row)
    Console().print(table)
    if len(texts) > 100:
        typer.echo(f"and {len(texts) - 100} more rows: --csv FILE or --json has all")


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _text(value: Any) -> str:
    return "" if value is None else str(_plain(value))


def _has_store(site: Any) -> bool:
    return site.centre.database is not None or (site.in_data_dir("centre") / "store.sqlite").is_file()
