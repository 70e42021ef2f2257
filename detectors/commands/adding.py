"""``safecity models add``: a card for a model of the user's own."""

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from safecity.cli import UsageError

if TYPE_CHECKING:
    from detectors.inspection import Finding


def add(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    onnx: Annotated[Path, typer.Option(help="The ONNX file; it is copied.", metavar="FILE")],
    head: Annotated[str | None, typer.Option(help="Its output layout; else it is found out.")] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            help="Its classes: a set (coco80, coco90), names with commas, or a file, a name a line."
        ),
    ] = None,
    size: Annotated[
        str | None, typer.Option(help="Input of a model that leaves it open.", metavar="WIDTHxHEIGHT")
    ] = None,
    colour: Annotated[str | None, typer.Option(help="bgr or rgb; else as is usual for the head.")] = None,
    fit: Annotated[str | None, typer.Option(help="stretch or letterbox; else as is usual.")] = None,
    licence: Annotated[str | None, typer.Option(help="On what terms you have it.")] = None,
    folder: Annotated[Path, typer.Option(help="Where your models are.", metavar="DIR")] = Path("models"),
    on: Annotated[
        Path | None,
        typer.Option(help="Video, folder or picture to try it on; else the shipped street.", metavar="PATH"),
    ] = None,
    draw: Annotated[
        Path | None, typer.Option(help="Write the first picture with its boxes.", metavar="FILE.jpg")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace one of that name.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Take in an ONNX model: find out what it is, try it on pictures, and write its card.

    Use it with detector.model = "models/NAME.toml" in the site file.

    Example: safecity models add trucks --onnx best.onnx --labels truck,trailer
    """
    from detectors.card_file import write_card
    from detectors.commands.shared import FOOTAGE, facts, known_card, look, seen, watcher
    from detectors.drawing import write_picture
    from detectors.inspection import Wishes, inspect
    from detectors.pictures import sample

    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise UsageError(f"{name!r}: want a name of letters, digits, '.', '_' and '-'")
    target = folder / f"{name}.toml"
    if target.exists() and not force:
        raise UsageError(f"{target} is there already; --force replaces it")
    if not onnx.is_file():
        raise UsageError(f"{onnx} is not there")
    given = {key: value for key, value in (("colour", colour), ("fit", fit)) if value is not None}
    wishes = Wishes(head, _labels(labels), _size(size), licence, given)
    try:
        card, findings = inspect(onnx, name, wishes)
        found, milliseconds = look(watcher(card, "onnx"), pictures := sample(on or FOOTAGE, 8))
        if draw is not None:
            write_picture(draw, pictures[0], found[0], card.labels)
        kept = folder / f"{name}.onnx"
        folder.mkdir(parents=True, exist_ok=True)
        if kept.resolve() != onnx.resolve():
            shutil.copyfile(onnx, kept)
        write_card(card.model_copy(update={"file": Path(kept.name)}), target)
    except (ValueError, OSError) as error:
        raise UsageError(_plain(error)) from None
    result = {
        **facts(known_card(str(target))),
        "card": str(target),
        "findings": [vars(finding) for finding in findings],
        "milliseconds": milliseconds,
        "pictures": len(pictures),
        "seen": seen(found, card.labels),
    }
    typer.echo(json.dumps(result, indent=2) if as_json else _report(result, findings))


def _report(result: dict[str, Any], findings: "list[Finding]") -> str:
    from detectors.commands.shared import named

    lines = [f"{finding.what:8}{finding.value}  ({finding.because})" for finding in findings]
    return "\n".join(
        [
            *lines,
            f"In {result['pictures']} pictures it sees {named(result['seen'])}; "
            f"one takes {result['milliseconds']} ms.",
            f'{result["card"]} is written. In the site file: [detector] model = "{result["card"]}"',
        ]
    )


def _labels(text: str | None) -> tuple[str, ...] | None:
    from detectors.labels import LABEL_SETS

    if text is None:
        return None
    if text in LABEL_SETS:
        return LABEL_SETS[text]
    names = Path(text).read_text("utf-8").splitlines() if Path(text).is_file() else text.split(",")
    return tuple(name.strip() for name in names if name.strip())


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d+)(?:x(\d+))?", text)
    if match is None:
        raise UsageError(f"--size {text}: want WIDTHxHEIGHT, e.g. 640x384")
    return int(match[1]), int(match[2] or match[1])


def _plain(error: Exception) -> str:
    """Pydantic's errors in one line."""
    from pydantic import ValidationError

    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors())
    return str(error)
