"""Where a camera stands with a worker, and what follows from what happens to it: a table."""

from collections.abc import Mapping
from enum import Enum, auto


class Standing(Enum):
    """Where a camera stands with this worker."""

    NONE = auto()
    OPENING = auto()
    """Asked for; no frame has come yet."""
    HOLDING = auto()
    LEAVING = auto()
    """Its partition has gone; we go on until its new owner is ready."""
    OVERTAKEN = auto()
    """In one of our partitions, but somebody else has it under a newer epoch."""


class Happening(Enum):
    """What can happen to a camera."""

    WANTED = auto()
    CHANGED = auto()
    GONE = auto()
    """It is not ours any more, but somebody's: its partition went, or it was moved to another."""
    REMOVED = auto()
    BEGAN = auto()
    """Its first frame was analysed."""
    CLAIMED = auto()
    """By another worker, under a newer epoch."""
    RELEASED = auto()
    """By the worker that had claimed it."""
    CRASHED = auto()
    """Its shard has."""
    EXPIRED = auto()
    """Nobody came to take it over."""


class Deed(Enum):
    """What is to be done."""

    OPEN = auto()
    CHANGE = auto()
    CLOSE = auto()
    END = auto()
    """Close when the new owner has begun."""
    SAY_HOLDS = auto()
    SAY_LEAVES = auto()
    SAY_LEFT = auto()


S, H, D = Standing, Happening, Deed
TABLE: Mapping[tuple[Standing, Happening], tuple[Standing, tuple[Deed, ...]]] = {
    (S.NONE, H.WANTED): (S.OPENING, (D.OPEN,)),
    (S.OPENING, H.CHANGED): (S.OPENING, (D.CHANGE,)),
    (S.OPENING, H.GONE): (S.NONE, (D.CLOSE,)),
    (S.OPENING, H.REMOVED): (S.NONE, (D.CLOSE,)),
    (S.OPENING, H.BEGAN): (S.HOLDING, (D.SAY_HOLDS,)),
    (S.OPENING, H.CLAIMED): (S.OVERTAKEN, (D.CLOSE,)),
    (S.OPENING, H.CRASHED): (S.OPENING, (D.OPEN,)),
    (S.HOLDING, H.CHANGED): (S.HOLDING, (D.CHANGE,)),
    (S.HOLDING, H.GONE): (S.LEAVING, (D.SAY_LEAVES,)),
    (S.HOLDING, H.REMOVED): (S.NONE, (D.CLOSE, D.SAY_LEFT)),
    (S.HOLDING, H.CLAIMED): (S.OVERTAKEN, (D.END,)),
    (S.HOLDING, H.CRASHED): (S.OPENING, (D.OPEN,)),
    (S.LEAVING, H.WANTED): (S.HOLDING, (D.SAY_HOLDS,)),
    (S.LEAVING, H.REMOVED): (S.NONE, (D.CLOSE, D.SAY_LEFT)),
    (S.LEAVING, H.CLAIMED): (S.NONE, (D.END,)),
    (S.LEAVING, H.CRASHED): (S.NONE, (D.SAY_LEFT,)),
    (S.LEAVING, H.EXPIRED): (S.NONE, (D.CLOSE, D.SAY_LEFT)),
    (S.OVERTAKEN, H.WANTED): (S.OPENING, (D.OPEN,)),
    (S.OVERTAKEN, H.RELEASED): (S.OPENING, (D.OPEN,)),
    (S.OVERTAKEN, H.GONE): (S.NONE, ()),
    (S.OVERTAKEN, H.REMOVED): (S.NONE, ()),
}
"""What is not in it changes nothing."""
