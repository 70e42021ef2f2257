import json

import cv2
import numpy as np
import pytest

from detectors.evaluation.datasets import read_dataset

MODEL = ("person", "bicycle", "car")


def draw(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.zeros((100, 200, 3), np.uint8))


def yolo(folder, lines, names=None):
    draw(folder / "images" / "a.jpg")
    draw(folder / "images" / "b.jpg")
    (folder / "labels").mkdir()
    (folder / "labels" / "a.txt").write_text(lines)
    if names is not None:
        (folder / "data.yaml").write_text(f"train: images\nval: images\nnames: {names}\n")
    return folder


def coco(folder, **changes):
    draw(folder / "images" / "a.jpg")
    document = {
        "images": [{"id": 7, "file_name": "a.jpg", "width": 200, "height": 100}],
        "categories": [{"id": 1, "name": "person"}, {"id": 9, "name": "kite"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 1, "bbox": [10, 20, 30, 40], "area": 900, "iscrowd": 0},
            {"id": 2, "image_id": 7, "category_id": 1, "bbox": [50, 0, 100, 90], "iscrowd": 1},
            {"id": 3, "image_id": 7, "category_id": 9, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0},
        ],
    }
    (folder / "annotations").mkdir()
    path = folder / "annotations" / "instances_val.json"
    path.write_text(json.dumps(document | changes))
    return path


def test_yolo_labels_without_names_have_the_models_names(tmp_path):
    dataset = read_dataset(yolo(tmp_path, "2 0.5 0.5 0.2 0.4\n0 0.1 0.1 0.1 0.1\n"), MODEL)
    assert (dataset.kind, dataset.labels, len(dataset.pictures)) == ("yolo", MODEL, 2)
    a, b = dataset.pictures
    np.testing.assert_allclose(a.truth("car", 200, 100).xyxy, [[80, 30, 120, 70]])
    np.testing.assert_allclose(a.truth("car", 200, 100).area, [1600])
    assert len(a.truth("person", 200, 100).xyxy) == 1
    assert len(b.truth("person", 200, 100).xyxy) == 0, "a picture without labels has no objects"


@pytest.mark.parametrize("names", ["[van, lorry]", "{0: van, 1: lorry}"])
def test_names_come_from_data_yaml(tmp_path, names):
    folder = yolo(tmp_path, "1 0.5 0.5 0.2 0.4\n", names)
    for path in (folder, folder / "data.yaml"):
        dataset = read_dataset(path, MODEL)
        assert dataset.labels == ("van", "lorry")
        assert dataset.pictures[0].labels == ("lorry",)


def test_an_outline_is_taken_for_its_box(tmp_path):
    dataset = read_dataset(yolo(tmp_path, "0 0.1 0.2 0.5 0.3 0.2 0.9\n"), MODEL)
    np.testing.assert_allclose(dataset.pictures[0].truth("person", 100, 100).xyxy, [[10, 20, 50, 90]])


def test_coco_has_outlines_crowds_and_classes_that_the_model_does_not_know(tmp_path):
    path = coco(tmp_path)
    for given in (path, tmp_path):
        dataset = read_dataset(given, MODEL)
        assert (dataset.kind, dataset.labels) == ("coco", ("person", "kite"))
        truth = dataset.pictures[0].truth("person", 200, 100)
        assert truth.xyxy.tolist() == [[10, 20, 40, 60], [50, 0, 150, 90]]
        assert truth.area.tolist() == [900, 9000]
        assert truth.crowd.tolist() == [False, True]


