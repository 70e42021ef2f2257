"""YOLO's format: a picture ``images/NAME.jpg`` has its objects in ``labels/NAME.txt``, one a line.

A line is ``class cx cy width height``, or ``class x1 y1 x2 y2 x3 y3 …`` of an outline, in shares of the
picture. A picture without a file has no objects. Class names are in a data.yaml, in a classes.txt, or the
model's own.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.evaluation.labelled import Dataset, LabelledPicture

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
WANTED = "class cx cy width height"
SLACK = 1e-3
"""What was rounded may lie so much outside the picture."""


def is_yolo(path: Path) -> bool:
    """Whether ``path`` looks like a dataset in this format."""
    if path.suffix in (".yaml", ".yml"):
        return path.is_file()
    return (path / "labels").is_dir() or any((path / name).is_file() for name in ("data.yaml", "data.yml"))


def read_yolo(path: Path, model_labels: Sequence[str]) -> Dataset:
    """The dataset at ``path``, a data.yaml or a folder; of one with parts the part ``val``.

    Raises:
        ValueError: something in it is wrong.
        OSError: it cannot be read.
    """
    names, folders = _plan(path, model_labels)
    files = sorted(f for folder in folders for f in folder.rglob("*") if f.suffix.lower() in PICTURES)
    if not files:
        raise ValueError(f"{', '.join(map(str, folders))}: no pictures")
    labels = [_labels_of(file) for file in files]
    if not any(label.is_file() for label in labels):
        raise ValueError(f"{path}: none of the {len(files)} pictures has labels; want e.g. {labels[0]}")
    pictures = [_picture(file, label, names) for file, label in zip(files, labels, strict=True)]
    return Dataset("yolo", tuple(names[key] for key in sorted(names)), tuple(pictures))


def _plan(path: Path, model_labels: Sequence[str]) -> tuple[dict[int, str], list[Path]]:
    """Class names by number, and the folders with the pictures."""
    if path.is_file():
        return _read_yaml(path)
    for name in ("data.yaml", "data.yml"):
        if (path / name).is_file():
            return _read_yaml(path / name)
    images = path / "images"
    if not images.is_dir():
        raise ValueError(f"{path} has labels/ but no images/")
    listed = next((p for p in (path / "classes.txt", path / "labels" / "classes.txt") if p.is_file()), None)
    names = listed.read_text(encoding="utf-8").split("\n") if listed else model_labels
    return {number: name.strip() for number, name in enumerate(names) if name.strip()}, [images]


def _read_yaml(path: Path) -> tuple[dict[int, str], list[Path]]:
    import yaml

    try:
        document: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not YAML: {error}") from None
    if not isinstance(document, dict):
        raise ValueError(f"{path}: want names: and val: (or train:)")
    names: Any = document.get("names")
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not names or not all(isinstance(key, int) for key in names):
        raise ValueError(f"{path}: names: want a list of class names, or names by number")
    part: Any = document.get("val") or document.get("train") or "images"
    root = path.parent / str(document.get("path") or ".")
    folders = [_folder(path, root, str(own)) for own in (part if isinstance(part, list) else [part])]
    return {number: str(name) for number, name in names.items()}, folders


def _folder(path: Path, root: Path, part: str) -> Path:
    """A part's folder; ``path:`` often names the place where somebody else had the dataset."""
    for folder in (root / part, path.parent / part, path.parent / part.removeprefix("../")):
        if folder.is_dir():
            return folder
    raise ValueError(f"{path}: {root / part} is no folder with pictures")


def _labels_of(picture: Path) -> Path:
    """``…/images/a/b.jpg`` has its labels in ``…/labels/a/b.txt``."""
    parts = list(picture.with_suffix(".txt").parts)
    for index in range(len(parts) - 2, -1, -1):
        if parts[index] == "images":
            parts[index] = "labels"
            break
    return Path(*parts)


def _picture(file: Path, labels: Path, names: dict[int, str]) -> LabelledPicture:
    lines = labels.read_text(encoding="utf-8").splitlines() if labels.is_file() else []
    objects = [
        _parse(line, f"{labels}:{number}", names) for number, line in enumerate(lines, 1) if line.strip()
    ]
    boxes = np.array([box for _, box in objects], np.float64).reshape(-1, 4)
    own = tuple(label for label, _ in objects)
    return LabelledPicture(file, own, boxes, np.zeros(len(objects), bool), relative=True)


def _parse(line: str, where: str, names: dict[int, str]) -> tuple[str, NDArray[np.float64]]:
    """Label and box, x1 y1 x2 y2 in shares of the picture."""
    try:
        number, *rest = line.split()
        class_id, shares = int(float(number)), np.array([float(field) for field in rest])
    except ValueError:
        raise ValueError(f"{where}: want {WANTED}: {line[:80]!r}") from None
    if len(shares) != 4 and (len(shares) < 6 or len(shares) % 2):
        raise ValueError(f"{where}: want {WANTED}, or an outline of three points or more: {line[:80]!r}")
    if class_id not in names:
        raise ValueError(f"{where}: there is no class {class_id}; there are {min(names)} to {max(names)}")
    if not ((shares >= -SLACK) & (shares <= 1 + SLACK)).all():
        raise ValueError(f"{where}: want shares of the picture, 0 to 1: {line[:80]!r}")
    if len(shares) == 4:
        centre, half = shares[:2], shares[2:] / 2
        return names[class_id], np.concatenate([centre - half, centre + half])
    points = shares.reshape(-1, 2)
    return names[class_id], np.concatenate([points.min(axis=0), points.max(axis=0)])
