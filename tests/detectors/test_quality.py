"""How good the shipped model and the tracker are together, on real footage.

Where the footage with a drawn truth lies beside the repository it is measured against that. On the shipped
footage, which has none, tracks at half the rate are held against those at the full rate.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest

from detectors.appearance import describe
from detectors.detector import build_detector
from detectors.evaluation.boxes import Boxes
from detectors.evaluation.detection import Look, Truth, precision_curve
from detectors.evaluation.mot import read_mot
from detectors.evaluation.tracking import score_tracks
from detectors.tracking import Tracker
from safecity.settings import DetectorSettings
from tests.detectors.footage import STREET

DATA = Path(__file__).parents[3] / "shared" / "data"
VIDEO, TRUTH = DATA / "vtest.avi", DATA / "vtest_gt_frames_001-400.txt"
SETTINGS = DetectorSettings()
FRAMES = 400
RATE = 10


@dataclass(frozen=True)
class Limits:
    """The least that is good enough at one analysed rate."""

    mota: float
    idf1: float


@cache
def detections(video):
    """What is seen in each picture, and its colours."""
    detector = build_detector(SETTINGS)
    found = []
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            if len(found) == FRAMES:
                break
            picture = frame.to_ndarray(format="bgr24")
            seen = detector.detect(picture)
            colours = describe(picture, seen.xyxy, seen.confidence >= SETTINGS.confidence)
            found.append((seen, colours))
    return found, detector.labels


def people(video, step, offset=0):
    """What the tracker says of every ``step``-th picture, by index."""
    found, labels = detections(video)
    tracker, said = Tracker(labels, SETTINGS.confidence), {}
    for index in range(offset, len(found), step):
        seen, colours = found[index]
        tracks = [t for t in tracker.update(seen, index / RATE, colours=colours) if t.label == "person"]
        said[index] = Boxes(
            tuple(t.track_id for t in tracks), np.array([t.xyxy for t in tracks]).reshape(-1, 4)
        )
    return said


def against_the_truth(step):
    truth = read_mot(TRUTH)
    return score_tracks([(truth.boxes(k + 1), boxes) for k, boxes in people(VIDEO, step).items()])


def against_the_full_rate(step):
    full = people(STREET, 1)
    return score_tracks([(full[k], boxes) for k, boxes in people(STREET, step).items()])


MEASURES = [(against_the_full_rate, 2, Limits(mota=0.85, idf1=0.80))]
if VIDEO.is_file() and TRUTH.is_file():
    MEASURES += [
        (against_the_truth, 1, Limits(mota=0.81, idf1=0.80)),
        (against_the_truth, 2, Limits(mota=0.80, idf1=0.80)),
        (against_the_truth, 5, Limits(mota=0.75, idf1=0.75)),
    ]


@pytest.mark.parametrize(("measure", "step", "least"), MEASURES)
def test_tracks_are_right_and_keep_their_identity(measure, step, least):
    score = measure(step)
    print(measure.__name__, f"every {step}:", score)
    assert score.mota >= least.mota
    assert score.idf1 >= least.idf1


def precision_against_the_truth():
    truth = read_mot(TRUTH)
    return looks_at(VIDEO, lambda k: truth.boxes(k + 1))


def precision_against_the_tracks():
    said = people(STREET, 1)
    return looks_at(STREET, said.__getitem__)


def looks_at(video, truth_of):
    found, labels = detections(video)
    person = labels.index("person")
    every_fifth = [(k, found[k][0]) for k in range(0, len(found), 5)]
    chosen = [(k, seen.select(seen.class_id == person)) for k, seen in every_fifth]
    return [
        Look(Truth.of_boxes(truth_of(k).xyxy), seen.xyxy.astype(float), seen.confidence.astype(float))
        for k, seen in chosen
    ]


PRECISION = [precision_against_the_tracks]
if VIDEO.is_file() and TRUTH.is_file():
    PRECISION.append(precision_against_the_truth)


@pytest.mark.parametrize("measure", PRECISION)
def test_people_are_found(measure):
    precision = precision_curve(measure()).ap50
    print(measure.__name__, round(precision, 4))
    assert precision >= 0.90
