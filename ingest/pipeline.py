"""One frame through mask, gate, detector, tracker and rules. No input or output, no clock."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime

import cv2
import numpy as np

from detectors.detections import Detections
from detectors.detector import Detector
from detectors.motion import SMALL, MotionGate
from detectors.scene_change import SceneChange
from detectors.tracking import Track, Tracker
from ingest.evidence import Decision, EvidencePictures
from ingest.frame import Frame
from ingest.ledger import Outcome
from ingest.snapshots import Picture, PrivacyMask, encode_jpeg, pixelate
from safecity.camera import Camera
from safecity.observation import Change, Observation, TrackState
from safecity.ruleset import RuleSet, Rulings

StageTimer = Callable[[str], AbstractContextManager[object]]
"""Wraps one stage, by name, to measure it."""

PEOPLE = ("person",)
PIXELATE_FROM_CONFIDENCE = 0.2
"""A person too faint to be tracked is still made unrecognisable in a stored picture."""


@dataclass(frozen=True)
class Analysis:
    """What came of one frame."""

    outcome: Outcome
    observation: Observation
    decisions: tuple[Decision, ...]


class CameraPipeline:
    """All that one camera's frames go through, in order of event time.

    Args:
        camera: what is masked and watched.
        detector: may be shared by all cameras of a process.
        start_confidence: detections below it do not start a track.
        timed: measures the stages gate, detect, track, rules and snapshot.
    """

    def __init__(
        self,
        camera: Camera,
        detector: Detector,
        *,
        start_confidence: float,
        timed: StageTimer = lambda _: nullcontext(),
    ) -> None:
        self._camera = camera
        self._detector = detector
        self._timed = timed
        self._mask = PrivacyMask(camera.masks)
        self._gate = MotionGate() if camera.motion_gate else None
        self._tracker = Tracker(labels=detector.labels, start_confidence=start_confidence)
        self._changes = SceneChange() if any(rule.needs_changes for rule in camera.rules) else None
        self._rules = RuleSet(camera.rules, camera.scene(detector.identity))
        self._pictures = EvidencePictures()
        self._begin: datetime | None = None

    def process(self, frame: Frame) -> Analysis:
        """Take the next frame to its observation and its events."""
        self._begin = self._begin or frame.captured_at
        seconds = (frame.captured_at - self._begin).total_seconds()
        if self._is_still(frame, seconds):
            outcome, picture, detections = Outcome.STILL, None, Detections.empty()
            with self._timed("track"):
                tracks = self._tracker.held(seconds)
        else:
            outcome, picture = Outcome.ANALYSED, self._mask.burn(frame.bgr())
            with self._timed("detect"):
                detections = self._detector.detect(picture)
            with self._timed("track"):
                tracks = self._tracker.update(detections, seconds)
        observation = self._observe(frame, tracks, inferred=outcome is Outcome.ANALYSED)
        if self._changes is not None:
            observation = self._with_changes(self._changes, observation, frame, seconds)
        with self._timed("rules"):
            rulings = self._rules.update(observation)
        return Analysis(outcome, observation, self._illustrate(rulings, frame, picture, detections, tracks))

    def _is_still(self, frame: Frame, seconds: float) -> bool:
        if self._gate is None:
            return False
        with self._timed("gate"):
            return not self._gate.update(self._mask.burn(frame.luma()), seconds).moving

    def _observe(self, frame: Frame, tracks: Sequence[Track], *, inferred: bool) -> Observation:
        return Observation(
            camera_id=frame.camera_id,
            captured_at=frame.captured_at,
            frame_index=frame.index,
            width=frame.width,
            height=frame.height,
            inferred=inferred,
            tracks=tuple(_track_state(track, frame.width, frame.height) for track in tracks),
        )

    def _with_changes(
        self, changes: SceneChange, observation: Observation, frame: Frame, seconds: float
    ) -> Observation:
        """The observation with what changed in the scene and stays so."""
        with self._timed("changes"):
            luma = self._mask.burn(frame.luma())
            small = np.asarray(cv2.resize(luma, SMALL, interpolation=cv2.INTER_AREA), np.uint8)
            tracks = observation.tracks
            moving = np.array([t.box for t in tracks if not t.stationary], np.float64).reshape(-1, 4)
            standing = np.array([t.box for t in tracks if t.stationary], np.float64).reshape(-1, 4)
            found = changes.update(small, seconds, moving, standing)
        regions = tuple(Change(box=r.box, since_seconds=r.since_seconds, kind=r.kind) for r in found)
        return observation.model_copy(update={"changes": regions})

    def _illustrate(
        self,
        rulings: Rulings,
        frame: Frame,
        picture: Picture | None,
        detections: Detections,
        tracks: Sequence[Track],
    ) -> tuple[Decision, ...]:
        if not rulings.told and not rulings.keep:
            return ()
        with self._timed("snapshot"):
            return self._pictures.illustrate(rulings, lambda: self._take(frame, picture, detections, tracks))

    def _take(
        self, frame: Frame, picture: Picture | None, detections: Detections, tracks: Sequence[Track]
    ) -> bytes:
        """The frame as JPEG, masked, people pixelated."""
        if picture is None:
            picture = self._mask.burn(frame.bgr())
        people = [self._detector.labels.index(label) for label in PEOPLE if label in self._detector.labels]
        seen = [
            box
            for box, class_id, confidence in zip(
                detections.xyxy, detections.class_id, detections.confidence, strict=True
            )
            if class_id in people and confidence >= PIXELATE_FROM_CONFIDENCE
        ]
        pixelate(picture, [*seen, *(track.xyxy for track in tracks if track.label in PEOPLE)])
        return encode_jpeg(picture)


def _track_state(track: Track, width: int, height: int) -> TrackState:
    x1, y1, x2, y2 = (float(v) for v in track.xyxy)
    velocity_x, velocity_y = (float(v) for v in track.velocity)
    return TrackState(
        track_id=track.track_id,
        label=track.label,
        confidence=round(min(1.0, float(track.confidence)), 4),
        box=(
            _relative(x1, width),
            _relative(y1, height),
            _relative(x2, width),
            _relative(y2, height),
        ),
        velocity=(round(velocity_x / width, 6), round(velocity_y / height, 6)),
        stationary=track.stationary,
        age_seconds=round(track.age_seconds, 3),
    )


def _relative(pixels: float, size: int) -> float:
    return round(min(1.0, max(0.0, pixels / size)), 6)
