"""``safecity models export``: an ultralytics checkpoint to ONNX, and to int8 with calibration."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from safecity.cli import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from detectors.cards import ModelCard

PICTURES = 128
HELD_OUT = 4
"""Every so many-th picture is kept from the calibration, to compare the two models on."""


def export(
    checkpoint: Annotated[
        str, typer.Argument(help="A .pt file of ultralytics, or an architecture such as yolo26n.yaml.")
    ],
    output: Annotated[Path, typer.Option(help="The folder to write to.", metavar="DIR")] = Path("models"),
    size: Annotated[int, typer.Option(help="Side of the input, pixels.", min=32)] = 640,
    int8: Annotated[bool, typer.Option("--int8", help="Quantise as well.")] = False,
    calibrate: Annotated[
        Path | None,
        typer.Option(help="Pictures like those of your cameras: a video or a folder.", metavar="PATH"),
    ] = None,
    confidence: Annotated[
        float, typer.Option(help="Compare what is seen at least so surely.", min=0.0, max=1.0)
    ] = 0.5,
    least: Annotated[
        float,
        typer.Option(
            help="Least share of detections that original and int8 have in common.", min=0.0, max=1.0
        ),
    ] = 0.8,
    accept_agpl: Annotated[
        bool, typer.Option("--accept-agpl", help="You accept ultralytics' licence, the AGPL-3.0.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Bring an ultralytics checkpoint to ONNX with a card, and with --int8 to eight bits too.

    The eight-bit model is calibrated on your own footage and compared with the original on pictures of it
    that were held back; exit code 1 when they have too little in common. Needs the extra "ultralytics".

    Example: safecity models export yolo26n.pt --int8 --calibrate recording.mp4 --accept-agpl
    """
    if int8 and calibrate is None:
        raise UsageError(
            "--int8 needs --calibrate: a video or a folder of pictures like those of your cameras"
        )
    _agree(accept_agpl)
    try:
        pictures = _pictures(calibrate) if int8 and calibrate else []
        card = _exported(checkpoint, size, output)
        result: dict[str, Any] = {"model": _facts(card)}
        if int8:
            typer.echo(f"Calibrating on {len(pictures)} pictures …", err=True)
            result |= _quantised(card, pictures, confidence)
    except (ValueError, OSError) as error:
        raise UsageError(str(error)) from None
    typer.echo(json.dumps(result, indent=2) if as_json else _report(result))
    said = result.get("agreement")
    if said and said["first"] + said["second"] == 0:
        typer.echo(
            f"Neither model sees anything at {confidence:g}, so nothing was compared: give footage that "
            "shows objects, or a lower --confidence",
            err=True,
        )
        raise typer.Exit(1)
    if said and said["matched_share"] < least:
        typer.echo(f"the int8 model has less than {least:.0%} in common with its original", err=True)
        raise typer.Exit(1)


def _agree(accepted: bool) -> None:
    """Say the licence, and want a yes."""
    from detectors.building.ultralytics_onnx import TERMS

    typer.echo(TERMS, err=True)
    if accepted:
        return
    if not sys.stdin.isatty():
        raise UsageError("to go on, accept the AGPL-3.0 with --accept-agpl")
    if not typer.confirm("Do you accept that?", err=True):
        raise UsageError("not accepted: nothing was done")


def _pictures(path: Path) -> "list[NDArray[np.uint8]]":
    from detectors.pictures import sample

    return sample(path, PICTURES)


def _exported(checkpoint: str, size: int, folder: Path) -> "ModelCard":
    try:
        from detectors.building.ultralytics_onnx import LICENCE, export_onnx
        from detectors.inspection import Wishes, inspect

        file = export_onnx(checkpoint, size, folder / f"{Path(checkpoint).stem}.onnx")
    except ImportError as error:
        raise UsageError(
            f'exporting needs ultralytics: pip install "safecity[ultralytics]" ({error})'
        ) from None
    from detectors.card_file import write_card
    from detectors.cards import load_card

    card, _ = inspect(file, file.stem, Wishes(licence=LICENCE))
    named = card.model_copy(update={"file": Path(file.name)})
    return load_card(str(write_card(named, file.with_suffix(".toml"))))


def _quantised(card: "ModelCard", pictures: "list[NDArray[np.uint8]]", confidence: float) -> dict[str, Any]:
    from detectors.building.quantisation import quantise
    from detectors.commands.shared import compare

    held_out = pictures[HELD_OUT - 1 :: HELD_OUT]
    shown = [picture for k, picture in enumerate(pictures) if k % HELD_OUT != HELD_OUT - 1]
    small = quantise(card, shown, card.file.with_name(f"{card.file.stem}-int8.onnx"))
    return {"int8": _facts(small), "agreement": compare(card, small, "onnx", held_out, confidence)}


def _facts(card: "ModelCard") -> dict[str, Any]:
    from detectors.commands.shared import facts

    return facts(card) | {"card": str(card.file.with_suffix(".toml"))}


def _report(result: dict[str, Any]) -> str:
    from detectors.commands.checking import sentence

    lines = [
        f"{row['card']}: {row['head']}, {row['bytes'] / 1e6:.1f} MB, {row['licence']}"
        for row in (result["model"], result.get("int8"))
        if row
    ]
    if "agreement" in result:
        said = {**result["agreement"], "name": result["model"]["name"]}
        lines.append(
            f"On {said['pictures']} pictures that were held back: " + sentence("the int8 model", said)
        )
    return "\n".join(lines)
