"""What the rows of ``bench density`` do; each runs in a process of its own, on one core."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.appearance import describe
from detectors.cards import load_card
from detectors.detector import Detector, build_detector, detector_of
from detectors.inspection import Wishes, inspect
from detectors.tracking import Tracker
from ingest.bench.clips import RATE
from ingest.bench.scene import LABELS, bench_camera
from ingest.frame import Frame
from ingest.ledger import Ledger
from ingest.observing import observe
from ingest.replay.analysis import replay
from safecity.bench.measure import Work
from safecity.event import Event
from safecity.ruleset import RuleSet
from safecity.settings import DetectorSettings

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Answer = dict[str, Any]
"""``events``: [rule, direction, second]; ``seconds`` of video, from the second ``begin`` of the clip on;
``outcomes`` of the frames; the number of ``tracks``."""


def prepare_pipeline(clip: str, settings: dict[str, Any]) -> Work:
    """Ours, over the whole clip, with some settings of the camera changed."""
    cv2.setNumThreads(1)
    detector = build_detector(DetectorSettings(labels=LABELS))
    _warm_up(detector, clip)
    camera = bench_camera(clip, settings)

    def work() -> Answer:
        ledger = Ledger()
        events: list[Event] = []
        tracks: set[int] = set()
        confidence = DetectorSettings().confidence
        for analysis in replay(camera, detector, ledger, start_confidence=confidence):
            events += (decision.event for decision in analysis.decisions)
            tracks |= {track.track_id for track in analysis.observation.tracks}
        counts = ledger.counts().model_dump()
        return _answer(events, counts["received"] / RATE, counts, len(tracks))

    return work


def prepare_naive(clip: str, model: str, every: int, begin: float, seconds: float) -> Work:
    """As most tutorials write it: ``cv2.VideoCapture``, each (or each n-th) frame as floats into the model.

    Only from ``begin`` on for some ``seconds``: it is slow, and its cost is the same all along.
    """
    cv2.setNumThreads(1)
    detector = _baseline(model)
    _warm_up(detector, clip)
    camera = bench_camera(clip, {})

    def work() -> Answer:
        tracker = Tracker(detector.labels, DetectorSettings().confidence)
        scene = camera.scene(detector.identity)
        rules = RuleSet(camera.rules, scene)
        events: list[Event] = []
        tracks: set[int] = set()
        read = 0
        for index, picture in enumerate(islice(_captured(clip, begin), round(seconds * RATE))):
            read += 1
            if index % every:
                continue
            at = begin + index / RATE
            found = tracker.update(detector.detect(picture), at)
            tracks |= {track.track_id for track in found}
            moment = EPOCH + timedelta(seconds=at)
            frame = Frame.from_bgr(camera.id, index, moment, moment, picture)
            events += rules.update(observe(frame, found, inferred=True)).events
        outcomes = {"received": read, "analysed": -(-read // every)}
        return {**_answer(events, read / RATE, outcomes, len(tracks)), "begin": begin}

    return work


def prepare_decoding(clip: str) -> Work:
    """Every frame decoded and thrown away: the ceiling for all that decode every frame."""

    def work() -> Answer:
        with av.open(clip) as container:
            container.streams.video[0].codec_context.thread_count = 1
            frames = sum(1 for _ in container.decode(video=0))
        return _answer([], frames / RATE, {"received": frames}, 0)

    return work


def _baseline(model: str) -> Detector:
    if model.endswith(".onnx"):
        card, _ = inspect(Path(model), "baseline", Wishes())
    else:
        card = load_card(model)
    return detector_of(card, "onnx", [label for label in LABELS if label in card.labels] or card.labels)


def _warm_up(detector: Detector, clip: str) -> None:
    """What a process does once: the model's first run, and OpenCV's tables for the colours of objects."""
    for picture in islice(_captured(clip, 0.0), 2):
        detector.detect(picture)
        describe(picture, np.array([[0.0, 0.0, 16.0, 32.0]]), np.array([True]))


def _captured(clip: str, begin: float) -> Iterator[NDArray[np.uint8]]:
    capture = cv2.VideoCapture(clip)
    try:
        capture.set(cv2.CAP_PROP_POS_FRAMES, round(begin * RATE))
        while True:
            came, picture = capture.read()
            if not came:
                return
            yield np.asarray(picture, np.uint8)
    finally:
        capture.release()


def _answer(events: list[Event], seconds: float, outcomes: dict[str, int], tracks: int) -> Answer:
    return {
        "events": [
            (event.rule, event.attributes.get("direction"), (event.occurred_at - EPOCH).total_seconds())
            for event in events
        ],
        "kinds": dict(Counter(event.kind for event in events)),
        "seconds": seconds,
        "begin": 0.0,
        "outcomes": outcomes,
        "tracks": tracks,
    }
