"""The shipped footage through detector and tracker, once for all tests that want its observations."""

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.detector import build_detector
from ingest.frame import Frame
from ingest.pipeline import CameraPipeline
from safecity.camera import Camera
from safecity.demo.scenes import FOOTAGE
from safecity.observation import Observation
from safecity.settings import DetectorSettings

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
STEP = 2
"""Of the footage's 10 frames a second, every second one is analysed."""
LENT = Path(__file__).parents[3] / "shared" / "data" / "vtest.avi"


def frames(path: Path = FOOTAGE, camera_id: str = "street") -> list[Frame]:
    """The frames that are analysed."""
    with av.open(str(path)) as container:
        return [
            Frame(camera_id, index, BEGIN + timedelta(seconds=index / 10), BEGIN, picture)
            for index, picture in enumerate(container.decode(video=0))
            if index % STEP == 0
        ]


@cache
def observations(path: Path = FOOTAGE) -> tuple[Observation, ...]:
    """What the default model and the tracker make of a recording."""
    settings = DetectorSettings()
    camera = Camera.model_validate({"id": "street", "source": path.resolve().as_uri()})
    pipeline = CameraPipeline(camera, build_detector(settings), start_confidence=settings.confidence)
    return tuple(pipeline.process(frame).observation for frame in frames(path))


@cache
def small_pictures() -> tuple[NDArray[np.uint8], ...]:
    """The shipped footage as the scene is looked at: (180, 320) grey, in step with its observations."""
    return tuple(
        np.asarray(cv2.resize(frame.luma(), (320, 180), interpolation=cv2.INTER_AREA), np.uint8)
        for frame in frames()
    )
