"""Distant people: real walkers of the footage, made small, walking through a street of 1280x720.

Each walker is cut out of the footage where it differs from the empty street, with its own steps, and set into
the empty street at the wanted height. Where it is, is known.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.detector import Detector, build_detector
from detectors.tracking import Tracker
from ingest.bench.scene import LABELS, bench_camera
from ingest.frame import Frame
from ingest.pipeline import CameraPipeline
from safecity.bench.measure import Work, measure
from safecity.demo.scenes import FOOTAGE
from safecity.geometry import iou
from safecity.settings import DetectorSettings

Picture = NDArray[np.uint8]

SIZE = (1280, 720)
SOURCE_RATE, RATE = 10, 5
WALKERS = 6
SECONDS = 12
LEAST_STEPS = 40
"""Pictures that a walker has to be seen in, one after the other, to be cut out."""
DIFFERS = 22
"""Grey levels by which a walker differs from the empty street."""
PACE = 0.9
"""Heights a second."""
NOISE = 1.5
FOUND = 0.5
"""Overlap with where a walker is."""


@dataclass(frozen=True)
class Step:
    """A walker in one picture of the footage."""

    colour: Picture
    """(h, w, 3)."""
    opacity: NDArray[np.float32]
    """(h, w, 1) 0 to 1."""


def distant_rows(heights: Sequence[int], progress: Callable[[], None]) -> list[dict[str, Any]]:
    """For each height the whole picture and the regions, each in a process of its own on one core.

    Raises:
        MeasureError: one failed.
    """
    rows: list[dict[str, Any]] = []
    for height in heights:
        pair = []
        for name in ("picture", "regions"):
            run = measure("ingest.bench.distant:prepare_distant", {"look_at": name, "height": height})
            pair.append(
                {"height": height, "name": name, **run.result, "cpu_seconds": round(run.cpu_seconds, 3)}
            )
            progress()
        for row in pair:
            row["share_found"] = round(row["found"] / row["there"], 4)
            row["cpu_ms_per_second"] = round(1000 * row["cpu_seconds"] / row["seconds"], 1)
            row["times_as_often"] = round(row["found"] / pair[0]["found"], 2) if pair[0]["found"] else None
        rows += pair
    return rows


def prepare_distant(look_at: str, height: int) -> Work:
    """The pipeline over the scene; answers how often walkers of ``height`` pixels were found."""
    cv2.setNumThreads(1)
    detector = build_detector(DetectorSettings(labels=LABELS))
    scene = list(_scene(detector, height))
    camera = bench_camera(str(FOOTAGE), {"look_at": look_at, "rules": [], "health": {"enabled": False}})
    detector.detect(scene[0][0])

    def work() -> dict[str, Any]:
        pipeline = CameraPipeline(camera, detector, start_confidence=DetectorSettings().confidence)
        there = found = 0
        for index, (picture, truth) in enumerate(scene):
            at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=index / RATE)
            frame = Frame.from_bgr(camera.id, index, at, at, picture)
            tracks = pipeline.process(frame).observation.tracks
            boxes = np.array([t.box for t in tracks]).reshape(-1, 4) * np.array([*SIZE, *SIZE])
            there += len(truth)
            found += int((iou(truth, boxes).max(axis=1, initial=0.0) >= FOUND).sum())
        return {"there": there, "found": found, "seconds": len(scene) / RATE}

    return work


def _scene(detector: Detector, height: int) -> Iterator[tuple[Picture, NDArray[np.float64]]]:
    """Pictures (720, 1280, 3), and where the walkers are (n, 4), pixels."""
    footage = _footage()
    empty = np.asarray(np.median(footage[::20], axis=0), np.uint8)
    walkers = _walkers(detector, footage, empty)[:WALKERS]
    crop = SIZE[1] * empty.shape[1] // SIZE[0]
    top = (empty.shape[0] - crop) // 2
    street = np.asarray(cv2.resize(empty[top : top + crop], SIZE, interpolation=cv2.INTER_CUBIC), np.uint8)
    generator = np.random.default_rng(2)
    for index in range(SECONDS * RATE):
        picture, truth = street.copy(), []
        for lane, steps in enumerate(walkers):
            step = _scaled(steps[index * SOURCE_RATE // RATE % len(steps)], height)
            towards_the_middle = 1 if lane < WALKERS // 2 else -1
            x = 80 + 200 * lane + towards_the_middle * PACE * height * index / RATE
            truth.append(_set(picture, step, round(x), 300 + 55 * lane))
        noise = generator.normal(0, NOISE, picture.shape)
        yield np.clip(picture + noise, 0, 255).astype(np.uint8), np.array(truth, np.float64)


def _footage() -> list[Picture]:
    with av.open(str(FOOTAGE)) as container:
        return [np.asarray(f.to_ndarray(format="bgr24"), np.uint8) for f in container.decode(video=0)][:400]


def _walkers(detector: Detector, footage: Sequence[Picture], empty: Picture) -> list[list[Step]]:
    """The longest unbroken walks of people who are alone, the longest first."""
    tracker, walks = Tracker(detector.labels), dict[int, list[Step]]()
    for index, picture in enumerate(footage):
        tracks = tracker.update(detector.detect(picture), index / SOURCE_RATE)
        boxes = np.stack([t.xyxy for t in tracks]) if tracks else np.zeros((0, 4))
        alone = (iou(boxes, boxes) > 0).sum(axis=1) == 1
        for track, by_itself in zip(tracks, alone, strict=True):
            if by_itself:
                walks.setdefault(track.track_id, []).append(_cut(picture, empty, track.xyxy))
    return sorted((w for w in walks.values() if len(w) >= LEAST_STEPS), key=len, reverse=True)


def _cut(picture: Picture, empty: Picture, box: NDArray[np.float64]) -> Step:
    x1, y1, x2, y2 = np.clip(np.rint(box), 0, [picture.shape[1], picture.shape[0]] * 2).astype(int)
    colour = picture[y1:y2, x1:x2]
    difference = np.abs(colour.astype(np.int16) - empty[y1:y2, x1:x2]).max(axis=2)
    mask = (difference > DIFFERS).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    opacity = np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (3, 3), 0), np.float32)
    return Step(colour, opacity[..., None])


def _scaled(step: Step, height: int) -> Step:
    size = max(2, round(step.colour.shape[1] * height / step.colour.shape[0])), height
    colour = cv2.resize(step.colour, size, interpolation=cv2.INTER_AREA)
    opacity = cv2.resize(step.opacity, size, interpolation=cv2.INTER_AREA)
    return Step(np.asarray(colour, np.uint8), np.asarray(opacity, np.float32)[..., None])


def _set(picture: Picture, step: Step, x: int, y: int) -> tuple[int, int, int, int]:
    """Paint a step with its upper left corner at x, y; where it is then."""
    height, width = step.colour.shape[:2]
    place = picture[y : y + height, x : x + width]
    place[:] = np.rint(step.colour * step.opacity + place * (1 - step.opacity)).astype(np.uint8)
    return x, y, x + width, y + height
