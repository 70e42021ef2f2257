"""``evaluate detect``: look at every picture, then measure, as a document."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.detector import Detector
from detectors.evaluation.boxes import share
from detectors.evaluation.detection import AREAS, Curve, Look, Truth, precision_curve
from detectors.evaluation.footage import frames, read_picture
from detectors.evaluation.labelled import Dataset
from detectors.evaluation.mot import MotTruth

TruthOf = Callable[[str], Truth]
"""The objects of a label."""


@dataclass(frozen=True, eq=False)
class Shown:
    """A picture and what is known to be in it."""

    bgr: NDArray[np.uint8]
    """(h, w, 3)"""
    truth: TruthOf


def dataset_pictures(dataset: Dataset) -> Iterator[Shown]:
    """The pictures of a dataset."""
    for picture in dataset.pictures:
        bgr = read_picture(picture.path)
        height, width = bgr.shape[:2]
        yield Shown(bgr, lambda label, p=picture, w=width, h=height: p.truth(label, w, h))  # type: ignore[misc]


def footage_frames(truth: MotTruth, every: int) -> list[int]:
    """Numbers of the frames that are looked at: every ``every``-th that the truth knows."""
    return list(range(truth.first, truth.last + 1, every))


def footage_pictures(video: Path, truth: MotTruth, every: int) -> Iterator[Shown]:
    """Every ``every``-th frame that the truth knows; its objects are of whatever label is asked for."""
    chosen = footage_frames(truth, every)
    for frame in frames(video, chosen[-1], set(chosen).__contains__):
        counted, ignored = truth.boxes(frame.number), truth.ignored_boxes(frame.number)
        crowd = np.arange(len(counted) + len(ignored)) >= len(counted)
        known = Truth.of_boxes(np.concatenate([counted.xyxy, ignored.xyxy]), crowd)
        yield Shown(frame.bgr, lambda _, known=known: known)  # type: ignore[misc]


def look_at(
    detector: Detector, pictures: Iterable[Shown], labels: Sequence[str], floor: float
) -> dict[str, list[Look]]:
    """What the detector sees in each picture, by label, of confidence ``floor`` or more."""
    looks: dict[str, list[Look]] = {label: [] for label in labels}
    for picture in pictures:
        found = detector.detect(picture.bgr, floor)
        for label in labels:
            own = found.select(found.class_id == detector.labels.index(label))
            looks[label].append(
                Look(picture.truth(label), own.xyxy.astype(np.float64), own.confidence.astype(np.float64))
            )
    return looks


def measure(
    looks: Mapping[str, Sequence[Look]], confidence: float
) -> tuple[dict[str, Any], dict[str, Curve]]:
    """The figures, and the curves of all sizes by label.

    Args:
        looks: by label.
        confidence: detections below it are left out of the counts of right, false and missed.
    """
    curves = {area: {label: precision_curve(own, area) for label, own in looks.items()} for area in AREAS}
    whole = curves["all"]
    counts = {label: curve.counts(confidence) for label, curve in whole.items()}
    figures = {
        **_precisions(whole.values()),
        **_counted(np.sum(list(counts.values()), axis=0).tolist()),
        "by_area": {area: _precisions(own.values()) for area, own in curves.items() if area != "all"},
        "by_class": {
            label: {**_precisions([curve]), **_counted(counts[label])} for label, curve in whole.items()
        },
    }
    return figures, whole


def _precisions(curves: Iterable[Curve]) -> dict[str, Any]:
    """Means over the classes that have objects; None where none has."""
    known = [curve for curve in curves if curve.truths]
    return {
        "ap50": _mean([curve.ap50 for curve in known]),
        "ap50_95": _mean([curve.ap50_95 for curve in known]),
        "truths": sum(curve.truths for curve in known),
    }


def _mean(values: Sequence[float | None]) -> float | None:
    numbers = [value for value in values if value is not None]
    return round(sum(numbers) / len(numbers), 6) if numbers else None


def _counted(counts: Sequence[int]) -> dict[str, Any]:
    right, false_alarms, misses = counts
    return {
        "right": right,
        "false_alarms": false_alarms,
        "misses": misses,
        "precision": round(share(right, right + false_alarms), 6),
        "recall": round(share(right, right + misses), 6),
    }
