"""Model cards: what has to be known to run a model, in a few lines of TOML beside its ONNX file."""

import hashlib
import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from detectors.labels import LABEL_SETS, label_set
from detectors.model_input import ModelInput
from safecity.plugins import plugin_names

__all__ = ["ModelCard", "ModelInput", "card_names", "load_card"]

MODELS = Path(__file__).parent / "models"


class ModelCard(BaseModel):
    """A model: its file, its input, its output layout and its classes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    file: Path = Field(description="the ONNX file, relative to the card")
    sha256: str = Field(
        default="",
        pattern=r"^([0-9a-f]{64})?$",
        description="of the file. When the card gives it the file must be that one; when it does not, any "
        "content goes, and events name the one that was found",
    )
    head: str = Field(description="the output layout: a module of detectors/heads/")
    licence: str = Field(default="not stated", min_length=1)
    source: str = Field(default="not stated", min_length=1, description="where the model is from")
    input: ModelInput
    labels: tuple[str, ...] = Field(
        min_length=1,
        description="class names in the order of the model's scores, or the name of a known set: "
        + ", ".join(sorted(LABEL_SETS)),
    )

    @field_validator("labels", mode="before")
    @classmethod
    def _known_set(cls, labels: object) -> object:
        return label_set(labels) if isinstance(labels, str) else labels

    @property
    def identity(self) -> str:
        """Name and content: part of the fingerprint of every event."""
        return f"{self.name}@{self.sha256[:12]}"


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
    digest = file_digest(model)
    if card.sha256 and digest != card.sha256:
        raise ValueError(f"{path}: sha256: {model} is not the file that the card describes")
    return card.model_copy(update={"file": model, "sha256": digest})


def file_digest(file: Path) -> str:
    """The sha256 of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
