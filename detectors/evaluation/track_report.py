"""``evaluate track``: look at every frame once, then track and measure at each rate, as a document."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.appearance import describe
from detectors.detections import Detections
from detectors.detector import Detector
from detectors.evaluation.boxes import Boxes
from detectors.evaluation.footage import frames
from detectors.evaluation.mot import MotTruth
from detectors.evaluation.tracking import score_tracks, without_ignored
from detectors.tracking import Tracker

EDGE = 0.05
"""Share of a slot: a frame that comes so much early is in its slot all the same."""


@dataclass(frozen=True, eq=False)
class SeenFrame:
    """What the detector saw in one frame."""

    number: int
    seconds: float
    detections: Detections
    colours: NDArray[np.float32]
    """(n, d) of the detections that are sure enough to start a track."""


def look_at_footage(
    detector: Detector, video: Path, truth: MotTruth, start_confidence: float
) -> Iterator[SeenFrame]:
    """Every frame that the truth knows, from its first line's to its last one's."""
    for frame in frames(video, truth.last, lambda number: number >= truth.first):
        found = detector.detect(frame.bgr)
        colours = describe(frame.bgr, found.xyxy, found.confidence >= start_confidence)
        yield SeenFrame(frame.number, frame.seconds, found, colours)


def at_rate(seen: Sequence[SeenFrame], rate: float) -> list[SeenFrame]:
    """The first frame of each ``1 / rate`` seconds since the first."""
    chosen, last = [], -1
    for frame in seen:
        slot = math.floor((frame.seconds - seen[0].seconds) * rate + EDGE)
        if slot != last:
            chosen.append(frame)
            last = slot
    return chosen


def track(
    seen: Iterable[SeenFrame], truth: MotTruth, labels: Sequence[str], label: str, start_confidence: float
) -> list[tuple[Boxes, Boxes]]:
    """The truth of each frame, and the tracks of ``label`` that a new tracker reports there."""
    tracker, pictures = Tracker(labels, start_confidence), []
    for frame in seen:
        tracks = tracker.update(frame.detections, frame.seconds, colours=frame.colours)
        own = [t for t in tracks if t.label == label]
        said = Boxes(tuple(t.track_id for t in own), np.array([t.xyxy for t in own]).reshape(-1, 4))
        known = truth.boxes(frame.number)
        pictures.append((known, without_ignored(said, known, truth.ignored_boxes(frame.number))))
    return pictures


def measure(
    seen: Sequence[SeenFrame],
    truth: MotTruth,
    labels: Sequence[str],
    label: str,
    start_confidence: float,
    rate: float,
) -> dict[str, Any]:
    """The figures at one analysed rate."""
    score = score_tracks(track(at_rate(seen, rate), truth, labels, label, start_confidence))
    return {
        "analysed_fps": rate,
        **{name: round(v, 6) if isinstance(v, float) else v for name, v in asdict(score).items()},
    }
