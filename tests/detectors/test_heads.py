"""The heads against a slow reading of the layout, one cell and one side at a time."""

import numpy as np
import pytest

from detectors.heads import end_to_end, nanodet, nanodet_plus, ssd, yolo
from safecity.plugins import load_plugin, plugin_names

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
def test_nanodet_reads_every_cell_as_the_layout_says(size):
    outputs = random_outputs(size, seed=size[0])
    found = nanodet.decode(outputs, size, 0.3)
    rows = np.column_stack([found.xyxy, found.confidence, found.class_id])
    expected = np.array(read_slowly(outputs, size, 0.3))
    assert len(rows) == len(expected) > 5
    order = np.lexsort(np.round(rows, 3).T)
    np.testing.assert_allclose(rows[order], expected[np.lexsort(np.round(expected, 3).T)], atol=2e-3)


def test_nanodet_sees_nothing_where_nothing_is():
    assert len(nanodet.decode(random_outputs((64, 64), 2, score=0.0), (64, 64), 0.1)) == 0


def test_end_to_end_takes_the_rows_as_they_are():
    rows = np.array([[[1, 2, 3, 4, 0.9, 2], [5, 6, 7, 8, 0.05, 0]]], np.float32)
    found = end_to_end.decode([rows], (64, 64), 0.1)
    assert found.xyxy.tolist() == [[1, 2, 3, 4]]
    assert found.class_id.tolist() == [2]
    assert found.confidence.tolist() == pytest.approx([0.9])


def sorted_rows(found):
    rows = np.column_stack([found.xyxy, found.confidence, found.class_id])
    return rows[np.lexsort(np.round(rows, 3).T)]


def sorted_expected(rows):
    expected = np.array(rows)
    return expected[np.lexsort(np.round(expected, 3).T)]


def test_yolo_takes_each_columns_best_class():
    generator = np.random.default_rng(3)
    output = np.zeros((1, 4 + CLASSES, 84), np.float32)
    output[0, :4] = generator.uniform(5, 60, (4, 84))
    output[0, 4:] = generator.random((CLASSES, 84)) ** 4
    expected = []
    for column in range(84):
        x, y, w, h, *scores = output[0, :, column].tolist()
        if max(scores) >= 0.3:
            box = (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
            expected.append((*box, max(scores), scores.index(max(scores))))
    found = yolo.decode([output], (64, 64), 0.3)
    assert len(found) == len(expected) > 5
    np.testing.assert_allclose(sorted_rows(found), sorted_expected(expected), atol=1e-4)


def test_ssd_takes_every_class_of_an_anchor_and_turns_its_box():
    boxes = np.array([[[[0.1, 0.2, 0.5, 0.4]], [[0.0, 0.0, 1.0, 1.0]]]], np.float32)
    scores = np.array([[[0.9, 0.0, 0.4], [0.0, 0.05, 0.0]]], np.float32)
    found = ssd.decode([boxes, scores], (300, 200), 0.3)
    assert found.class_id.tolist() == [0, 2]
    np.testing.assert_allclose(found.xyxy, [[60, 20, 120, 100]] * 2, rtol=1e-6)
    np.testing.assert_allclose(found.confidence, [0.9, 0.4])


@pytest.mark.parametrize("size", [(96, 64), (128, 128), (72, 104)])
def test_nanodet_plus_reads_every_cell_as_the_layout_says(size):
    generator = np.random.default_rng(size[0])
    corners = [
        (x * stride, y * stride, stride)
        for stride in (8, 16, 32, 64)
        for y in range(-(-size[1] // stride))
        for x in range(-(-size[0] // stride))
    ]
    output = generator.normal(0, 2, (1, len(corners), CLASSES + 32)).astype(np.float32)
    output[0, :, :CLASSES] = generator.random((len(corners), CLASSES)) ** 8
    expected = []
    for (x, y, stride), row in zip(corners, output[0].astype(np.float64), strict=True):
        sides = []
        for side in range(4):
            share = np.exp(row[CLASSES + 8 * side : CLASSES + 8 * side + 8])
            sides.append(stride * (share * np.arange(8)).sum() / share.sum())
        box = (x - sides[0], y - sides[1], x + sides[2], y + sides[3])
        expected += [(*box, row[k], k) for k in range(CLASSES) if row[k] >= 0.3]
    found = nanodet_plus.decode([output], size, 0.3)
    assert len(found) == len(expected) > 5
    np.testing.assert_allclose(sorted_rows(found), sorted_expected(expected), atol=2e-3)


SHAPES = {
    "end_to_end": [(1, 300, 6)],
    "nanodet": [(1, 2704, 80), (1, 676, 80), (1, 169, 80), (1, 2704, 44), (1, 676, 44), (1, 169, 44)],
    "nanodet_plus": [(1, 3598, 112)],
    "ssd": [(1, 1917, 1, 4), (1, 1917, 90)],
    "yolo": [(1, 84, 3549)],
}
CLASSES_OF = {"end_to_end": None, "nanodet": 80, "nanodet_plus": 80, "ssd": 90, "yolo": 80}


@pytest.mark.parametrize("name", plugin_names("detectors.heads"))
def test_a_head_knows_its_own_layout_and_no_other(name):
    head = load_plugin("detectors.heads", name)
    for other, shapes in SHAPES.items():
        assert head.recognises(shapes, (416, 416)) == (other == name), other
    outputs = [np.zeros(shape, np.float32) for shape in SHAPES[name]]
    assert head.classes(outputs) == CLASSES_OF[name]
    assert len(head.decode(outputs, (416, 416), 0.1)) == 0
