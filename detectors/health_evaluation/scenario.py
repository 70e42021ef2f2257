"""One run of a camera: well for a while, then something happens to it, then it is well again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.health_evaluation.footage import RATE, Footage
from detectors.health_evaluation.optics import HEIGHT, SMALL, WIDTH, Aim, Light, Luma, Optics, noisy
from safecity.camera_fault import CameraFault

WELL_SECONDS = 70.0
LASTS_SECONDS = 70.0
AFTER_SECONDS = 60.0
DAY = Light()


@dataclass(frozen=True)
class Conditions:
    """What is so all the time."""

    name: str = "day"
    light: Light = DAY
    noise: float = 1.0
    """Of the sensor, standard deviation in grey levels of a picture 640 wide."""
    weather: tuple[Optics, ...] = ()
    infrared: bool = False
    is_empty: bool = False
    """Nobody is in the street, and nothing moves."""


@dataclass(frozen=True)
class Incident:
    """What happens."""

    aim: Aim = field(default_factory=Aim)
    lens: tuple[Optics, ...] = ()
    light: Callable[[float], Light] | None = None
    """Seconds since it began → exposure, instead of the conditions'."""
    infrared: bool = False
    is_frozen: bool = False
    frame_share: float = 1.0
    """Share of the frames that still come."""
    clock: Callable[[float], float] = lambda _: 0.0
    """Seconds since it began → how far the camera's clock is ahead."""


@dataclass(frozen=True)
class Scenario:
    """A run, and the fault that is to be found in it; None when nothing is."""

    name: str
    fault: CameraFault | None
    incident: Incident
    conditions: Conditions = field(default_factory=Conditions)
    codec: dict[str, str] | None = None
    """Options of the encoder that the pictures go through; None for pictures as they are."""
    lasts: float = LASTS_SECONDS

    @property
    def begins(self) -> float:
        """When the incident begins, seconds."""
        return WELL_SECONDS

    @property
    def ends(self) -> float:
        """When it is over, seconds."""
        return WELL_SECONDS + self.lasts


@dataclass(frozen=True)
class Sample:
    """What camera health is told of one frame."""

    small: NDArray[np.uint8]
    seconds: float
    frame_index: int
    clock_error: float


FPS = 25
JITTER_SECONDS = 0.4


def play(scenario: Scenario, footage: Footage) -> Iterator[Sample]:
    """The run, picture by picture; the same at each call."""
    generator = np.random.default_rng(5)
    pictures = _pictures(scenario, footage)
    if scenario.codec is not None:
        pictures = _through_codec(pictures, scenario.codec)
    frames = 0.0
    for step, picture in enumerate(pictures):
        seconds = step / RATE
        happening = scenario.begins <= seconds < scenario.ends
        share = scenario.incident.frame_share if happening else 1.0
        frames += share * FPS / RATE
        ahead = scenario.incident.clock(seconds - scenario.begins) if happening else 0.0
        small = cv2.resize(picture, SMALL, interpolation=cv2.INTER_AREA)
        late = float(generator.exponential(JITTER_SECONDS / 4))
        yield Sample(np.asarray(small, np.uint8), seconds, int(frames), ahead - late)


def _pictures(scenario: Scenario, footage: Footage) -> Iterator[Luma]:
    conditions, incident = scenario.conditions, scenario.incident
    held: Luma | None = None
    for step in range(round((scenario.ends + AFTER_SECONDS) * RATE)):
        seconds = step / RATE
        since = seconds - scenario.begins
        happening = 0 <= since < scenario.lasts
        if happening and held is not None:
            yield held
            continue
        infrared = conditions.infrared or (happening and incident.infrared)
        wide = footage.still if conditions.is_empty else footage.at(seconds, infrared=infrared)
        picture = (incident.aim if happening else Aim()).view(wide)
        for optics in (*conditions.weather, *(incident.lens if happening else ())):
            picture = optics(picture, max(0.0, since) if happening else seconds)
        light = incident.light(since) if happening and incident.light else conditions.light
        picture = noisy(light.expose(picture), conditions.noise, seconds)
        if happening and incident.is_frozen:
            held = picture
        yield picture


def _through_codec(pictures: Iterator[Luma], options: dict[str, str]) -> Iterator[Luma]:
    """Encoded as H.264 and decoded again."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, RATE), Fraction(RATE)
    encoder.options = {"preset": "superfast", "tune": "zerolatency", "sc_threshold": "0", **options}
    decoder = av.CodecContext.create("h264", "r")
    encoder.thread_count = decoder.thread_count = 1
    planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
    for number, picture in enumerate(pictures):
        planes[:HEIGHT] = picture
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = number
        for packet in encoder.encode(frame):
            for decoded in decoder.decode(packet):
                yield np.asarray(decoded.to_ndarray(format="gray"), np.uint8)
