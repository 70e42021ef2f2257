"""One frame through mask, gate, detector, tracker and rules. No input or output, no clock."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from detectors.detections import Detections
from detectors.detector import Detector
from detectors.motion import GateResult, MotionGate, Small, shrink
from detectors.regions import Region, plan_regions
from detectors.tracking import Track, Tracker
from ingest.camera_watch import CameraWatch
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
    moving: bool
    """Something moves, as far as the motion gate can say."""


class CameraPipeline:
    """All that one camera's frames go through, in order of event time.

    Args:
        camera: what is masked and watched.
        detector: may be shared by all cameras of a process.
        start_confidence: detections below it do not start a track.
        timed: measures the stages gate, detect, track, rules, health and snapshot.
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
        self._watch = CameraWatch(camera.health, scene, self._mask) if camera.health.enabled else None
        self._begin: datetime | None = None

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong with the camera now."""
        return self._watch.faults if self._watch else ()

    def process(self, frame: Frame) -> Analysis:
        """Take the next frame to its observation and its events."""
        self._begin = self._begin or frame.captured_at
        seconds = (frame.captured_at - self._begin).total_seconds()
        small = shrink(self._mask.burn(frame.luma())) if self._gate or self._watch else None
        gate = self._look(small, seconds)
        regions = self._regions(gate, frame, seconds)
        picture, detections = None, None
        if regions is not None and not regions:
            outcome = Outcome.STILL
            with self._timed("track"):
                tracks = self._tracker.held(seconds)
        else:
            outcome, picture = Outcome.ANALYSED, self._mask.burn(frame.bgr())
            tracks, detections = self._detect(picture, regions, seconds)
        observation = observe(frame, tracks, inferred=outcome is Outcome.ANALYSED)
        with self._timed("rules"):
            events = [event for rule in self._rules for event in rule.update(observation)]
        events += self._check_camera(frame, small, seconds)
        decisions = self._illustrate(events, frame, picture, detections, tracks)
        return Analysis(outcome, observation, decisions, moving=gate is None or gate.moving)

    def _look(self, small: Small | None, seconds: float) -> GateResult | None:
        if self._gate is None or small is None:
            return None
        with self._timed("gate"):
            return self._gate.update(small, seconds)

    def _check_camera(self, frame: Frame, small: Small | None, seconds: float) -> list[Event]:
        if self._watch is None or small is None:
            return []
        with self._timed("health"):
            return self._watch.update(frame, small, seconds)

    def _regions(self, gate: GateResult | None, frame: Frame, seconds: float) -> tuple[Region, ...] | None:
        """Where to look: nowhere (empty), in some regions, or at the whole picture (None)."""
        if gate is None or gate.whole:
            return None
        if not gate.look:
            return ()
        if self._camera.look_at == "picture":
            return None
        size = (frame.width, frame.height)
        tracked = self._tracker.expected(seconds)
        patches = gate.patches * np.array([*size, *size])
        if len(patches) + len(tracked) == 0:
            return ()
        return plan_regions(patches, tracked, size, self._detector.input)

    def _detect(
        self, picture: Picture, regions: tuple[Region, ...] | None, seconds: float
    ) -> tuple[list[Track], Detections | None]:
        """The tracks, and what was seen where the whole picture was looked at."""
        with self._timed("detect"):
            seen = self._detector.detect_in(picture, regions) if regions else self._detector.detect(picture)
        looked_at = np.array([r.xyxy for r in regions], np.float64) if regions else None
        with self._timed("track"):
            tracks = self._tracker.update(seen, seconds, looked_at)
        return tracks, None if regions else seen

    def _illustrate(
        self,
        events: Sequence[Event],
        frame: Frame,
        picture: Picture | None,
        detections: Detections | None,
        tracks: Sequence[Track],
    ) -> tuple[Decision, ...]:
        if not events:
            return ()
        with self._timed("snapshot"):
            if picture is None:
                picture = self._mask.burn(frame.bgr())
            if detections is None:
                # People who stand elsewhere in the picture are to be made unrecognisable too.
                detections = self._detector.detect(picture)
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


def observe(frame: Frame, tracks: Sequence[Track], *, inferred: bool) -> Observation:
    """What is said of a frame on the bus."""
    return Observation(
        camera_id=frame.camera_id,
        captured_at=frame.captured_at,
        frame_index=frame.index,
        width=frame.width,
        height=frame.height,
        inferred=inferred,
        tracks=tuple(_track_state(track, frame.width, frame.height) for track in tracks),
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
