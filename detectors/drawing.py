"""A picture with what was seen in it, for people to look at."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.detections import Detections

LEAST = 0.3
GREEN, BLACK = (80, 220, 80), (0, 0, 0)


def write_picture(path: Path, bgr: NDArray[np.uint8], found: Detections, labels: Sequence[str]) -> None:
    """Write ``bgr`` (h, w, 3) with the boxes of confidence LEAST or more.

    Raises:
        OSError: it cannot be written.
    """
    picture = bgr.copy()
    for box, confidence, class_id in zip(found.xyxy, found.confidence, found.class_id, strict=True):
        if confidence < LEAST:
            continue
        x1, y1, x2, y2 = (int(v) for v in box)
        cv2.rectangle(picture, (x1, y1), (x2, y2), GREEN, 2)
        text = f"{labels[class_id]} {confidence:.2f}"
        for colour, thickness in ((BLACK, 3), (GREEN, 1)):
            cv2.putText(
                picture, text, (x1, max(12, y1 - 4)), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, thickness
            )
    written, data = cv2.imencode(".jpg", picture)
    assert written, "a JPEG of eight-bit colours can always be made"
    path.write_bytes(data.tobytes())
