"""The same model in floats: what an int8 model in QDQ format would have been, to compare with."""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper

from detectors.card_file import write_card
from detectors.cards import ModelCard, file_digest, load_card

Constants = dict[str, NDArray[np.generic]]


def dequantise(card: ModelCard, target: Path) -> ModelCard:
    """Write the model of ``card`` in fp32 to ``target``, and its card beside it; the new card.

    Its input is float32. What zero point and scale of a uint8 input did, mean and std of the card do.

    Raises:
        ValueError: the model is not in QDQ format.
    """
    model = onnx.load(str(card.file))
    mean, std = _pixels_meaning(model.graph)
    strip(model)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(model.SerializeToString(deterministic=True))
    changes = {"mean": mean, "std": std} if mean is not None else {}
    floats = card.model_copy(
        update={
            "name": f"{card.name}-fp32",
            "file": Path(target.name),
            "sha256": file_digest(target),
            "source": f"{card.source}; dequantised",
            "input": card.input.model_copy(update=changes),
        }
    )
    return load_card(str(write_card(floats, target.with_suffix(".toml"))))


def strip(model: onnx.ModelProto) -> None:
    """Take every QuantizeLinear and DequantizeLinear out of ``model``; weights become floats.

    Raises:
        ValueError: there is none, or one whose parameters are not constants.
    """
    graph = model.graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    inputs = {value.name: value for value in graph.input}
    stands_for: dict[str, str] = {}
    kept, folded = [], {}
    for node in graph.node:
        if node.op_type == "QuantizeLinear":
            stands_for[node.output[0]] = stands_for.get(node.input[0], node.input[0])
        elif node.op_type == "DequantizeLinear":
            source = node.input[0]
            if source in constants:
                folded[node.output[0]] = _floats(node, constants)
                continue
            if source in inputs:
                inputs[source].type.tensor_type.elem_type = TensorProto.FLOAT
            stands_for[node.output[0]] = stands_for.get(source, source)
        else:
            kept.append(node)
    if not stands_for:
        raise ValueError("the model is not in QDQ format: there is nothing to dequantise")
    for node in kept:
        node.input[:] = [stands_for.get(name, name) for name in node.input]
    _replace(graph, kept, folded)
    onnx.checker.check_model(model)


def _replace(
    graph: onnx.GraphProto, nodes: list[onnx.NodeProto], folded: dict[str, NDArray[np.float32]]
) -> None:
    used = {name for node in nodes for name in node.input}
    stored = [tensor for tensor in graph.initializer if tensor.name in used]
    stored += [numpy_helper.from_array(array, name) for name, array in folded.items() if name in used]
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.initializer.extend(stored)


def _floats(node: onnx.NodeProto, constants: Constants) -> NDArray[np.float32]:
    """``(whole - zero) * scale``, by channel of the node's axis."""
    whole, scale, zero = _parameters(node, constants)
    if scale.ndim:
        axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
        shape = [-1 if k == axis % whole.ndim else 1 for k in range(whole.ndim)]
        scale, zero = scale.reshape(shape), zero.reshape(shape)
    floats: NDArray[np.float32] = ((whole.astype(np.float64) - zero) * scale).astype(np.float32)
    return floats


def _parameters(
    node: onnx.NodeProto, constants: Constants
) -> tuple[NDArray[np.generic], NDArray[np.float64], NDArray[np.float64]]:
    names = list(node.input)
    if names[1] not in constants or (len(names) > 2 and names[2] not in constants):
        raise ValueError(f"{node.name or node.output[0]}: its scale or zero point is no constant")
    whole = constants.get(names[0], np.zeros(0))
    scale = constants[names[1]].astype(np.float64)
    zero = constants[names[2]].astype(np.float64) if len(names) > 2 else np.zeros_like(scale)
    return whole, scale, zero


def _pixels_meaning(
    graph: onnx.GraphProto,
) -> tuple[tuple[float, float, float], tuple[float, float, float]] | tuple[None, None]:
    """Mean and std that do what zero point and scale of a uint8 input do; none for a float input."""
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    pixels = {value.name for value in graph.input if value.type.tensor_type.elem_type == TensorProto.UINT8}
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in pixels:
            _, scale, zero = _parameters(node, constants)
            return (float(zero),) * 3, (float(1 / scale),) * 3
    return None, None