def test_coco_pictures_may_be_elsewhere(tmp_path):
    path = coco(tmp_path / "one")
    (tmp_path / "one" / "images").rename(tmp_path / "pictures")
    with pytest.raises(
        ValueError, match=r"images\[0\]\.file_name: .*a\.jpg is not there; .* --images FOLDER"
    ):
        read_dataset(path, MODEL)
    assert read_dataset(path, MODEL, tmp_path / "pictures").pictures[0].path.is_file()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("0 0.5 0.5 0.1 0.1\nnobody\n", r"labels/a\.txt:2: want class cx cy width height: 'nobody'"),
        ("0 0.5 0.5 0.1\n", r"labels/a\.txt:1: want class cx cy width height, or an outline"),
        ("0 50 50 10 10\n", r"labels/a\.txt:1: want shares of the picture, 0 to 1"),
        ("0 nan 0.5 0.1 0.1\n", r"labels/a\.txt:1: want shares"),
        ("7 0.5 0.5 0.1 0.1\n", r"labels/a\.txt:1: there is no class 7; there are 0 to 2"),
    ],
)
def test_a_wrong_yolo_label_is_named_with_its_line(tmp_path, lines, message):
    with pytest.raises(ValueError, match=message):
        read_dataset(yolo(tmp_path, lines), MODEL)


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("names: [a\n", r"data\.yaml: not YAML: .*line 2"),
        ("val: images\n", r"data\.yaml: names: want a list of class names"),
        ("names: [a]\nval: elsewhere\n", r"data\.yaml: .*elsewhere is no folder with pictures"),
        ("just text\n", r"data\.yaml: want names: and val:"),
    ],
)
def test_a_wrong_data_yaml_is_named(tmp_path, yaml, message):
    folder = yolo(tmp_path, "0 0.5 0.5 0.1 0.1\n")
    (folder / "data.yaml").write_text(yaml)
    with pytest.raises(ValueError, match=f"(?s){message}"):
        read_dataset(folder, MODEL)


BOX = {"id": 1, "image_id": 7, "category_id": 1, "bbox": [1, 2, 3, 4]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"annotations": [BOX, BOX | {"image_id": 8}]}, r"annotations\[1\]\.image_id: there is no image 8"),
        (
            {"annotations": [BOX | {"category_id": 3}]},
            r"annotations\[0\]\.category_id: there is no category 3",
        ),
        ({"annotations": [BOX | {"bbox": [1, 2, 3]}]}, r"annotations\[0\]\.bbox"),
        ({"annotations": [BOX | {"bbox": [1, 2, -3, 4]}]}, r"annotations\[0\]\.bbox\[2\]: .* greater than"),
        ({"images": []}, r"images: .* at least 1 item"),
    ],
)
def test_wrong_coco_annotations_are_named_with_their_place(tmp_path, changes, message):
    with pytest.raises(ValueError, match=rf"instances_val\.json: {message}"):
        read_dataset(coco(tmp_path, **changes), MODEL)


def test_what_is_no_json_is_named_with_its_line(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"images": [\n  {"id": 1,, }\n')
    with pytest.raises(ValueError, match=r"a\.json: Invalid JSON: .* line 2"):
        read_dataset(path, MODEL)


def test_what_is_no_dataset_is_said_to_be_none(tmp_path):
    with pytest.raises(ValueError, match="is no dataset: want COCO's annotations"):
        read_dataset(tmp_path, MODEL)
    with pytest.raises(ValueError, match="is not there"):
        read_dataset(tmp_path / "none", MODEL)
    video = tmp_path / "a.mp4"
    video.write_bytes(b"")
    with pytest.raises(ValueError, match=r"for a video give --truth MOT\.txt"):
        read_dataset(video, MODEL)
    (tmp_path / "labels").mkdir()
    with pytest.raises(ValueError, match="has labels/ but no images/"):
        read_dataset(tmp_path, MODEL)
    draw(tmp_path / "images" / "a.jpg")
    with pytest.raises(ValueError, match="none of the 1 pictures has labels"):
        read_dataset(tmp_path, MODEL)


def test_two_annotations_in_a_folder_are_one_too_many(tmp_path):
    path = coco(tmp_path)
    path.with_name("instances_train.json").write_bytes(path.read_bytes())
    with pytest.raises(ValueError, match="has several annotations; give one of them"):
        read_dataset(tmp_path, MODEL)
