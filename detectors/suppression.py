"""Non-maximum suppression: of boxes that overlap, the most confident stays."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.detections import Detections

MOST_CANDIDATES = 1000
"""Of a picture: what a model sees everywhere must not hold a worker up (all are compared with all)."""

_batched: Any = cv2.dnn.NMSBoxesBatched  # its stubs want lists; arrays are quicker


def suppress(found: Detections, threshold: float) -> NDArray[np.int64]:
    """Indices of the detections that stay, most confident first; classes do not suppress each other."""
    if not len(found):
        return np.zeros(0, np.int64)
    corners = found.xyxy.astype(np.float64)
    boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    stay = _batched(
        boxes, found.confidence, found.class_id.astype(np.int32), 0.0, threshold, 1.0, MOST_CANDIDATES
    )
    return np.asarray(stay, np.int64).reshape(-1)
