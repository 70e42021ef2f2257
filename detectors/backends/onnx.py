"""ONNX Runtime on the CPU, one thread: a process a core does better than threads in one."""

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from detectors.cards import ModelCard

onnxruntime.set_default_logger_severity(3)


class OnnxBackend:
    """One session.

    Args:
        card: the model.

    Raises:
        ValueError: the file is no model that this runtime can load.
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
        self._swap = card.input.colour == "rgb"
        self._raw = model_input.type == "tensor(uint8)"
        mean, std = np.array(card.input.mean, np.float32), np.array(card.input.std, np.float32)
        self._scale, self._shift = (1 / std)[:, None, None], (-mean / std)[:, None, None]
        self._tensor = np.empty((1, 3, 0, 0), np.uint8 if self._raw else np.float32)

    def infer(self, bgr: NDArray[np.uint8], size: tuple[int, int]) -> list[NDArray[np.float32]]:
        """The model's raw outputs for one picture (h, w, 3), stretched to ``size`` (width, height)."""
        picture = cv2.resize(bgr, size, interpolation=cv2.INTER_LINEAR)
        if self._tensor.shape[2:] != (size[1], size[0]):
            self._tensor = np.empty((1, 3, size[1], size[0]), self._tensor.dtype)
        if self._swap:
            picture = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        if self._raw:
            cv2.split(picture, list(self._tensor[0]))
        else:
            np.multiply(picture.transpose(2, 0, 1), self._scale, out=self._tensor[0])
            self._tensor[0] += self._shift
        outputs: list[NDArray[np.float32]] = self._session.run(None, {self._name: self._tensor})
        return outputs


def build(card: ModelCard) -> OnnxBackend:
    """Plug-in entry."""
    return OnnxBackend(card)
