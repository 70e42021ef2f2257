"""A tracker's memory as plain values, to be kept over a restart. Colours are never stored, so not in it."""

import math
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("want a number")
    return value


Number = Annotated[float, AfterValidator(_finite)]
Four = tuple[Number, Number, Number, Number]


class _State(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FilterState(_State):
    """A box's filter: centre x and y, width, height."""

    position: Four
    """Pixels."""
    velocity: Four
    """Pixels a second."""
    pp: Four
    """Variances of the position, and below its covariances with the velocity and the velocity's variances."""
    pv: Four
    vv: Four


class TargetState(_State):
    """One object. Times are of the tracker's own clock, seconds."""

    track_id: int = Field(ge=1)
    filter: FilterState
    votes: dict[str, Number] = Field(min_length=1)
    """By label: the model may have another order of classes by then."""
    confidence: float = Field(ge=0, le=1)
    hits: int = Field(ge=1)
    born: Number
    unseen_seconds: float = Field(ge=0)
    anchor: tuple[Number, Number]
    anchored_at: Number
    stationary: bool


class TrackerState(_State):
    """All of a tracker."""

    version: Literal[1] = 1
    next_id: int = Field(ge=1)
    now: Number
    """The tracker's own clock, seconds."""
    targets: tuple[TargetState, ...] = ()
