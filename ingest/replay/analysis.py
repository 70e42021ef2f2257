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
from ingest.sources.base import Capture
from safecity.camera import Camera


class RecordedCamera:
    """One camera's analysis over pictures that come one after the other, from one recording or several.

    Args:
        camera: what is masked and watched.
        detector: what looks.
        ledger: told of every frame.
        attention: told what is seen; the reader of the pictures goes by it.
        start_confidence: detections below it do not start a track.
    """

    def __init__(
        self,
        camera: Camera,
        detector: Detector,
        ledger: Ledger,
        attention: Attention,
        *,
        start_confidence: float,
    ) -> None:
        self._camera = camera
        self._ledger, self._attention = ledger, attention
        self._intake = Intake(camera.analysed_fps)
        self._pipeline = CameraPipeline(camera, detector, start_confidence=start_confidence)
        self._index = 0

    def take(self, capture: Capture) -> Analysis | None:
        """What comes of the next picture; None: it is not looked at."""
        index, self._index = self._index, self._index + 1
        self._ledger.received()
        seconds = capture.captured_at.timestamp()
        outcome = self._intake.outcome(capture, seconds)
        if outcome is not None or capture.picture is None:
            if outcome is not None:
                self._ledger.settle(outcome)
            return None
        frame = Frame(self._camera.id, index, capture.captured_at, capture.received_at, capture.picture)
        analysis = self._pipeline.process(frame)
        self._attention.saw(seconds, moving=analysis.moving)
        self._ledger.settle(analysis.outcome)
        return analysis


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
    recorded = RecordedCamera(camera, detector, ledger, attention, start_confidence=start_confidence)
    source = open_source(camera, (), 0.0, threading.Event(), attention)
    try:
        for capture in source.captures():
            analysis = recorded.take(capture)
            if analysis is not None:
                yield analysis
    finally:
        source.close()
