"""What the commands on models have in common: a card by its name, facts for JSON, one trial on pictures."""

import statistics
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import safecity
from detectors.agreement import FAINTER, agreement
from detectors.cards import ModelCard, load_card
from detectors.detections import Detections
from detectors.detector import FAINT, Detector, detector_of
from safecity.cli import UsageError

FOOTAGE = Path(safecity.__file__).parent / "demo" / "footage" / "street.mp4"
SAID = 0.5
"""Confidence from which a trial names what was seen."""


def known_card(name: str) -> ModelCard:
    """The card of that name or path, or an error in one line."""
    try:
        return load_card(name)
    except ValueError as error:
        raise UsageError(str(error)) from None


def facts(card: ModelCard) -> dict[str, Any]:
    """For JSON."""
    return {
        "name": card.name,
        "input": card.input.model_dump(mode="json"),
        "labels": list(card.labels),
        "licence": card.licence,
        "source": card.source,
        "head": card.head,
        "file": str(Path(card.file)),
        "bytes": card.file.stat().st_size,
        "sha256": card.sha256,
    }


def watcher(card: ModelCard, backend: str) -> Detector:
    """A detector for all that the model knows.

    Raises:
        ValueError: it cannot be had.
    """
    return detector_of(card, backend, card.labels)


def look(
    detector: Detector, pictures: Sequence[NDArray[np.uint8]], floor: float = FAINT
) -> tuple[list[Detections], float]:
    """What is seen in each picture, and the median milliseconds of one, the first (a warm-up) not counted."""
    found, seconds = [], []
    for picture in pictures:
        begin = time.perf_counter()
        found.append(detector.detect(picture, floor))
        seconds.append(time.perf_counter() - begin)
    return found, round(statistics.median(seconds[1:] or seconds) * 1000, 1)


def seen(found: Sequence[Detections], labels: Sequence[str], confidence: float = SAID) -> dict[str, int]:
    """How many of which class, the most frequent first."""
    counts = Counter(
        labels[class_id]
        for picture in found
        for class_id in picture.class_id[picture.confidence >= confidence]
    )
    return dict(counts.most_common())


def named(counts: dict[str, int]) -> str:
    """As people read it."""
    return ", ".join(f"{count} {label}" for label, count in counts.items()) or "nothing"


def compare(
    first: ModelCard,
    second: ModelCard,
    backend: str,
    pictures: Sequence[NDArray[np.uint8]],
    confidence: float,
) -> dict[str, Any]:
    """Let two models look at the same pictures; their agreement and their time, for JSON.

    Raises:
        ValueError: a model cannot be run.
    """
    floor = FAINTER * confidence
    detectors = [watcher(card, backend) for card in (first, second)]
    found: list[list[Detections]] = [[], []]
    seconds: list[list[float]] = [[], []]
    # In turn, so that both have the same share of a busy machine.
    for picture in pictures:
        for k, detector in enumerate(detectors):
            begin = time.process_time()
            found[k].append(detector.detect(picture, floor))
            seconds[k].append(time.process_time() - begin)
    medians = [round(statistics.median(times[1:] or times) * 1000, 1) for times in seconds]
    return {
        **agreement(found[0], found[1], confidence).facts(),
        "milliseconds_first": medians[0],
        "milliseconds_second": medians[1],
    }
