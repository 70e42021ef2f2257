"""ultralytics and PyTorch, one thread (extra ``ultralytics``).

ultralytics is under the AGPL-3.0: who lets others use a service built with it has to offer those its source
code, unless a licence has been bought. For trying a checkpoint (.pt) as it is: exported to int8 by
``safecity models export`` it runs several times as fast. The card's ``file`` is the checkpoint, and its
``head`` is ``end_to_end``, since ultralytics does the suppression.
"""

import os

import numpy as np
from numpy.typing import NDArray

from detectors.cards import ModelCard
from detectors.detector import FAINT

SUPPRESS = 0.6


class UltralyticsBackend:
    """One checkpoint.

    Args:
        card: the model; its head is ``end_to_end``.

    Raises:
        ValueError: ultralytics is not installed, or cannot load the checkpoint, or the card has another head.
    """

    def __init__(self, card: ModelCard) -> None:
        if card.head != "end_to_end":
            raise ValueError(
                f'the backend ultralytics wants a card with head = "end_to_end", not {card.head!r}'
            )
        if card.input.fit != "stretch":
            raise ValueError(
                'the backend ultralytics pads by itself: leave fit = "letterbox" out of the card'
            )
        # It would install packages and send usage data while it runs otherwise.
        os.environ.setdefault("YOLO_AUTOINSTALL", "false")
        os.environ.setdefault("YOLO_OFFLINE", "true")
        try:
            import torch
            from ultralytics import YOLO
        except ImportError:
            raise ValueError('the backend ultralytics needs: pip install "safecity[ultralytics]"') from None
        torch.set_num_threads(1)
        try:
            self._model = YOLO(str(card.file))
        except (OSError, RuntimeError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"{card.file}: ultralytics cannot load it: {error}") from None

    def infer(self, bgr: NDArray[np.uint8], size: tuple[int, int]) -> list[NDArray[np.float32]]:
        """``(1, n, 6)`` rows of x1 y1 x2 y2 confidence class, in pixels of ``size`` (width, height)."""
        (result,) = self._model.predict(
            bgr, imgsz=(size[1], size[0]), conf=FAINT, iou=SUPPRESS, device="cpu", verbose=False
        )
        rows = np.asarray(result.boxes.data.cpu().numpy()[:, :6], np.float32)
        # ultralytics has undone its letterbox already; the detector undoes a plain stretch.
        rows[:, :4] *= np.array([size[0] / bgr.shape[1], size[1] / bgr.shape[0]] * 2, np.float32)
        return [rows[None]]


def build(card: ModelCard) -> UltralyticsBackend:
    """Plug-in entry."""
    return UltralyticsBackend(card)
