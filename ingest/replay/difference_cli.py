"""``safecity replay diff``: two runs, compared."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from safecity.cli import UsageError
from safecity.event import Event

WIDE = 160


def diff(
    run_a: Annotated[Path, typer.Argument(help="Events of one run, JSON lines.", metavar="RUN_A")],
    run_b: Annotated[Path, typer.Argument(help="Events of the other.", metavar="RUN_B")],
    tolerance: Annotated[
        float, typer.Option(min=0.0, help="Seconds; events with other ids that are so near may be the same.")
    ] = 2.0,
    snapshots: Annotated[
        list[Path] | None, typer.Option(help="Where the runs kept pictures; more than once.", metavar="DIR")
    ] = None,
    json_path: Annotated[
        Path | None, typer.Option("--json", help="Write it as JSON.", metavar="FILE")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write it as a page with its pictures in it.", metavar="FILE")
    ] = None,
) -> None:
    """Say which events appeared, went and changed between two runs.

    Exit codes: 0 both tell the same, 1 they differ, 2 wrong input.

    Example: safecity replay diff a.jsonl b.jsonl --snapshots pictures --html diff.html
    """
    from ingest.replay.difference import compare
    from ingest.replay.difference_report import document, page, show

    for path in (json_path, html):
        if path is not None and not path.absolute().parent.is_dir():
            raise UsageError(f"{path}: there is no folder {path.absolute().parent}; make it first")
    found = compare(_events(run_a), _events(run_b), tolerance=tolerance)
    names = (str(run_a), str(run_b))
    console = Console()
    show(found, console if console.is_terminal else Console(width=WIDE))
    if json_path is not None:
        json_path.write_text(json.dumps(document(found, names), indent=2) + "\n", encoding="utf-8")
    if html is not None:
        html.write_text(page(found, names, partial(_picture, snapshots or [])), encoding="utf-8")
    raise typer.Exit(0 if found.nothing else 1)


def _events(path: Path) -> Iterator[Event]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _event(path, number, line)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None


def _event(path: Path, number: int, line: bytes) -> Event:
    try:
        return Event.from_bytes(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(
            f"{path}: line {number}: no event: {where + ': ' if where else ''}{first['msg']}"
        ) from None


def _picture(folders: list[Path], event: Event) -> bytes | None:
    # Only the name: an event file may come from anywhere.
    name = Path(event.snapshot).name if event.snapshot else None
    found = next((f / name for f in folders if (f / name).is_file()), None) if name else None
    return found.read_bytes() if found is not None else None
