"""A recording through the whole of a camera's analysis, in one thread, in event time, as fast as it goes."""

import threading
from collections.abc import Iterator

from detectors.detector import Detector
from ingest.attention import Attention, DecodePolicy
from ingest.frame import Frame
from ingest.intake import Intake
from ingest.ledger import Ledger
from ingest.pipeline import Analysis, CameraPipeline
from ingest.sources import open_source
from safecity.camera import Camera


def replay(
    camera: Camera, detector: Detector, ledger: Ledger, *, start_confidence: float
) -> Iterator[Analysis]:
    """What comes of each frame of a camera's recording that is looked at, in order.

    Args:
        camera: its source is a recording, its playback is ``fast``.
        detector: what looks.
        ledger: told of every frame.
        start_confidence: detections below it do not start a track.

    Raises:
        SourceError: it cannot be read, or not to its end.
    """
    attention = Attention(DecodePolicy(camera.decode))
    intake = Intake(camera.analysed_fps)
    pipeline = CameraPipeline(camera, detector, start_confidence=start_confidence)
    source = open_source(camera, (), 0.0, threading.Event(), attention)
    try:
        for index, capture in enumerate(source.captures()):
            ledger.received()
            seconds = capture.captured_at.timestamp()
            outcome = intake.outcome(capture, seconds)
            if outcome is None and capture.picture is not None:
                frame = Frame(camera.id, index, capture.captured_at, capture.received_at, capture.picture)
                analysis = pipeline.process(frame)
                attention.saw(seconds, moving=analysis.moving)
                ledger.settle(analysis.outcome)
                yield analysis
            elif outcome is not None:
                ledger.settle(outcome)
    finally:
        source.close()
