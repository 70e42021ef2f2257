"""How a picture becomes a model's input: its size, its place in it, its colours."""

import functools
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator

MOST_EXTRA = 1.15
"""The model's number of pixels may be exceeded by so much (as does its time) for a better shape."""
MOST_DISTORTION = 0.05
"""A picture that is stretched by less is as good as one that is not."""


@dataclass(frozen=True)
class Placement:
    """Where in the model's input a picture lies, in pixels of that input."""

    left: int
    top: int
    width: int
    height: int

    def to_picture(self, xyxy: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
        """Boxes (n, 4) of the input as boxes of the picture of that size; none goes beyond its edges."""
        offset = np.array([self.left, self.top] * 2, np.float32)
        scale = np.array([width / self.width, height / self.height] * 2, np.float32)
        limits = np.array([width, height] * 2, np.float32)
        inside: NDArray[np.float32] = np.clip((xyxy - offset) * scale, 0, limits)
        return inside


class ModelInput(BaseModel):
    """How a picture becomes the model's input."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(gt=0, description="pixels")
    height: int = Field(gt=0, description="pixels")
    free: int = Field(
        default=0,
        ge=0,
        description="0: the size is fixed; otherwise sides may be any multiples of this, and "
        "width x height is the number of pixels to spend",
    )
    fit: Literal["stretch", "letterbox"] = Field(
        default="stretch", description="letterbox keeps the picture's shape by padding what is left over"
    )
    padding: int = Field(default=114, ge=0, le=255, description="grey level of a letterbox's borders")
    layout: Literal["nchw", "nhwc"] = Field(default="nchw", description="order of the input's axes")
    colour: Literal["bgr", "rgb"] = "bgr"
    mean: tuple[float, float, float] = Field(
        default=(0.0, 0.0, 0.0),
        description="subtracted from pixels of 0 to 255, by channel in the order of colour, or one number "
        "for all; leave it out when the model takes uint8 pixels",
    )
    std: tuple[float, float, float] = Field(
        default=(1.0, 1.0, 1.0), description="divided by, by channel; 255 makes 0 to 1 of the pixels"
    )

    @field_validator("mean", "std", mode="before")
    @classmethod
    def _the_same_for_all(cls, value: object) -> object:
        return (value,) * 3 if isinstance(value, int | float) else value

    @field_validator("std")
    @classmethod
    def _divisible(cls, std: tuple[float, float, float]) -> tuple[float, float, float]:
        if not all(value > 0 for value in std):
            raise ValueError("cannot be divided by: want numbers above 0")
        return std

    @property
    def normalises(self) -> bool:
        """Whether the model wants other numbers than pixels of 0 to 255."""
        return any(self.mean) or any(value != 1 for value in self.std)

    def size_for(self, width: int, height: int) -> tuple[int, int]:
        """Width and height to which a picture is brought: its own shape, as far as the model allows."""
        if not self.free:
            return self.width, self.height
        return _fitting_size(width / height, self.width * self.height, self.free)

    def placement(self, width: int, height: int, size: tuple[int, int]) -> Placement:
        """Where a picture of ``width`` and ``height`` lies in an input of ``size`` (width, height)."""
        if self.fit == "stretch":
            return Placement(0, 0, *size)
        scale = min(size[0] / width, size[1] / height)
        inner = max(1, round(width * scale)), max(1, round(height * scale))
        return Placement((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2, *inner)


@functools.lru_cache(maxsize=256)
def _fitting_size(shape: float, pixels: int, step: int) -> tuple[int, int]:
    """The largest sides of almost that ``shape`` (width / height), or else those nearest to it."""
    most = int(pixels * MOST_EXTRA)
    sizes = [
        (width, height)
        for height in range(step, most // step + 1, step)
        for width in range(step, most // height + 1, step)
    ]
    distortion = {size: abs(math.log(size[0] / size[1] / shape)) for size in sizes}
    good = [size for size in sizes if distortion[size] <= MOST_DISTORTION]
    if good:
        return max(good, key=lambda size: (size[0] * size[1], -distortion[size]))
    return min(sizes, key=lambda size: (distortion[size], -size[0] * size[1]))
