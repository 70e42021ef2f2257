"""IDF1: how much of the footage each object carries the one track that serves it best.

Ristani et al. 2016, https://arxiv.org/abs/1609.01775
"""

from collections import Counter

import numpy as np
from scipy.optimize import linear_sum_assignment

from detectors.evaluation.boxes import EXACT, HIT, Pictures, share
from safecity.geometry import iou


def idf1(pictures: Pictures) -> float:
    """Boxes with the right identity, twice, among the boxes of the truth and those of the tracker."""
    together: Counter[tuple[int, int]] = Counter()
    boxes = 0
    for truth, said in pictures:
        boxes += len(truth) + len(said)
        hits = np.argwhere(iou(truth.xyxy, said.xyxy) >= HIT - EXACT)
        together.update((truth.ids[row], said.ids[column]) for row, column in hits)
    return share(2.0 * _right(together), boxes)


def _right(together: Counter[tuple[int, int]]) -> int:
    """Boxes that are right when each true object is given the one track that serves it best as a whole."""
    true_ids = sorted({pair[0] for pair in together})
    said_ids = sorted({pair[1] for pair in together})
    table = np.array([[together[t, s] for s in said_ids] for t in true_ids], np.int64)
    table = table.reshape(len(true_ids), len(said_ids))
    rows, columns = linear_sum_assignment(-table)
    return int(table[rows, columns].sum())
