"""Labelled pictures on disk, in COCO's or in YOLO's format."""

from collections.abc import Sequence
from pathlib import Path

from detectors.evaluation.coco import find_annotations, read_coco
from detectors.evaluation.labelled import Dataset
from detectors.evaluation.yolo import is_yolo, read_yolo


def read_dataset(path: Path, model_labels: Sequence[str], images: Path | None = None) -> Dataset:
    """The dataset at ``path``: COCO's annotations (.json), a data.yaml, or a folder with one of them.

    Args:
        path: the file or folder.
        model_labels: names of the class numbers of YOLO labels that come without names.
        images: COCO: the folder with the pictures, where it is not beside the annotations.

    Raises:
        ValueError: there is no such dataset, or something in it is wrong; the file and line are named.
        OSError: a file cannot be read.
    """
    if is_yolo(path):
        return read_yolo(path, model_labels)
    if path.suffix == ".json" and path.is_file():
        return read_coco(path, images)
    if path.is_dir():
        return read_coco(find_annotations(path), images)
    if not path.exists():
        raise ValueError(f"{path} is not there")
    raise ValueError(
        f"{path} is no dataset: want COCO's annotations (.json), a data.yaml or a folder with one of them, "
        "or a folder with images/ and labels/; for a video give --truth MOT.txt"
    )
