"""An fp32 model in eight bits, with calibration on pictures like those that it will see.

QDQ format, activations per tensor in uint8, weights per channel in seven bits, so that processors without
VNNI compute the same. What comes after the last convolutions stays in floats: it joins numbers of other
magnitudes (pixels and shares) into one tensor, which one scale cannot hold.
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from detectors.card_file import write_card
from detectors.cards import ModelCard, file_digest, load_card
from detectors.pixels import PixelBuffers

LEAST_PICTURES = 8
SMALLEST_CONVOLUTION = 64
"""Weights. One that has no more is no layer but a sum written as one, as in YOLO's boxes."""


def quantise(card: ModelCard, pictures: Sequence[NDArray[np.uint8]], target: Path) -> ModelCard:
    """Write the model of ``card`` in int8 to ``target``, and its card beside it; the new card.

    The new model takes raw uint8 pixels where mean and std are the same for all channels.

    Args:
        card: a model with float32 input.
        pictures: to calibrate with, (h, w, 3) BGR.
        target: the ONNX file to write.

    Raises:
        ValueError: there are too few pictures, or the model cannot be quantised.
    """
    if len(pictures) < LEAST_PICTURES:
        raise ValueError(
            f"there are {len(pictures)} pictures to calibrate with; want {LEAST_PICTURES} or more"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="safecity-quantise-") as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(card.file), str(prepared), skip_symbolic_shape=True)
        model = _named(prepared)
        name = model.graph.input[0].name
        pixels = _pixel_scale(card)
        # It computes a scale for what is excluded too, and that may be infinite.
        with np.errstate(invalid="ignore"):
            quantize_static(
                str(prepared),
                str(target),
                _Calibration(card, name, pictures),
                quant_format=QuantFormat.QDQ,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                per_channel=True,
                reduce_range=True,
                nodes_to_exclude=sorted(tail(model.graph) | boundless(model.graph)),
                extra_options={} if pixels is None else {"TensorQuantOverrides": {name: [_override(pixels)]}},
            )
    raw = pixels is not None and take_raw_pixels(target)
    changes: dict[str, Any] = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)} if raw else {}
    quantised = card.model_copy(
        update={
            "name": f"{card.name}-int8",
            "file": Path(target.name),
            "sha256": file_digest(target),
            "source": f"{card.source}; int8, calibrated on {len(pictures)} pictures",
            "input": card.input.model_copy(update=changes),
        }
    )
    return load_card(str(write_card(quantised, target.with_suffix(".toml"))))


def _named(file: Path) -> onnx.ModelProto:
    """The model of ``file``, each node with a name of its own in it: nodes are excluded by name."""
    model = onnx.load(str(file))
    for index, node in enumerate(model.graph.node):
        node.name = f"{node.op_type}_{index}"
    onnx.save(model, str(file))
    return model


class _Calibration(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    def __init__(self, card: ModelCard, name: str, pictures: Sequence[NDArray[np.uint8]]) -> None:
        self._tensors = self._all(card, name, pictures)

    def _all(
        self, card: ModelCard, name: str, pictures: Sequence[NDArray[np.uint8]]
    ) -> Iterator[dict[str, NDArray[np.generic]]]:
        buffers = PixelBuffers(card.input, np.float32)
        for picture in pictures:
            size = card.input.size_for(picture.shape[1], picture.shape[0])
            yield {name: buffers.fill(picture, size).copy()}

    def get_next(self) -> dict[str, NDArray[np.generic]] | None:
        """As onnxruntime asks for it."""
        return next(self._tensors, None)


def tail(graph: onnx.GraphProto) -> set[str]:
    """The names of the nodes that no layer comes after."""
    weights = {tensor.name: int(np.prod(tensor.dims)) for tensor in graph.initializer}
    needed: set[str] = set()
    names: set[str] = set()
    for node in reversed(graph.node):
        layer = node.op_type == "Conv" and weights.get(node.input[1], 0) > SMALLEST_CONVOLUTION
        if layer or needed.intersection(node.output):
            needed.update(node.input)
        else:
            names.add(node.name)
    return names


def boundless(graph: onnx.GraphProto) -> set[str]:
    """The names of the nodes that a constant without bound goes into, such as the padding of a maximum."""
    reached = {t.name for t in graph.initializer if not np.isfinite(numpy_helper.to_array(t)).all()}
    padding = [node for node in graph.node if reached.intersection(node.input)]
    reached.update(name for node in padding for name in node.output)
    return {node.name for node in graph.node if reached.intersection(node.input)}


def _pixel_scale(card: ModelCard) -> tuple[np.float32, int] | None:
    """Scale and zero point that make of a pixel what mean and std make of it; none when one scale cannot."""
    mean, std = card.input.mean, card.input.std
    if len(set(mean)) > 1 or len(set(std)) > 1 or not (0 <= mean[0] <= 255 and mean[0].is_integer()):
        return None
    return np.float32(1 / std[0]), int(mean[0])


def _override(pixels: tuple[np.float32, int]) -> dict[str, Any]:
    return {
        "quant_type": QuantType.QUInt8,
        "scale": np.array(pixels[0], np.float32),
        "zero_point": np.array(pixels[1], np.uint8),
    }


def take_raw_pixels(file: Path) -> bool:
    """Let the model take uint8 where it begins with quantising its input; whether it did."""
    model = onnx.load(str(file))
    graph = model.graph
    picture = graph.input[0]
    readers = [node for node in graph.node if picture.name in node.input]
    if [node.op_type for node in readers] != ["QuantizeLinear"]:
        return False
    zero = next(numpy_helper.to_array(t) for t in graph.initializer if t.name == readers[0].input[2])
    if zero.dtype != np.uint8:
        return False
    for node in graph.node:
        node.input[:] = [picture.name if name == readers[0].output[0] else name for name in node.input]
    graph.node.remove(readers[0])
    picture.type.tensor_type.elem_type = TensorProto.UINT8
    onnx.checker.check_model(model)
    file.write_bytes(model.SerializeToString(deterministic=True))
    return True
