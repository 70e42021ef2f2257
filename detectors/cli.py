"""``safecity models``: the models that can look at pictures."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from safecity.cli import UsageError

if TYPE_CHECKING:
    from detectors.cards import ModelCard

models = typer.Typer(name="models", help="List, check and build detection models.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(models)


@models.command("list")
def list_models(as_json: AsJson = False) -> None:
    """Say which models are shipped.

    Example: safecity models list --json
    """
    from detectors.cards import card_names

    rows = [_facts(_card(name)) for name in card_names()]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "input", "labels", "licence", "size", "sha256")
    for row in rows:
        size = f"{row['bytes'] / 1e6:.1f} MB"
        shape = f"{row['input']['width']} x {row['input']['height']}"
        labels = f"{len(row['labels'])}: {', '.join(row['labels'][:3])}, …"
        table.add_row(row["name"], shape, labels, row["licence"], size, row["sha256"][:12])
    Console().print(table)


@models.command()
def check(
    model: Annotated[
        str, typer.Argument(help="A model's name, or the path of its card (.toml).")
    ] = "nanodet-g",
    backend: Annotated[str, typer.Option(help="What runs it.")] = "onnx",
    as_json: AsJson = False,
) -> None:
    """Load a model, see that it is unchanged, and let it look at one picture.

    Example: safecity models check nanodet-g
    """
    import time

    import numpy as np

    from detectors.detector import build_detector
    from safecity.settings import DetectorSettings

    card = _card(model)
    try:
        detector = build_detector(DetectorSettings(model=model, backend=backend, labels=card.labels))
        picture = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), np.uint8)
        detector.detect(picture)
        begin = time.perf_counter()
        found = detector.detect(picture)
        milliseconds = round((time.perf_counter() - begin) * 1000, 1)
    except (ValueError, IndexError) as error:
        raise UsageError(f"{model}: {error}") from None
    if as_json:
        typer.echo(json.dumps({**_facts(card), "milliseconds": milliseconds, "found": len(found)}, indent=2))
    else:
        width, height = card.input.size_for(1280, 720)
        typer.echo(
            f"{card.name}: good. {card.file.name} is {card.sha256[:12]}; "
            f"a picture of 1280 x 720, looked at as {width} x {height}, takes {milliseconds} ms."
        )


def _card(name: str) -> "ModelCard":
    from detectors.cards import load_card

    try:
        return load_card(name)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _facts(card: "ModelCard") -> dict[str, Any]:
    return {
        "name": card.name,
        "input": card.input.model_dump(mode="json"),
        "labels": list(card.labels),
        "licence": card.licence,
        "source": card.source,
        "head": card.head,
        "file": str(Path(card.file)),
        "bytes": card.file.stat().st_size,
        "sha256": card.sha256,
    }
