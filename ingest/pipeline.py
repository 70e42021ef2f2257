"""One frame through mask, gate, detector, tracker and rules. No input or output, no clock."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from detectors.appearance import describe
from detectors.detections import Detections
from detectors.detector import Detector
from detectors.motion import MotionGate
from detectors.tracking import Track, Tracker
from ingest.frame import Frame
from ingest.ledger import Outcome
from ingest.snapshots import Picture, PrivacyMask, encode_jpeg, pixelate
from safecity.camera import Camera
from safecity.event import Event
from safecity.observation import Observation, TrackState
from safecity.rules import build_rule

StageTimer = Callable[[str], AbstractContextManager[object]]
"""Wraps one stage, by name, to measure it."""

PEOPLE = ("person",)
PIXELATE_FROM_CONFIDENCE = 0.2
"""A person too faint to be tracked is still made unrecognisable in a stored picture."""


@dataclass(frozen=True)
class Decision:
    """An event and the picture that goes with it."""

    event: Event
    picture: bytes
    """JPEG, masked, people pixelated."""


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
        scene = camera.scene(detector.identity)
        self._rules = [build_rule(settings, scene) for settings in camera.rules]
        self._begin: datetime | None = None
        self._newest: datetime | None = None
        self._start_confidence = start_confidence

    def process(self, frame: Frame) -> Analysis:
        """Take the next frame to its observation and its events."""
        self._begin, self._newest = self._begin or frame.captured_at, frame.captured_at
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
                sure = detections.confidence >= self._start_confidence
                colours = describe(picture, detections.xyxy, sure)
                tracks = self._tracker.update(detections, seconds, colours=colours)
        observation = self._observe(frame, tracks, inferred=outcome is Outcome.ANALYSED)
        with self._timed("rules"):
            events = [event for rule in self._rules for event in rule.update(observation)]
        return Analysis(outcome, observation, self._illustrate(events, frame, picture, detections, tracks))

    def tracks(self) -> tuple[datetime, dict[str, Any]] | None:
        """What the tracker knows, and of which event time; None before the first frame."""
        return None if self._newest is None else (self._newest, self._tracker.state())

    def restore_tracks(self, captured_at: datetime, state: dict[str, Any], skipped_ids: int) -> None:
        """Go on with what the tracker knew at event time ``captured_at``; before the first frame.

        Raises:
            ValueError: it is no state of a tracker.
        """
        self._tracker.restore(state, 0.0, skipped_ids)
        self._begin = captured_at

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

    def _illustrate(
        self,
        events: Sequence[Event],
        frame: Frame,
        picture: Picture | None,
        detections: Detections,
        tracks: Sequence[Track],
    ) -> tuple[Decision, ...]:
        if not events:
            return ()
        with self._timed("snapshot"):
            if picture is None:
                picture = self._mask.burn(frame.bgr())
            people = [
                self._detector.labels.index(label) for label in PEOPLE if label in self._detector.labels
            ]
            seen = [
                box
                for box, class_id, confidence in zip(
                    detections.xyxy, detections.class_id, detections.confidence, strict=True
                )
                if class_id in people and confidence >= PIXELATE_FROM_CONFIDENCE
            ]
            pixelate(picture, [*seen, *(track.xyxy for track in tracks if track.label in PEOPLE)])
            jpeg = encode_jpeg(picture)
        return tuple(
            Decision(event.model_copy(update={"snapshot": f"{event.event_id}-{event.revision}.jpg"}), jpeg)
            for event in events
        )


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
