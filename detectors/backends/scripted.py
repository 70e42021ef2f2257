"""Says what a script says, whatever the picture shows: for replays and tests that need known detections.

The card's ``file`` is the script, its ``head`` is ``end_to_end``. One line of JSON a picture, in order: a
list of objects. After the last line nothing is seen. For one camera: the lines are not told apart by camera::

    [{"label": "person", "confidence": 0.9, "box": [0.1, 0.2, 0.15, 0.4]}]
    []
"""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from detectors.cards import ModelCard

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class ScriptedObject(BaseModel):
    """One object in one picture."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    confidence: Share
    box: tuple[Share, Share, Share, Share] = Field(description="x1 y1 x2 y2, shares of the picture")


_LINE = TypeAdapter(list[ScriptedObject])


class ScriptedBackend:
    """Goes through a script, a line a picture.

    Args:
        card: its file is the script.

    Raises:
        ValueError: a line is wrong, or names a label that the card does not know.
    """

    def __init__(self, card: ModelCard) -> None:
        lines = card.file.read_text(encoding="utf-8").splitlines()
        self._pictures = [_rows(line, card, number) for number, line in enumerate(lines, 1)]
        self._next = 0

    def infer(self, bgr: NDArray[np.uint8], size: tuple[int, int]) -> list[NDArray[np.float32]]:
        """``(1, n, 6)`` of the next line, in pixels of ``size`` (width, height)."""
        rows = np.zeros((0, 6), np.float32)
        if self._next < len(self._pictures):
            rows = self._pictures[self._next]
        self._next += 1
        return [(rows * np.array([*size, *size, 1, 1], np.float32))[None]]


def _rows(line: str, card: ModelCard, number: int) -> NDArray[np.float32]:
    try:
        objects = _LINE.validate_json(line)
        rows = [[*o.box, o.confidence, card.labels.index(o.label)] for o in objects]
    except (ValidationError, ValueError) as error:
        raise ValueError(f"{card.file}:{number}: {error}") from None
    return np.array(rows, np.float32).reshape(-1, 6)


def build(card: ModelCard) -> ScriptedBackend:
    """Plug-in entry."""
    return ScriptedBackend(card)
