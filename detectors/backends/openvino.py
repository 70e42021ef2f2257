"""OpenVINO on the CPU, one thread (extra ``openvino``, Apache-2.0).

For processors with bf16, where a model in floats runs up to twice as fast as with ONNX Runtime. bf16 keeps
eight bits of a number's digits: compare with ``safecity models check MODEL --against`` before use.
"""

import numpy as np
from numpy.typing import NDArray

from detectors.cards import ModelCard
from detectors.pixels import PixelBuffers, PixelType

CONFIG = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
DTYPES: dict[str, PixelType] = {"u8": np.uint8, "f32": np.float32}


class OpenVinoBackend:
    """One compiled model.

    Args:
        card: the model.

    Raises:
        ValueError: OpenVINO is not installed, or it cannot load the file.
    """

    def __init__(self, card: ModelCard) -> None:
        try:
            import openvino
        except ImportError:
            raise ValueError('the backend openvino needs: pip install "safecity[openvino]"') from None
        try:
            model = openvino.Core().compile_model(str(card.file), "CPU", CONFIG)
            dtype = DTYPES.get(model.input(0).get_element_type().get_type_name())
        except RuntimeError as error:
            raise ValueError(f"{card.file}: OpenVINO cannot load it: {error}") from None
        if dtype is None:
            raise ValueError(f"{card.file}: its input is {model.input(0).get_element_type()}, want u8 or f32")
        try:
            self._pixels = PixelBuffers(card.input, dtype)
        except ValueError as error:
            raise ValueError(f"{card.file}: {error}") from None
        self._request = model.create_infer_request()
        self._outputs = len(model.outputs)

    def infer(self, bgr: NDArray[np.uint8], size: tuple[int, int]) -> list[NDArray[np.float32]]:
        """The model's raw outputs for one picture (h, w, 3), brought to ``size`` (width, height).

        Raises:
            ValueError: the model cannot take that size.
        """
        tensor = self._pixels.fill(bgr, size)
        try:
            self._request.infer([tensor], share_inputs=True)
        except RuntimeError as error:
            raise ValueError(f"an input of {size[0]} x {size[1]} pixels: {error}") from None
        return [
            np.array(self._request.get_output_tensor(index).data, np.float32)
            for index in range(self._outputs)
        ]


def build(card: ModelCard) -> OpenVinoBackend:
    """Plug-in entry."""
    return OpenVinoBackend(card)
