"""From a picture to a model's input tensor, without allocating anything twice.

Raw pixels (uint8) cost a resize and a split, 0.1 ms. Floats cost a pass of arithmetic over the whole tensor
as well, ten times that.
"""

from collections import OrderedDict
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.model_input import ModelInput

MOST_SIZES = 16
"""Sizes that a process keeps buffers for: whole pictures come in a few shapes, regions in a few more."""
Tensor = NDArray[np.uint8] | NDArray[np.float32]
PixelType = type[np.uint8] | type[np.float32]


@dataclass(frozen=True)
class _Buffers:
    """For one size."""

    picture: NDArray[np.uint8]
    """(h, w, 3): the picture fitted into it, and around it the padding."""
    raw: NDArray[np.uint8]
    """The model's input in its layout, as pixels."""
    tensor: Tensor
    """The same in its type; ``raw`` itself when that is uint8."""


class PixelBuffers:
    """Fills input tensors, and keeps one for each of the sizes used last.

    Args:
        wanted: what the model wants.
        dtype: of its input, uint8 or float32.

    Raises:
        ValueError: raw pixels are to be normalised, which uint8 cannot hold.
    """

    def __init__(self, wanted: ModelInput, dtype: PixelType) -> None:
        if dtype is np.uint8 and wanted.normalises:
            raise ValueError("the model takes raw pixels (uint8): leave mean and std out of the card's input")
        self._wanted, self._dtype = wanted, dtype
        by_channel = (1, 1, 3) if wanted.layout == "nhwc" else (3, 1, 1)
        mean, std = np.array(wanted.mean, np.float32), np.array(wanted.std, np.float32)
        self._scale = (1 / std).reshape(by_channel)
        self._shift = (-mean / std).reshape(by_channel) if any(wanted.mean) else None
        self._by_size: OrderedDict[tuple[int, int], _Buffers] = OrderedDict()

    def fill(self, bgr: NDArray[np.uint8], size: tuple[int, int]) -> Tensor:
        """The input tensor (1, 3, h, w), or (1, h, w, 3), of a picture (h, w, 3).

        It is good until the next call with the same ``size`` (width, height).
        """
        buffers = self._buffers(size)
        self._arrange(self._fitted(bgr, size, buffers.picture), buffers.raw[0])
        if buffers.tensor is not buffers.raw:
            np.multiply(buffers.raw[0], self._scale, out=buffers.tensor[0])
            if self._shift is not None:
                buffers.tensor[0] += self._shift
        return buffers.tensor

    def _fitted(
        self, bgr: NDArray[np.uint8], size: tuple[int, int], picture: NDArray[np.uint8]
    ) -> NDArray[np.uint8]:
        height, width = bgr.shape[:2]
        if (width, height) == size:
            return bgr
        place = self._wanted.placement(width, height, size)
        if (place.width, place.height) != size:
            # Another picture of another shape may have been here.
            picture[:] = self._wanted.padding
        inner = picture[place.top : place.top + place.height, place.left : place.left + place.width]
        cv2.resize(bgr, (place.width, place.height), dst=inner, interpolation=cv2.INTER_LINEAR)
        return picture

    def _arrange(self, picture: NDArray[np.uint8], raw: NDArray[np.uint8]) -> None:
        """Into the model's order of axes and colours."""
        rgb = self._wanted.colour == "rgb"
        if self._wanted.layout == "nchw":
            cv2.split(picture, list(raw[::-1] if rgb else raw))
        elif rgb:
            cv2.cvtColor(picture, cv2.COLOR_BGR2RGB, dst=raw)
        else:
            raw[:] = picture

    def _buffers(self, size: tuple[int, int]) -> _Buffers:
        known = self._by_size.get(size)
        if known is not None:
            self._by_size.move_to_end(size)
            return known
        width, height = size
        shape = (1, height, width, 3) if self._wanted.layout == "nhwc" else (1, 3, height, width)
        raw = np.empty(shape, np.uint8)
        tensor: Tensor = raw if self._dtype is np.uint8 else np.empty(shape, np.float32)
        self._by_size[size] = _Buffers(np.empty((height, width, 3), np.uint8), raw, tensor)
        if len(self._by_size) > MOST_SIZES:
            self._by_size.popitem(last=False)
        return self._by_size[size]
