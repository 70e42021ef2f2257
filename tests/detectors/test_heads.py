"""The heads against a slow reading of the layout, one cell and one side at a time."""

import numpy as np
import pytest

from detectors.heads import end_to_end, nanodet

CLASSES, BINS = 3, 11


def random_outputs(size, seed, score=0.02):
    generator = np.random.default_rng(seed)
    cells = [(size[0] // stride) * (size[1] // stride) for stride in nanodet.STRIDES]
    scores = [np.zeros((1, n, CLASSES), np.float32) for n in cells]
    for level in scores:
        chosen = generator.random(level.shape) < score
        level[chosen] = generator.uniform(0.1, 0.99, chosen.sum())
    distances = [generator.normal(0, 2, (1, n, 4 * BINS)).astype(np.float32) for n in cells]
    return [*scores, *distances]


def read_slowly(outputs, size, floor):
    """All boxes before suppression: (x1, y1, x2, y2, confidence, class)."""
    found = []
    for level, stride in enumerate(nanodet.STRIDES):
        columns = size[0] // stride
        for cell in range(outputs[level].shape[1]):
            row, column = divmod(cell, columns)
            for class_id in range(CLASSES):
                confidence = outputs[level][0, cell, class_id]
                if confidence < floor:
                    continue
                sides = []
                for side in range(4):
                    logits = outputs[level + 3][0, cell, side * BINS : (side + 1) * BINS].astype(np.float64)
                    share = np.exp(logits) / np.exp(logits).sum()
                    sides.append(sum(k * share[k] for k in range(BINS)) * stride)
                x, y = (column + 0.5) * stride, (row + 0.5) * stride
                box = (x - sides[0], y - sides[1], x + sides[2], y + sides[3])
                found.append((*box, confidence, class_id))
    return found


@pytest.mark.parametrize("size", [(96, 64), (64, 96), (128, 128)])
def test_nanodet_reads_every_cell_as_the_layout_says(size, monkeypatch):
    monkeypatch.setattr(nanodet, "IOU", 1.1)
    outputs = random_outputs(size, seed=size[0])
    found = nanodet.decode(outputs, size, 0.3)
    rows = np.column_stack([found.xyxy, found.confidence, found.class_id])
    expected = np.array(read_slowly(outputs, size, 0.3))
    assert len(rows) == len(expected) > 5
    order = np.lexsort(np.round(rows, 3).T)
    np.testing.assert_allclose(rows[order], expected[np.lexsort(np.round(expected, 3).T)], atol=2e-3)


def test_nanodet_keeps_one_of_boxes_that_lie_on_each_other():
    outputs = random_outputs((64, 64), seed=1, score=0.0)
    outputs[0][0, 9:11, 0] = 0.9, 0.8
    outputs[3][0, 9:11] = 0.0
    outputs[3][0, :, BINS - 1 :: BINS] = 9.0
    found = nanodet.decode(outputs, (64, 64), 0.3)
    assert found.confidence.tolist() == pytest.approx([0.9])


def test_nanodet_sees_nothing_where_nothing_is():
    assert len(nanodet.decode(random_outputs((64, 64), 2, score=0.0), (64, 64), 0.1)) == 0


def test_end_to_end_takes_the_rows_as_they_are():
    rows = np.array([[[1, 2, 3, 4, 0.9, 2], [5, 6, 7, 8, 0.05, 0]]], np.float32)
    found = end_to_end.decode([rows], (64, 64), 0.1)
    assert found.xyxy.tolist() == [[1, 2, 3, 4]]
    assert found.class_id.tolist() == [2]
    assert found.confidence.tolist() == pytest.approx([0.9])
