"""Non-maximum suppression: of boxes that overlap, the most confident stays."""

import numpy as np
from numpy.typing import NDArray

from detectors.detections import Detections
from safecity.geometry import iou

MOST_CANDIDATES = 1000
"""Of a picture: what a model sees everywhere must not hold a worker up (all are compared with all)."""


def suppress(found: Detections, threshold: float) -> NDArray[np.int64]:
    """Indices of the detections that stay, most confident first; classes do not suppress each other."""
    order = np.argsort(-found.confidence, kind="stable")[:MOST_CANDIDATES]
    boxes, classes = found.xyxy[order], found.class_id[order]
    clash = (iou(boxes, boxes) > threshold) & (classes[:, None] == classes[None, :])
    stays = np.ones(len(order), bool)
    for index in range(len(order)):
        if stays[index]:
            stays[index + 1 :] &= ~clash[index, index + 1 :]
    return np.asarray(order[stays], dtype=np.int64)
