"""``safecity models check``: does a model run, what does it see, and how does it compare with another?"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from safecity.cli import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from detectors.cards import ModelCard

LEAST = 0.8
PICTURES = 40


def check(
    model: Annotated[
        str, typer.Argument(help="A model's name, or the path of its card (.toml).")
    ] = "nanodet-g",
    backend: Annotated[str, typer.Option(help="What runs it.")] = "onnx",
    on: Annotated[
        Path | None,
        typer.Option(help="Video, folder or picture to look at; else the shipped street.", metavar="PATH"),
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="Another model to compare it with.", metavar="MODEL")
    ] = None,
    least: Annotated[
        float, typer.Option(help="Least share of detections that both must have.", min=0.0, max=1.0)
    ] = LEAST,
    confidence: Annotated[
        float, typer.Option(help="Compare what is seen at least so surely.", min=0.0, max=1.0)
    ] = 0.5,
    draw: Annotated[
        Path | None, typer.Option(help="Write the first picture with its boxes.", metavar="FILE.jpg")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Load a model, see that it is unchanged, and let it look at pictures.

    With --against, say how much of what each of two models sees the other one sees too (same class, overlap
    of half or more); exit code 1 when that is less than --least.

    Example: safecity models check models/own.toml --against nanodet-g --on recording.mp4
    """
    from detectors.commands.shared import FOOTAGE, facts, known_card
    from detectors.pictures import sample

    card = known_card(model)
    other = known_card(against) if against else None
    try:
        pictures = sample(on or FOOTAGE, PICTURES if other else 4)
        result = {**facts(card), **_trial(card, backend, pictures, draw)}
        if other:
            result["against"] = _comparison(other, card, backend, pictures, confidence)
    except (ValueError, OSError) as error:
        raise UsageError(f"{model}: {error}") from None
    typer.echo(json.dumps(result, indent=2) if as_json else _report(card, result, pictures))
    if other and result["against"]["matched_share"] < least:
        typer.echo(f"less than {least:.0%} in common", err=True)
        raise typer.Exit(1)


def _trial(
    card: "ModelCard", backend: str, pictures: "list[NDArray[np.uint8]]", draw: Path | None
) -> dict[str, Any]:
    from detectors.commands.shared import look, seen, watcher
    from detectors.drawing import write_picture

    found, milliseconds = look(watcher(card, backend), pictures)
    if draw is not None:
        write_picture(draw, pictures[0], found[0], card.labels)
    return {
        "milliseconds": milliseconds,
        "pictures": len(pictures),
        "found": sum(map(len, found)),
        "seen": seen(found, card.labels),
    }


def _comparison(
    other: "ModelCard",
    card: "ModelCard",
    backend: str,
    pictures: "list[NDArray[np.uint8]]",
    confidence: float,
) -> dict[str, Any]:
    from detectors.commands.shared import compare

    if other.labels != card.labels:
        raise UsageError(f"{other.name} and {card.name} have other labels: nothing to compare")
    return {"name": other.name, **compare(other, card, backend, pictures, confidence)}


def _report(card: "ModelCard", result: dict[str, Any], pictures: "list[NDArray[np.uint8]]") -> str:
    from detectors.commands.shared import named

    high, wide = pictures[0].shape[:2]
    width, height = card.input.size_for(wide, high)
    lines = [
        f"{card.name}: good. {card.file.name} is {card.sha256[:12]}; a picture of {wide} x {high}, looked at "
        f"as {width} x {height}, takes {result['milliseconds']} ms.",
        f"In {result['pictures']} pictures it sees {named(result['seen'])}.",
    ]
    if "against" in result:
        lines.append(sentence(card.name, result["against"]))
    return "\n".join(lines)


def sentence(name: str, said: dict[str, Any]) -> str:
    """A comparison as people read it."""
    return (
        f"{said['name']} sees {said['first']} objects in {said['milliseconds_first']} ms a picture, {name} "
        f"{said['second']} in {said['milliseconds_second']} ms; {said['matched_share']:.1%} are in common, "
        f"and {name} is {said['confidence_difference']:+.3f} as sure of those."
    )
