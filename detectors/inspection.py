"""What an ONNX file says of itself, and what follows from it for its card."""

import ast
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from detectors.cards import ModelCard, file_digest
from detectors.detector import Head
from detectors.labels import LABEL_SETS, label_set
from detectors.model_input import ModelInput
from safecity.plugins import load_plugin, plugin_names

FREE_STEP = 32
"""What sides of a free input are multiples of, in almost all detectors."""


@dataclass(frozen=True)
class Wishes:
    """What the user says; what is None is to be found out."""

    head: str | None = None
    labels: tuple[str, ...] | None = None
    size: tuple[int, int] | None = None
    """Width and height, pixels."""
    licence: str | None = None
    input: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the card's input."""


@dataclass(frozen=True)
class Finding:
    """A setting, its value, and why."""

    what: str
    value: str
    because: str


def inspect(file: Path, name: str, wishes: Wishes) -> tuple[ModelCard, list[Finding]]:
    """A card for the ONNX model ``file``, and how each setting was found.

    Raises:
        ValueError: the file is no detector that can be run, or something cannot be found out.
    """
    session = _session(file)
    metadata = dict(session.get_modelmeta().custom_metadata_map)
    if metadata.get("task", "detect") != "detect":
        raise ValueError(f"{file}: its task is {metadata['task']!r}, want a model that detects")
    shape, findings = _input_shape(file, session, metadata, wishes)
    outputs = _outputs(file, session, shape)
    head = _head(file, [output.shape for output in outputs], shape, wishes, findings)
    decoder: Head = load_plugin("detectors.heads", head)
    labels = _labels(file, decoder.classes(outputs), metadata, wishes, findings)
    settings = {**shape, **_usual(head, session.get_inputs()[0].type, findings), **wishes.input}
    licence = wishes.licence or metadata.get("license", "not stated")
    return ModelCard(
        name=name,
        file=file,
        sha256=file_digest(file),
        head=head,
        licence=licence,
        source=metadata.get("description", "").strip() or f"added from {file.name}",
        input=ModelInput.model_validate(settings),
        labels=labels,
    ), findings


def _session(file: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001  the runtime's errors have no common class of their own
        raise ValueError(f"{file}: onnxruntime cannot load it: {error}") from None
    if len(session.get_inputs()) != 1:
        names = ", ".join(i.name for i in session.get_inputs())
        raise ValueError(f"{file}: has the inputs {names}; want a model with one, the picture")
    return session


def _input_shape(
    file: Path, session: onnxruntime.InferenceSession, metadata: Mapping[str, str], wishes: Wishes
) -> tuple[dict[str, Any], list[Finding]]:
    """The card's layout, width, height and free."""
    axes = session.get_inputs()[0].shape
    if len(axes) != 4 or 3 not in (axes[1], axes[3]):
        raise ValueError(f"{file}: its input is {axes}, want [1, 3, height, width] or [1, height, width, 3]")
    layout = "nchw" if axes[1] == 3 else "nhwc"
    height, width = axes[2:] if layout == "nchw" else axes[1:3]
    if isinstance(height, int) and isinstance(width, int):
        if wishes.size not in (None, (width, height)):
            raise ValueError(f"{file}: its input is fixed at {width}x{height}; leave --size away")
        found = Finding("input", f"{width} x {height}, {layout}", "the file fixes it")
        return {"layout": layout, "width": width, "height": height}, [found]
    size, because = wishes.size, "--size; the file leaves it open"
    if size is None and "imgsz" in metadata:
        sides = ast.literal_eval(metadata["imgsz"])
        size, because = (sides[1], sides[0]), "the file's metadata; the sides are free"
    if size is None:
        raise ValueError(f"{file}: its input has no fixed size; say which to spend, e.g. --size 416x416")
    found = Finding("input", f"{size[0]} x {size[1]}, {layout}", because)
    return {"layout": layout, "width": size[0], "height": size[1], "free": FREE_STEP}, [found]


def _outputs(file: Path, session: onnxruntime.InferenceSession, shape: Mapping[str, Any]) -> list[Any]:
    sides = (shape["height"], shape["width"])
    tensor = (1, 3, *sides) if shape["layout"] == "nchw" else (1, *sides, 3)
    model_input = session.get_inputs()[0]
    dtype = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32}.get(model_input.type)
    if dtype is None:
        raise ValueError(f"{file}: its input is {model_input.type}, want uint8 or float32")
    try:
        outputs: list[Any] = session.run(None, {model_input.name: np.zeros(tensor, dtype)})
    except Exception as error:  # noqa: BLE001  as above
        raise ValueError(f"{file}: does not run on {sides[1]} x {sides[0]} pixels: {error}") from None
    return outputs


def _head(
    file: Path,
    shapes: Sequence[tuple[int, ...]],
    shape: Mapping[str, Any],
    wishes: Wishes,
    findings: list[Finding],
) -> str:
    said = " and ".join(str(s) for s in shapes)
    fitting = [
        name
        for name in plugin_names("detectors.heads")
        if load_plugin("detectors.heads", name).recognises(shapes, (shape["width"], shape["height"]))
    ]
    if wishes.head is not None:
        load_plugin("detectors.heads", wishes.head)
        if wishes.head not in fitting:
            raise ValueError(f"{file}: gives {said}, which the head {wishes.head} cannot read")
        findings.append(Finding("head", wishes.head, f"--head; the file gives {said}"))
        return wishes.head
    if len(fitting) != 1:
        names = ", ".join(fitting or plugin_names("detectors.heads"))
        raise ValueError(
            f"{file}: gives {said}, which "
            + (
                f"several heads can read; say which with --head: {names}"
                if fitting
                else f"no head reads ({names})"
            )
        )
    findings.append(Finding("head", fitting[0], f"the file gives {said}"))
    return fitting[0]


def _labels(
    file: Path,
    classes: int | None,
    metadata: Mapping[str, str],
    wishes: Wishes,
    findings: list[Finding],
) -> tuple[str, ...]:
    labels, because = wishes.labels, "--labels"
    if labels is None and "names" in metadata:
        names = ast.literal_eval(metadata["names"])
        labels, because = tuple(str(names[k]) for k in sorted(names)), "the file's metadata"
        if labels == tuple(str(k) for k in range(80)):
            labels, because = label_set("coco80"), "the file names 80 classes by number: COCO's, presumably"
    if labels is None and classes is not None:
        known = [name for name, names in LABEL_SETS.items() if len(names) == classes]
        if known:
            labels, because = label_set(known[0]), f"{classes} classes: {known[0]}, presumably"
    if labels is None:
        count = "an unknown number of" if classes is None else classes
        raise ValueError(f"{file}: has {count} classes; name them with --labels")
    if classes is not None and len(labels) != classes:
        raise ValueError(f"{file}: has {classes} classes, and there are {len(labels)} labels ({because})")
    findings.append(Finding("labels", f"{len(labels)}: {', '.join(labels[:4])}, …", because))
    return labels


def _usual(head: str, input_type: str, findings: list[Finding]) -> dict[str, Any]:
    """How models with that head want their pictures."""
    usual = dict(load_plugin("detectors.heads", head).USUAL)
    if input_type == "tensor(uint8)":
        usual = {key: value for key, value in usual.items() if key not in ("mean", "std")}
    said = ", ".join(f"{key} {_brief(value)}" for key, value in usual.items())
    findings.append(
        Finding("pixels", said, f"usual for {head}; change it in the card if it was trained otherwise")
    )
    return usual


def _brief(value: Any) -> str:
    if isinstance(value, tuple):
        value = value[0] if math.isclose(min(value), max(value)) else list(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
