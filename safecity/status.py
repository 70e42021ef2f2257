"""Status: how one camera fares, every few seconds."""

from enum import StrEnum
from typing import Literal, Self

from pydantic import Field

from safecity.message import Message, Name, UtcTime, VersionOne


class CameraState(StrEnum):
    """What the worker knows of a camera's stream."""

    STARTING = "starting"
    LIVE = "live"
    RECONNECTING = "reconnecting"
    ENDED = "ended"
    STOPPED = "stopped"


class CameraStep(StrEnum):
    """What a camera is given by its worker; the further down, the less."""

    FULL = "full"
    """Everything that its configuration asks for."""
    ON_DEMAND = "on_demand"
    """Decoded only when something may have happened."""
    HALF_RATE = "half_rate"
    """And half as many frames analysed."""
    ONE_A_SECOND = "one_a_second"
    """And one frame a second analysed."""
    KEY_FRAMES = "key_frames"
    """Only key frames decoded."""
    PAUSED = "paused"
    """Read, but neither decoded nor analysed."""


class LedgerCounts(Message):
    """What became of every frame: ``received`` is the sum of the rest.

    A frame has exactly one outcome, so ``residue`` is 0 at all times.
    """

    received: int = Field(default=0, ge=0, description="frames (decoded, or packets that no frame came of)")
    analysed: int = Field(default=0, ge=0, description="seen by the detector")
    still: int = Field(default=0, ge=0, description="the motion gate saw nothing move")
    sampled_out: int = Field(default=0, ge=0, description="between two analysed frames, by the analysis rate")
    overwritten: int = Field(default=0, ge=0, description="a newer frame came before its turn")
    corrupt: int = Field(default=0, ge=0, description="could not be decoded or analysed")
    shed: int = Field(default=0, ge=0, description="given up under overload or at a stop")
    in_flight: int = Field(default=0, ge=0, description="waiting or being analysed now")

    @property
    def residue(self) -> int:
        """Frames with no outcome (positive) or with two (negative). Always 0."""
        outcomes = sum(int(getattr(self, name)) for name in OUTCOMES)
        return self.received - outcomes - self.in_flight

    def plus(self, other: Self) -> Self:
        """Both together."""
        mine, theirs = self.model_dump(), other.model_dump()
        return self.model_validate({name: count + theirs[name] for name, count in mine.items()})


OUTCOMES = ("analysed", "still", "sampled_out", "overwritten", "corrupt", "shed")


class Status(Message):
    """How one camera fares."""

    schema_version: VersionOne = 1
    camera_id: Name
    worker: str = Field(description="the worker and shard that hold the camera")
    reported_at: UtcTime = Field(description="wall clock of the worker")
    state: CameraState
    reason: str | None = Field(
        default=None, description="why it is not live, is paused, or lacks its main stream; without secrets"
    )
    since: UtcTime = Field(description="when the state was entered")
    width: int | None = Field(default=None, gt=0)
    height: int | None = Field(default=None, gt=0)
    codec: str | None = None
    last_frame_at: UtcTime | None = Field(default=None, description="wall clock of the newest frame")
    reconnects: int = Field(default=0, ge=0)
    events_decided: int = Field(default=0, ge=0)
    faults: tuple[str, ...] = Field(
        default=(), description="what is wrong with the camera although pictures come, e.g. blurred"
    )
    step: CameraStep = Field(
        default=CameraStep.FULL, description="what it is given; less than full while its worker is overloaded"
    )
    analysed_fps: float | None = Field(
        default=None, ge=0.0, description="frames a second that are looked at, now"
    )
    decode: Literal["full", "on_demand", "key_frames", "none"] | None = Field(
        default=None, description="which packets are decoded, now"
    )
    ledger: LedgerCounts = LedgerCounts()
    epoch: int = Field(default=0, ge=0, description="rises with each take-over of the camera")
    config: str | None = Field(
        default=None,
        description="fingerprint that its events carry now; an open event of an earlier epoch, or with "
        "another fingerprint, goes on no more, and nobody saw its end",
    )
    cost_cores: float | None = Field(
        default=None, ge=0.0, description="measured: decoding and analysis, at the step of now"
    )
    outbox_pending: int = Field(default=0, ge=0, description="messages on disk, not yet on the bus")
