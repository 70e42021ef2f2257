"""Says what a script says, whatever the picture shows: for replays and tests that need known detections.

The card's ``file`` is the script, its ``head`` is ``end_to_end``. One line of JSON a picture, in order: a
list of objects. After the last line nothing is seen. For one camera: the lines are not told apart by camera::

    [{"label": "person", "confidence": 0.9, "box": [0.1, 0.2, 0.15, 0.4]}]
    []

For many cameras the first line is ``"numbered"``: then each picture has its number painted into it
(:func:`paint_number`), which says which of the lines it is, counted in a circle. What is seen depends on the
picture alone, whoever looks.
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
NUMBERED = '"numbered"'
BITS = 16
"""Of a picture's number: blocks along the upper edge, the highest bit first, white for 1."""


class ScriptedBackend:
    """Goes through a script, a line a picture, or looks up each picture's own line.

    Args:
        card: its file is the script.

    Raises:
        ValueError: a line is wrong, or names a label that the card does not know.
    """

    def __init__(self, card: ModelCard) -> None:
        lines = card.file.read_text(encoding="utf-8").splitlines()
        self._numbered = lines[:1] == [NUMBERED]
        first = int(self._numbered)
        self._pictures = [_rows(line, card, number) for number, line in enumerate(lines[first:], first + 1)]
        self._next = 0

    def infer(self, bgr: NDArray[np.uint8], size: tuple[int, int]) -> list[NDArray[np.float32]]:
        """``(1, n, 6)`` of the next line, in pixels of ``size`` (width, height)."""
        rows = np.zeros((0, 6), np.float32)
        if self._numbered:
            self._next = read_number(bgr) % len(self._pictures)
        if self._next < len(self._pictures):
            rows = self._pictures[self._next]
        self._next += 1
        return [(rows * np.array([*size, *size, 1, 1], np.float32))[None]]


def paint_number(bgr: NDArray[np.uint8], number: int) -> None:
    """Paint a picture's number, 0 to 65,535, into its upper edge.

    Args:
        bgr: (h, w, 3), at least 64 wide and 48 high; changed in place.
        number: what :func:`read_number` gives, also after the picture was coded.
    """
    height, width = bgr.shape[0] // 6, bgr.shape[1] / BITS
    for bit in range(BITS):
        shade = 255 if number >> (BITS - 1 - bit) & 1 else 0
        bgr[:height, round(bit * width) : round((bit + 1) * width)] = shade


def read_number(bgr: NDArray[np.uint8]) -> int:
    """The number that was painted into a picture (h, w, 3)."""
    row, width = bgr[bgr.shape[0] // 12, :, 1], bgr.shape[1] / BITS
    bits = row[[round((bit + 0.5) * width) for bit in range(BITS)]] > 127
    return int(bits @ (1 << np.arange(BITS)[::-1]))


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
