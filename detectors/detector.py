"""A detector: backend and head together, pictures in, detections out."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from detectors.cards import ModelCard, load_card
from detectors.detections import Detections
from safecity.plugins import load_plugin
from safecity.settings import DetectorSettings

FAINT = 0.1
"""Fainter detections are of no use even to the tracker's second look."""


class Backend(Protocol):
    """Runs a model."""

    def infer(self, bgr: NDArray[np.uint8], size: tuple[int, int]) -> Sequence[NDArray[np.float32]]:
        """The raw outputs for one picture (h, w, 3), stretched to ``size`` (width, height)."""
        ...


class Head(Protocol):
    """Understands a model's output layout."""

    def decode(
        self, outputs: Sequence[NDArray[np.float32]], size: tuple[int, int], floor: float
    ) -> Detections:
        """Detections of confidence ``floor`` or more in pixels of the model's input of that ``size``."""
        ...


class Detector:
    """Sees objects of the wanted classes.

    Args:
        card: the model.
        backend: runs it.
        head: reads its output.
        labels: the classes to report.

    Raises:
        ValueError: the model does not know one of ``labels``.
    """

    def __init__(self, card: ModelCard, backend: Backend, head: Head, labels: Sequence[str]) -> None:
        unknown = sorted(set(labels) - set(card.labels))
        if unknown:
            raise ValueError(
                f"detector.labels: {card.name} does not know {', '.join(unknown)}; "
                f"it knows: {', '.join(card.labels)}"
            )
        self.labels = card.labels
        self.identity = card.identity
        self._card, self._backend, self._head = card, backend, head
        self._wanted = np.isin(card.labels, labels)

    def detect(self, bgr: NDArray[np.uint8], floor: float = FAINT) -> Detections:
        """What is in a picture (h, w, 3), in its pixels, of confidence ``floor`` or more.

        Unless told otherwise faint detections too, for the tracker.
        """
        height, width = bgr.shape[:2]
        size = self._card.input.size_for(width, height)
        found = self._head.decode(self._backend.infer(bgr, size), size, floor)
        found = found.select(self._wanted[found.class_id])
        scale = np.array([width / size[0], height / size[1]] * 2, np.float32)
        limits = np.array([width, height] * 2, np.float32)
        return Detections(np.clip(found.xyxy * scale, 0, limits), found.confidence, found.class_id)


def build_detector(settings: DetectorSettings) -> Detector:
    """The detector that a site asks for.

    Raises:
        ValueError: its backend, model or labels are unknown or wrong.
    """
    card = load_card(settings.model)
    backend = load_plugin("detectors.backends", settings.backend).build(card)
    head: Any = load_plugin("detectors.heads", card.head)
    return Detector(card, backend, head, settings.labels)
