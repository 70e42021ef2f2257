"""ONNX Runtime on the CPU, one thread: a process a core does better than threads in one."""

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from detectors.cards import ModelCard
from detectors.pixels import PixelBuffers, PixelType

onnxruntime.set_default_logger_severity(3)
DTYPES: dict[str, PixelType] = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32}


class OnnxBackend:
    """One session.

    Args:
        card: the model.

    Raises:
        ValueError: the file is no model that this runtime can load, or its input is not what the card says.
    """

    def __init__(self, card: ModelCard) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(
                str(card.file), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # noqa: BLE001  the runtime's errors have no common class of their own
            raise ValueError(f"{card.file}: onnxruntime cannot load it: {error}") from None
        model_input = self._session.get_inputs()[0]
        self._name = model_input.name
        dtype = DTYPES.get(model_input.type)
        if dtype is None:
            raise ValueError(f"{card.file}: its input is {model_input.type}, want uint8 or float32")
        try:
            self._pixels = PixelBuffers(card.input, dtype)
        except ValueError as error:
            raise ValueError(f"{card.file}: {error}") from None

    def infer(self, bgr: NDArray[np.uint8], size: tuple[int, int]) -> list[NDArray[np.float32]]:
        """The model's raw outputs for one picture (h, w, 3), brought to ``size`` (width, height).

        A model with free input takes any size that is a multiple of its card's ``free``, and each call may
        take another. A picture that has the size already is not resized; it may be a view into a larger one.

        Raises:
            ValueError: the model cannot take that size.
        """
        tensor = self._pixels.fill(bgr, size)
        try:
            outputs: list[NDArray[np.float32]] = self._session.run(None, {self._name: tensor})
        except Exception as error:  # noqa: BLE001  as above
            raise ValueError(f"an input of {size[0]} x {size[1]} pixels: {error}") from None
        return outputs


def build(card: ModelCard) -> OnnxBackend:
    """Plug-in entry."""
    return OnnxBackend(card)
