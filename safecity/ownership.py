"""Ownership: which worker has a camera, topic ``owners``. Each take-over has a higher epoch than the last.

What a replaced owner decided is told apart by event time: up to ``since`` of its successor it was alone and
is believed, whenever it arrives; what it decided of later frames, the successor has decided too.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Final, Literal

from pydantic import Field

from safecity.message import Message, Name, UtcTime

OVERLAP: Final = timedelta(seconds=1.0)
"""Event time for which both owners decide at a hand-over. Two readers of one camera do not time a frame to
the millisecond alike, the old one may miss a frame and see it on the next, and an event told twice is better
than one that is not told."""


class Hold(StrEnum):
    """How an owner stands to its camera."""

    HOLDS = "holds"
    LEAVES = "leaves"
    """It goes on until somebody else holds the camera."""
    LEFT = "left"


class Ownership(Message):
    """A worker's word on one camera."""

    schema_version: Literal[1] = 1
    camera_id: Name = Field(description="also the key on the bus")
    worker: str = Field(description="the worker, as in its statuses but for the shard")
    member: str = Field(description="its process: a restarted worker is another member")
    epoch: int = Field(
        ge=0, description="above that of the owner before: its number + 1, or milliseconds since 1970 if more"
    )
    hold: Hold
    since: UtcTime | None = Field(
        default=None,
        description="event time of the first frame on which it decides; none if none came",
    )
    at: UtcTime = Field(description="wall clock of the worker")


def next_epoch(known: int, now: float) -> int:
    """An epoch above ``known``; of all before, should the topic be lost. ``now``: seconds since 1970."""
    return max(known + 1, int(now * 1000))
