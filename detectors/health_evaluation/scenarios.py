"""The set: each fault in several strengths and lights, and what looks like a fault and is none."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

from detectors.health_evaluation.optics import (
    Aim,
    Light,
    covered,
    defocused,
    lorry,
    raining,
    sprayed,
    swaying,
    webbed,
)
from detectors.health_evaluation.scenario import DAY, Conditions, Incident, Scenario
from safecity.camera_fault import CameraFault

NIGHT_LIGHT = Light(gain=0.3)
BY_DAY = Conditions()
AT_NIGHT = Conditions("night", NIGHT_LIGHT, noise=5.0)
IN_RAIN = Conditions("rain", Light(gain=0.8), noise=2.0, weather=(raining(1.0),))
INFRARED = Conditions("infrared", Light(gain=0.6), noise=4.0, infrared=True)
EMPTY = Conditions("empty street", noise=0.5, is_empty=True)
LOW_BITRATE = {"crf": "32", "g": "50"}
KEY_FRAMES = {"crf": "28", "g": "10"}

OF_THE_LENS: dict[CameraFault, dict[str, Incident]] = {
    CameraFault.OBSTRUCTED: {
        "a hand over 35 %": Incident(lens=(covered(0.35, level=70, texture=8),)),
        "a hand over 50 %": Incident(lens=(covered(0.5, level=90, texture=10),)),
        "a board over 80 %": Incident(lens=(covered(0.8, level=120, texture=5),)),
        "a bag over everything": Incident(lens=(covered(1.2, level=150, texture=20),)),
        "paint over 40 %": Incident(lens=(sprayed(0.4),)),
        "paint over 80 %": Incident(lens=(sprayed(0.8),)),
        "a thin spider's web": Incident(lens=(webbed(0.6),)),
        "a thick spider's web": Incident(lens=(webbed(1.5),)),
    },
    CameraFault.BLURRED: {
        f"out of focus by {sigma:g} pixels": Incident(lens=(defocused(sigma),))
        for sigma in (2.0, 3.0, 5.0, 8.0)
    },
    CameraFault.MOVED: {
        "turned right by 4 %": Incident(aim=Aim(right=0.04)),
        "sunk by 6 %": Incident(aim=Aim(down=0.06)),
        "turned right by 20 %": Incident(aim=Aim(right=0.2)),
        "tilted by 4°": Incident(aim=Aim(degrees=4)),
        "hangs by 25°": Incident(aim=Aim(degrees=25, down=0.2)),
        "zoomed by 20 %": Incident(aim=Aim(zoom=1.2)),
        "looks elsewhere": Incident(aim=Aim(right=0.4, down=0.4, degrees=8)),
    },
}
"""In a picture 640 wide; found by day, at night, in rain and in infrared."""


def _steadily(light: Light) -> Callable[[float], Light]:
    return lambda _: light


OF_THE_EXPOSURE: dict[CameraFault, dict[str, Incident]] = {
    CameraFault.DARK: {
        f"{share:.0%} of the light": Incident(light=_steadily(Light(gain=share)))
        for share in (0.0, 0.03, 0.08, 0.14)
    },
    CameraFault.OVEREXPOSED: {
        "three times the light": Incident(light=_steadily(Light(gain=3.0))),
        "six times the light": Incident(light=_steadily(Light(gain=6.0))),
        "the sun in the lens": Incident(light=_steadily(Light(gain=0.2, veil=195.0))),
    },
}

CLOCKS = {
    "set back by an hour": Incident(clock=lambda _: -3600.0),
    "8 s ahead": Incident(clock=lambda _: 8.0),
    "loses 3 s in ten": Incident(clock=lambda since: -0.3 * since),
    "gains 2 s in ten": Incident(clock=lambda since: 0.2 * since),
}

FROZEN = Incident(is_frozen=True)
FREEZES = {
    "the same picture again": None,
    "the same picture encoded anew": KEY_FRAMES,
    "the same picture, few key frames": LOW_BITRATE,
}


def scenarios(*, quick: bool = False) -> list[Scenario]:
    """The whole set, or with ``quick`` by day only and every second strength of a fault."""
    return [*_faulty(quick=quick), *_innocent()]


def _faulty(*, quick: bool) -> Iterator[Scenario]:
    step = 2 if quick else 1
    lights = (BY_DAY,) if quick else (BY_DAY, AT_NIGHT, IN_RAIN, INFRARED)
    for conditions in lights:
        for fault, incidents in OF_THE_LENS.items():
            for name, incident in list(incidents.items())[::step]:
                yield Scenario(name, fault, incident, conditions)
    for conditions in lights[:2]:
        for fault, incidents in OF_THE_EXPOSURE.items():
            for name, incident in list(incidents.items())[::step]:
                if conditions is BY_DAY or fault is CameraFault.DARK:
                    yield Scenario(name, fault, incident, conditions)
        for name, codec in list(FREEZES.items())[::step]:
            yield Scenario(name, CameraFault.FROZEN, FROZEN, conditions, codec, lasts=120.0)
    yield Scenario("an empty street, frozen", CameraFault.FROZEN, FROZEN, EMPTY, KEY_FRAMES, lasts=120.0)
    for name, incident in list(CLOCKS.items())[::step]:
        yield Scenario(name, CameraFault.CLOCK_WRONG, incident)
    for share in (0.4, 0.2, 0.04)[::step]:
        yield Scenario(f"{share:.0%} of the frames", CameraFault.SLOW, Incident(frame_share=share))


def _innocent() -> Iterator[Scenario]:
    for conditions in (BY_DAY, AT_NIGHT, IN_RAIN, INFRARED):
        yield Scenario("the footage, over and over", None, Incident(), conditions, lasts=240.0)
        yield Scenario("a lorry for 5 s", None, Incident(lens=(lorry(0.35, 5.0, 300.0),)), conditions)
        yield Scenario(
            "a lorry twice a minute", None, Incident(lens=(lorry(0.35, 5.0, 30.0),)), conditions, lasts=150.0
        )
        yield Scenario("the mast sways", None, Incident(lens=(swaying(2.0),)), conditions)
    yield Scenario("an empty street at a low bit rate", None, Incident(), EMPTY, LOW_BITRATE, lasts=150.0)
    still = replace(EMPTY, name="empty street at night", light=NIGHT_LIGHT)
    yield Scenario("an empty street at a low bit rate", None, Incident(), still, LOW_BITRATE, lasts=150.0)
    yield Scenario("the infrared filter goes", None, Incident(infrared=True))
    night = Incident(infrared=True, light=_steadily(Light(gain=0.5)))
    yield Scenario("the infrared filter goes at dusk", None, night, Conditions("dusk", Light(gain=0.25), 5.0))
    yield Scenario("dusk", None, Incident(light=lambda since: Light(gain=max(0.3, 1 - since / 80))))
    yield Scenario("the street lamps go out", None, Incident(light=_steadily(Light(gain=0.35))))
    yield Scenario(
        "fog", None, Incident(light=lambda since: Light(max(0.4, 1 - since / 50), min(120, 3 * since)))
    )
    yield Scenario("a cloudburst", None, Incident(lens=(raining(3.0),)))
    yield Scenario("lightning", None, Incident(light=_lightning), AT_NIGHT)
    yield Scenario("headlights", None, Incident(light=_headlights), AT_NIGHT)
    yield Scenario("the exposure hunts", None, Incident(light=_hunting))
    yield Scenario("the lens is wiped", None, Incident(lens=(covered(1.2, level=90, texture=30),)), lasts=8.0)
    yield Scenario("the sun comes out", None, Incident(light=_steadily(Light(gain=1.5))))
    yield Scenario("half the frame rate at night", None, Incident(frame_share=0.5), AT_NIGHT)
    yield Scenario("a clock that drifts as clocks do", None, Incident(clock=lambda since: 0.001 * since))


def _lightning(since: float) -> Light:
    return Light(gain=3.0) if math.fmod(since, 9.0) < 0.4 else NIGHT_LIGHT


def _headlights(since: float) -> Light:
    return Light(gain=0.3, veil=90.0) if math.fmod(since, 20.0) < 4.0 else NIGHT_LIGHT


def _hunting(since: float) -> Light:
    return (DAY, Light(gain=1.7), Light(gain=0.6))[int(since / 4) % 3]
