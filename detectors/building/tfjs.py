"""Reading a TensorFlow.js graph model: ``model.json`` and its weights."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Node:
    """One operation."""

    name: str
    op: str
    inputs: tuple[str, ...]
    """Names of nodes or constants; ``name:1`` is the second output."""
    attributes: Mapping[str, Any]

    def numbers(self, key: str) -> list[int]:
        """A list of integers, such as strides in the order of the layout NHWC."""
        return [int(number) for number in self.attributes[key]["list"]["i"]]

    def text(self, key: str) -> str:
        """A string, e.g. the kind of padding."""
        return base64.b64decode(self.attributes[key]["s"]).decode()


@dataclass(frozen=True)
class Network:
    """A graph and its weights."""

    nodes: Mapping[str, Node]
    constants: Mapping[str, NDArray[Any]]
    """Weights by name; float16 ones as float32."""


def read_network(model_json: bytes, weights: bytes) -> Network:
    """Read a graph model.

    Raises:
        ValueError: the weights are not those that the model describes.
    """
    model = json.loads(model_json)
    constants: dict[str, NDArray[Any]] = {}
    offset = 0
    for entry in (entry for group in model["weightsManifest"] for entry in group["weights"]):
        stored = np.dtype(entry.get("quantization", entry)["dtype"])
        count = int(np.prod(entry["shape"]))
        if offset + count * stored.itemsize > len(weights):
            raise ValueError("the weights are shorter than the model describes")
        array = np.frombuffer(weights, stored, count, offset).reshape(entry["shape"])
        constants[entry["name"]] = array.astype(np.float32) if array.dtype.kind == "f" else array
        offset += count * stored.itemsize
    if offset != len(weights):
        raise ValueError(f"the weights have {len(weights)} bytes, the model describes {offset}")
    nodes = {
        entry["name"]: Node(entry["name"], entry["op"], tuple(entry.get("input", ())), entry.get("attr", {}))
        for entry in model["modelTopology"]["node"]
    }
    return Network(nodes, constants)
