"""A truth in the MOT format: one box a line, ``frame,id,left,top,width,height[,counts,…]``.

https://motchallenge.net/instructions/. Frames are counted from 1. Where the seventh field is 0 the box is to
be ignored: to find it is neither right nor wrong.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detectors.evaluation.boxes import Boxes

WANTED = "frame,id,left,top,width,height"


@dataclass(frozen=True)
class MotTruth:
    """True boxes by frame."""

    frames: dict[int, Boxes]
    ignored: dict[int, Boxes]

    @property
    def first(self) -> int:
        """The first frame with a line."""
        return min(self.frames | self.ignored)

    @property
    def last(self) -> int:
        """The last frame with a line. What comes after it is unknown, not empty."""
        return max(self.frames | self.ignored)

    def boxes(self, frame: int) -> Boxes:
        """The objects of a frame; one without a line has none."""
        return self.frames.get(frame, Boxes())

    def ignored_boxes(self, frame: int) -> Boxes:
        """What does not count."""
        return self.ignored.get(frame, Boxes())


def read_mot(path: Path) -> MotTruth:
    """Read a truth.

    Raises:
        ValueError: a line is not in that format, or there is none.
        OSError: the file cannot be read.
    """
    counted: dict[int, dict[int, tuple[float, ...]]] = {}
    ignored: dict[int, dict[int, tuple[float, ...]]] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{path}: not a text file; want lines of {WANTED}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        frame, identity, box, counts = _parse(line, f"{path}:{number}")
        boxes = (counted if counts else ignored).setdefault(frame, {})
        if identity in boxes:
            raise ValueError(f"{path}:{number}: frame {frame} has object {identity} already")
        boxes[identity] = box
    if not counted and not ignored:
        raise ValueError(f"{path}: no lines; want {WANTED}")
    return MotTruth(_to_boxes(counted), _to_boxes(ignored))


def _parse(line: str, where: str) -> tuple[int, int, tuple[float, ...], bool]:
    try:
        fields = [float(field) for field in line.replace(";", ",").split(",") if field.strip()]
        frame, identity, left, top, width, height = fields[:6]
    except ValueError:
        raise ValueError(f"{where}: want {WANTED}: {line[:80]!r}") from None
    if not all(map(math.isfinite, fields)) or frame < 1 or frame % 1 or identity % 1:
        raise ValueError(f"{where}: want whole numbers for frame (from 1) and id: {line[:80]!r}")
    if width <= 0 or height <= 0:
        raise ValueError(f"{where}: a box {width:g} wide and {height:g} high is none")
    counts = len(fields) < 7 or fields[6] != 0
    return int(frame), int(identity), (left, top, left + width, top + height), counts


def _to_boxes(frames: dict[int, dict[int, tuple[float, ...]]]) -> dict[int, Boxes]:
    return {
        frame: Boxes(tuple(boxes), np.array(list(boxes.values()), np.float64))
        for frame, boxes in frames.items()
    }
