"""The ladder of overload: what a camera is given on each step, and what a step is likely to save."""

from dataclasses import dataclass
from itertools import pairwise

from ingest.attention import DecodePolicy
from safecity.camera import Camera
from safecity.status import CameraStep

DECODE_SHARE = {
    DecodePolicy.FULL: 1.0,
    DecodePolicy.ON_DEMAND: 0.7,
    DecodePolicy.KEY_FRAMES: 0.15,
    DecodePolicy.NONE: 0.03,
}
"""What decoding costs against full decoding. On demand it saves nothing in a busy street and four fifths
where nothing moves: this is what to expect, until it is measured."""


@dataclass(frozen=True)
class Cost:
    """What a camera costs, in cores."""

    decode: float
    analysis: float

    @property
    def total(self) -> float:
        """Both together."""
        return self.decode + self.analysis


@dataclass(frozen=True)
class Setting:
    """What a camera is given on a step of the ladder."""

    step: CameraStep
    decode: DecodePolicy
    every: int
    """One frame is analysed of so many that its configuration asks for."""

    def fps(self, configured: float) -> float:
        """Frames a second that are looked at, at most."""
        return 0.0 if self.decode is DecodePolicy.NONE else configured / self.every

    def expected(self, cost: Cost, at: "Setting") -> Cost:
        """What a camera is likely to cost here, when it costs ``cost`` at another setting."""
        decode = cost.decode * DECODE_SHARE[self.decode] / DECODE_SHARE[at.decode]
        analysis = 0.0 if self.decode is DecodePolicy.NONE else cost.analysis * at.every / self.every
        return Cost(decode, analysis)


def ladder_of(camera: Camera) -> tuple[Setting, ...]:
    """A camera's steps, from everything to nothing. Those that would change nothing for it are left out."""
    own = DecodePolicy(camera.decode)
    lean = DecodePolicy.ON_DEMAND if own is DecodePolicy.FULL else own
    one_a_second = max(1, round(camera.analysed_fps))
    half = min(2, one_a_second)
    steps = (
        Setting(CameraStep.FULL, own, 1),
        Setting(CameraStep.ON_DEMAND, lean, 1),
        Setting(CameraStep.HALF_RATE, lean, half),
        Setting(CameraStep.ONE_A_SECOND, lean, one_a_second),
        Setting(CameraStep.KEY_FRAMES, DecodePolicy.KEY_FRAMES, one_a_second),
        Setting(CameraStep.PAUSED, DecodePolicy.NONE, one_a_second),
    )
    first = steps[:1]
    return first + tuple(
        step for before, step in pairwise(steps) if (step.decode, step.every) != (before.decode, before.every)
    )
