"""Non-maximum suppression: of boxes that overlap, the most confident stays."""

import numpy as np
from numpy.typing import NDArray

from detectors.detections import Detections
from safecity.geometry import iou

MOST = 1000
"""Only so many are looked at, the most confident: time and memory grow with the square."""


def suppress(found: Detections, threshold: float) -> NDArray[np.int64]:
    """Indices of the detections that stay, most confident first; classes do not suppress each other."""
    order = np.argsort(-found.confidence, kind="stable")[:MOST]
    boxes, classes = found.xyxy[order], found.class_id[order]
    clash = (iou(boxes, boxes) > threshold) & (classes[:, None] == classes[None, :])
    stays = np.ones(len(order), bool)
    for index in range(len(order)):
        if stays[index]:
            stays[index + 1 :] &= ~clash[index, index + 1 :]
    return np.asarray(order[stays], dtype=np.int64)
