"""``safecity models list``."""

import json
from pathlib import Path
from typing import Annotated

import typer


def list_models(
    folder: Annotated[
        Path, typer.Option(help="Models of your own, as `models add` writes them.", metavar="DIR")
    ] = Path("models"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say which models are shipped, and which are in the folder of your own.

    Example: safecity models list --json
    """
    from detectors.cards import card_names
    from detectors.commands.shared import facts, known_card

    own = sorted(str(path) for path in folder.glob("*.toml")) if folder.is_dir() else []
    rows = [facts(known_card(name)) | {"model": name} for name in [*card_names(), *own]]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("detector.model", "input", "head", "labels", "licence", "size", "sha256")
    for row in rows:
        size = f"{row['bytes'] / 1e6:.1f} MB"
        shape = f"{row['input']['width']} x {row['input']['height']}"
        labels = f"{len(row['labels'])}: {', '.join(row['labels'][:3])}, …"
        table.add_row(row["model"], shape, row["head"], labels, row["licence"], size, row["sha256"][:12])
    Console().print(table)
