"""A detector: backend and head together, pictures in, detections out."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from detectors.cards import ModelCard, load_card
from detectors.detections import Detections
from detectors.model_input import ModelInput
from detectors.regions import Region, uncut
from detectors.suppression import suppress
from safecity.plugins import load_plugin
from safecity.settings import DetectorSettings

SAME_OBJECT = 0.6
"""Overlap of two boxes, from two regions, that are one object."""
FAINT = 0.1
"""Fainter detections are of no use even to the tracker's second look."""


class Backend(Protocol):
    """Runs a model."""

    def infer(self, bgr: NDArray[np.uint8], size: tuple[int, int]) -> Sequence[NDArray[np.float32]]:
        """The raw outputs for one picture (h, w, 3), brought to ``size`` (width, height)."""
        ...


class Head(Protocol):
    """Understands a model's output layout."""

    IOU: float | None
    """Boxes that overlap by more are one object seen twice; None: the model has seen to that itself."""

    def decode(
        self, outputs: Sequence[NDArray[np.float32]], size: tuple[int, int], floor: float
    ) -> Detections:
        """Detections of confidence ``floor`` or more, one object perhaps several times.

        The boxes are in pixels of the model's input of that ``size``.
        """
        ...

    def classes(self, outputs: Sequence[NDArray[np.float32]]) -> int | None:
        """How many classes the outputs tell apart; None when they do not say."""
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

    @property
    def input(self) -> ModelInput:
        """How a picture becomes the model's input."""
        return self._card.input

    def detect(self, bgr: NDArray[np.uint8], floor: float = FAINT) -> Detections:
        """What is in a picture (h, w, 3), in its pixels; faint detections too, for the tracker."""
        height, width = bgr.shape[:2]
        return self._infer(bgr, self._card.input.size_for(width, height), floor)

    def detect_in(self, bgr: NDArray[np.uint8], regions: Sequence[Region]) -> Detections:
        """What is in some regions of a picture (h, w, 3), in pixels of the picture.

        What a region's edge cuts is left out: its box would be wrong.
        """
        height, width = bgr.shape[:2]
        found = []
        for region in regions:
            x1, y1, x2, y2 = region.xyxy
            inside = self._infer(bgr[y1:y2, x1:x2], region.size, FAINT)
            placed = inside.moved(region.left, region.top)
            found.append(placed.select(uncut(placed.xyxy, region, (width, height))))
        together = Detections.concatenate(found)
        return together.select(suppress(together, SAME_OBJECT))

    def _infer(self, bgr: NDArray[np.uint8], size: tuple[int, int], floor: float) -> Detections:
        height, width = bgr.shape[:2]
        found = self._head.decode(self._backend.infer(bgr, size), size, floor)
        found = found.select(self._wanted[found.class_id])
        if self._head.IOU is not None:
            # After the choice of classes: most of what a model faintly sees is nothing that is asked for.
            found = found.select(suppress(found, self._head.IOU))
        placement = self._card.input.placement(width, height, size)
        return Detections(placement.to_picture(found.xyxy, width, height), found.confidence, found.class_id)


def build_detector(settings: DetectorSettings) -> Detector:
    """The detector that a site asks for.

    Raises:
        ValueError: its backend, model or labels are unknown or wrong.
    """
    return detector_of(load_card(settings.model), settings.backend, settings.labels)


def detector_of(card: ModelCard, backend: str, labels: Sequence[str]) -> Detector:
    """A detector for the model of ``card`` that reports ``labels``.

    Raises:
        ValueError: its backend, head or labels are unknown, or the model cannot be run.
    """
    head: Any = load_plugin("detectors.heads", card.head)
    return Detector(card, load_plugin("detectors.backends", backend).build(card), head, labels)
