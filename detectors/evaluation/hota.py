"""HOTA: one figure for seeing, placing and keeping apart, and the two that it is made of.

Luiten et al. 2020, https://arxiv.org/abs/2009.07736
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from detectors.evaluation.boxes import EXACT, Pictures
from safecity.geometry import iou

ALPHAS = np.arange(1, 20) * 0.05
"""Overlaps at which a box counts as right: 0.05, 0.10, … 0.95."""


@dataclass(frozen=True, eq=False)
class Hota:
    """HOTA at each of ALPHAS, and what it is made of: all (19,), 0 to 1."""

    hota: NDArray[np.float64]
    deta: NDArray[np.float64]
    """Detection accuracy."""
    assa: NDArray[np.float64]
    """Association accuracy."""


@dataclass(frozen=True, eq=False)
class _Sequence:
    """The same footage with rows and columns for ids."""

    rows: list[NDArray[np.int64]]
    """Of each picture, the place of each true box's id."""
    columns: list[NDArray[np.int64]]
    overlaps: list[NDArray[np.float64]]
    truths: NDArray[np.int64]
    """Boxes of each true id."""
    saids: NDArray[np.int64]


def hota(pictures: Pictures) -> Hota:
    """HOTA, DetA and AssA; their means over ALPHAS are what is reported."""
    sequence = _indexed(pictures)
    alignment = _alignment(sequence)
    matches = np.zeros((len(ALPHAS), *alignment.shape))
    for rows, columns, overlap in zip(sequence.rows, sequence.columns, sequence.overlaps, strict=True):
        chosen, partner = linear_sum_assignment(-(alignment[np.ix_(rows, columns)] * overlap))
        right = overlap[chosen, partner][None, :] >= ALPHAS[:, None] - EXACT
        matches[:, rows[chosen], columns[partner]] += right
    hits = matches.sum(axis=(1, 2))
    accuracy = matches / np.maximum(1, sequence.truths[:, None] + sequence.saids[None, :] - matches)
    assa = (matches * accuracy).sum(axis=(1, 2)) / np.maximum(1, hits)
    deta = hits / np.maximum(1, sequence.truths.sum() + sequence.saids.sum() - hits)
    return Hota(np.sqrt(deta * assa), deta, assa)


def _indexed(pictures: Pictures) -> _Sequence:
    true_ids = {identity: i for i, identity in enumerate(sorted({i for t, _ in pictures for i in t.ids}))}
    said_ids = {identity: i for i, identity in enumerate(sorted({i for _, s in pictures for i in s.ids}))}
    rows = [np.array([true_ids[i] for i in truth.ids], np.int64) for truth, _ in pictures]
    columns = [np.array([said_ids[i] for i in said.ids], np.int64) for _, said in pictures]
    return _Sequence(
        rows,
        columns,
        [iou(truth.xyxy, said.xyxy) for truth, said in pictures],
        np.bincount(np.concatenate([np.zeros(0, np.int64), *rows]), minlength=len(true_ids)),
        np.bincount(np.concatenate([np.zeros(0, np.int64), *columns]), minlength=len(said_ids)),
    )


def _alignment(sequence: _Sequence) -> NDArray[np.float64]:
    """(true ids, said ids): how well they go together over the whole footage, a soft Jaccard index."""
    together = np.zeros((len(sequence.truths), len(sequence.saids)))
    for rows, columns, overlap in zip(sequence.rows, sequence.columns, sequence.overlaps, strict=True):
        rivals = overlap.sum(axis=0)[None, :] + overlap.sum(axis=1)[:, None] - overlap
        together[np.ix_(rows, columns)] += np.divide(
            overlap, rivals, out=np.zeros_like(overlap), where=rivals > EXACT
        )
    return together / (sequence.truths[:, None] + sequence.saids[None, :] - together)
