"""Observation: one analysed frame, the raw material of rules and of analysts."""

from typing import Literal

from pydantic import Field

from safecity.message import Box, Message, Name, Share, UtcTime, VersionOne


class TrackState(Message):
    """One tracked object in one frame."""

    track_id: int = Field(ge=0, description="unique within the camera and its run, rising")
    label: str = Field(description="class name, e.g. person")
    confidence: Share = Field(description="detector's confidence; of the last detection when only predicted")
    box: Box = Field(description="x1 y1 x2 y2, relative to the picture")
    velocity: tuple[float, float] = Field(
        default=(0.0, 0.0), description="of the box centre, picture widths and heights a second"
    )
    stationary: bool = Field(default=False, description="has stayed where it is for a while")
    age_seconds: float = Field(default=0.0, ge=0.0, description="event time since the track began")


class Change(Message):
    """A region of the picture that has changed against the background, and stays as it is now."""

    box: Box = Field(description="x1 y1 x2 y2, relative to the picture")
    since_seconds: float = Field(
        ge=0.0, description="event time for which it has been unchanged and unattended"
    )
    kind: Literal["appeared", "vanished", "unknown"] = Field(
        description="whether the picture or the background has the edges of a thing there; unknown: neither"
    )


class Observation(Message):
    """One analysed frame of one camera."""

    schema_version: VersionOne = 1
    camera_id: Name
    captured_at: UtcTime = Field(description="event time of the frame")
    frame_index: int = Field(ge=0, description="number of the frame in its source, from 0")
    width: int = Field(gt=0, description="pixels")
    height: int = Field(gt=0, description="pixels")
    inferred: bool = Field(
        default=True, description="false: the motion gate saw nothing move, tracks are held"
    )
    tracks: tuple[TrackState, ...] = ()
    changes: tuple[Change, ...] = Field(
        default=(), description="what changed and stays so; only of cameras with a rule that looks at it"
    )
