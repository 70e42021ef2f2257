"""One frame through mask, gate, detector, tracker and rules. No input or output, no clock."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from detectors.appearance import describe
from detectors.detector import Detector
from detectors.motion import GateResult, MotionGate, Small, shrink
from detectors.regions import Region, plan_regions
from detectors.scene_change import SceneChange
from detectors.tracking import Track, Tracker
from ingest.camera_watch import CameraWatch
from ingest.evidence import Decision, EvidencePictures
from ingest.frame import Frame
from ingest.ledger import Outcome
from ingest.main_stream import MainPictures
from ingest.observing import observe
from ingest.picture_taking import PictureTaker
from ingest.seen import Seen
from ingest.snapshots import PrivacyMask
from safecity.camera import Camera
from safecity.event import Event
from safecity.observation import Change, Observation
from safecity.ruleset import RuleSet, Rulings

StageTimer = Callable[[str], AbstractContextManager[object]]
"""Wraps one stage, by name, to measure it."""


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
        timed: measures the stages gate, detect, track, changes, rules, health and snapshot.
        main: gives the pictures of events, where the camera's main stream is not the one that is analysed.
    """

    def __init__(
        self,
        camera: Camera,
        detector: Detector,
        *,
        start_confidence: float,
        timed: StageTimer = lambda _: nullcontext(),
        main: MainPictures | None = None,
    ) -> None:
        self._camera = camera
        self._detector = detector
        self._timed = timed
        self._mask = PrivacyMask(camera.masks)
        self._gate = MotionGate() if camera.motion_gate else None
        self._tracker = Tracker(labels=detector.labels, start_confidence=start_confidence)
        self._changes = SceneChange() if any(rule.needs_changes for rule in camera.rules) else None
        scene = camera.scene(detector.identity)
        self.config = scene.config
        """Fingerprint that its events carry."""
        self._rules = RuleSet(camera.rules, scene)
        self._watch = CameraWatch(camera.health, scene, self._mask) if camera.health.enabled else None
        self._pictures = EvidencePictures()
        self._taker = PictureTaker(detector, self._mask, main)
        self._begin: datetime | None = None
        self._newest: datetime | None = None
        self._start_confidence = start_confidence

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong with the camera now."""
        return self._watch.faults if self._watch else ()

    def process(self, frame: Frame) -> Analysis:
        """Take the next frame to its observation and its events."""
        self._begin, self._newest = self._begin or frame.captured_at, frame.captured_at
        seconds = (frame.captured_at - self._begin).total_seconds()
        small = shrink(self._mask.burn(frame.luma()))
        gate = self._look(small, seconds)
        seen = self._see(frame, self._regions(gate, frame, seconds), seconds)
        looked = seen.picture is not None
        changes = self._scene_changes(small, seen.tracks, frame, seconds)
        observation = observe(frame, seen.tracks, inferred=looked, changes=changes)
        with self._timed("rules"):
            rulings = self._rules.update(observation)
        rulings = rulings.joined_by(self._check_camera(frame, small, seconds))
        return Analysis(
            outcome=Outcome.ANALYSED if looked else Outcome.STILL,
            observation=observation,
            decisions=self._illustrate(rulings, frame, seen),
            moving=gate is None or gate.moving,
        )

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

    def _look(self, small: Small, seconds: float) -> GateResult | None:
        if self._gate is None:
            return None
        with self._timed("gate"):
            return self._gate.update(small, seconds)

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

    def _see(self, frame: Frame, regions: tuple[Region, ...] | None, seconds: float) -> Seen:
        if regions == ():
            with self._timed("track"):
                return Seen(self._tracker.held(seconds))
        picture = self._mask.burn(frame.bgr())
        with self._timed("detect"):
            found = self._detector.detect_in(picture, regions) if regions else self._detector.detect(picture)
        looked_at = np.array([r.xyxy for r in regions], np.float64) if regions else None
        self._taker.saw(found, frame, looked_at)
        with self._timed("track"):
            colours = describe(picture, found.xyxy, found.confidence >= self._start_confidence)
            tracks = self._tracker.update(found, seconds, looked_at=looked_at, colours=colours)
        return Seen(tracks, picture)

    def _scene_changes(
        self, small: Small, tracks: Sequence[Track], frame: Frame, seconds: float
    ) -> list[Change]:
        """What changed in the scene and stays so."""
        if self._changes is None:
            return []
        size = np.array([frame.width, frame.height] * 2, np.float64)
        with self._timed("changes"):
            moving, standing = (
                np.array([t.xyxy / size for t in tracks if t.stationary is rests]).reshape(-1, 4)
                for rests in (False, True)
            )
            found = self._changes.update(small, seconds, np.clip(moving, 0, 1), np.clip(standing, 0, 1))
        return [Change(box=r.box, since_seconds=r.since_seconds, kind=r.kind) for r in found]

    def _check_camera(self, frame: Frame, small: Small, seconds: float) -> list[Event]:
        if self._watch is None:
            return []
        with self._timed("health"):
            return self._watch.update(frame, small, seconds)

    def _illustrate(self, rulings: Rulings, frame: Frame, seen: Seen) -> tuple[Decision, ...]:
        if not rulings.told and not rulings.keep:
            return ()
        with self._timed("snapshot"):
            return self._pictures.illustrate(rulings, lambda: self._taker.take(frame, seen))
