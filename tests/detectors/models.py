"""Models for the tests: small ones made here, and trained ones where they lie beside the repository."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SHARED = Path(__file__).parents[3] / "shared"


def trained(name: str) -> list[Path]:
    """The file of a trained model, if it is there."""
    file = SHARED / "models" / f"{name}.onnx"
    return [file] if file.is_file() else []


def box_finder(path: Path, *, side: int = 64, classes: int = 3, dtype: int = TensorProto.FLOAT) -> Path:
    """A YOLO-like model with real convolutions: class 0 is where a picture is bright.

    For each cell of 8, 16 and 32 pixels it answers with a box of two cells around the cell's middle, and with
    the cell's brightness (0 to 1) as the score.
    """
    nodes, constants = [], []

    def constant(name: str, array: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(array, name))
        return name

    source = "images"
    if dtype != TensorProto.FLOAT:
        nodes.append(helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT))
        source = "floats"
    generator = np.random.default_rng(0)
    kernel = generator.uniform(0.5, 1.5, (8, 3, 3, 3)).astype(np.float32)
    nodes.append(
        helper.make_node(
            "Conv",
            [source, constant("w1", kernel / kernel.sum(axis=(1, 2, 3), keepdims=True))],
            ["a"],
            pads=[1] * 4,
        )
    )
    nodes.append(helper.make_node("Relu", ["a"], ["b"]))
    mix = np.zeros((classes, 8, 3, 3), np.float32)
    mix[0] = 1 / 72
    nodes.append(helper.make_node("Conv", ["b", constant("w2", mix)], ["score"], pads=[1] * 4))
    rows = []
    for stride in (8, 16, 32):
        n = side // stride
        nodes.append(
            helper.make_node(
                "AveragePool", ["score"], [f"p{stride}"], kernel_shape=[stride] * 2, strides=[stride] * 2
            )
        )
        shape = constant(f"s{stride}", np.array([1, classes, n * n]))
        nodes.append(helper.make_node("Reshape", [f"p{stride}", shape], [f"r{stride}"]))
        y, x = np.divmod(np.arange(n * n), n)
        middle = np.stack(
            [x * stride + stride / 2, y * stride + stride / 2, *[np.full(n * n, 2.0 * stride)] * 2]
        )
        rows.append(middle.astype(np.float32)[None])
    nodes.append(helper.make_node("Concat", ["r8", "r16", "r32"], ["scores"], axis=2))
    boxes = constant("boxes", np.concatenate(rows, axis=2))
    nodes.append(helper.make_node("Concat", [boxes, "scores"], ["output0"], axis=1))
    cells = sum((side // stride) ** 2 for stride in (8, 16, 32))
    graph = helper.make_graph(
        nodes,
        "boxes",
        [helper.make_tensor_value_info("images", dtype, (1, 3, side, side))],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, (1, 4 + classes, cells))],
        constants,
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)])
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path
