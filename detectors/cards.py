"""Model cards: what has to be known to run a model, in a few lines of TOML beside its ONNX file."""

import functools
import hashlib
import math
import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from safecity.plugins import plugin_names

MODELS = Path(__file__).parent / "models"
MOST_EXTRA = 1.15
"""The model's number of pixels may be exceeded by so much (as does its time) for a better shape."""
MOST_DISTORTION = 0.05
"""A picture that is stretched by less is as good as one that is not."""


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
    colour: Literal["bgr", "rgb"] = "bgr"
    mean: tuple[float, float, float] = Field(default=(0.0, 0.0, 0.0), description="subtracted, by channel")
    std: tuple[float, float, float] = Field(default=(1.0, 1.0, 1.0), description="divided by, by channel")

    def size_for(self, width: int, height: int) -> tuple[int, int]:
        """Width and height to which a picture is brought: its own shape, as far as the model allows."""
        if not self.free:
            return self.width, self.height
        return _fitting_size(width / height, self.width * self.height, self.free)


class ModelCard(BaseModel):
    """A model: its file, its input, its output layout and its classes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    file: Path = Field(description="the ONNX file, relative to the card")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    head: str = Field(description="the output layout: a module of detectors/heads/")
    licence: str = Field(min_length=1)
    source: str = Field(min_length=1, description="where the model is from")
    input: ModelInput
    labels: tuple[str, ...] = Field(
        min_length=1, description="class names in the order of the model's scores"
    )

    @property
    def identity(self) -> str:
        """Name and content: part of the fingerprint of every event."""
        return f"{self.name}@{self.sha256[:12]}"


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


def card_names() -> list[str]:
    """The models that are shipped."""
    return sorted(path.stem for path in MODELS.glob("*.toml"))


def load_card(name_or_path: str) -> ModelCard:
    """The card of a shipped model by its name, or any card by its path; its model is there and unchanged.

    Raises:
        ValueError: no such card, something in it is wrong, or its model is missing or has changed.
    """
    path = MODELS / f"{name_or_path}.toml"
    if not path.is_file():
        path = Path(name_or_path)
    if path.suffix != ".toml" or not path.is_file():
        raise ValueError(
            f"no model is called {name_or_path!r}; there are: {', '.join(card_names())}, "
            "or give the path of a model card (.toml)"
        )
    try:
        card = ModelCard.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not TOML: {error}") from None
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors())
        raise ValueError(f"{path}: {problems}") from None
    if card.head not in plugin_names("detectors.heads"):
        heads = ", ".join(plugin_names("detectors.heads"))
        raise ValueError(f"{path}: head: no head is called {card.head!r}; there are: {heads}")
    model = path.parent / card.file
    if not model.is_file():
        raise ValueError(f"{path}: file: {model} is not there")
    if hashlib.sha256(model.read_bytes()).hexdigest() != card.sha256:
        raise ValueError(f"{path}: sha256: {model} is not the file that the card describes")
    return card.model_copy(update={"file": model})
