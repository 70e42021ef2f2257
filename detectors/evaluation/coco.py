"""COCO's annotations, https://cocodataset.org/#format-data: one JSON file, and a folder of pictures."""

from collections import defaultdict
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from detectors.evaluation.labelled import Dataset, LabelledPicture

Size = Annotated[float, Field(ge=0)]


class _Image(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: int
    file_name: str = Field(min_length=1)


class _Category(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: int
    name: str = Field(min_length=1)


class _Annotation(BaseModel):
    model_config = ConfigDict(frozen=True)

    image_id: int
    category_id: int
    bbox: tuple[float, float, Size, Size]
    """Left, top, width, height in pixels."""
    area: Size | None = None
    iscrowd: bool = False
    ignore: bool = False


class _Annotations(BaseModel):
    model_config = ConfigDict(frozen=True)

    images: list[_Image] = Field(min_length=1)
    categories: list[_Category] = Field(min_length=1)
    annotations: list[_Annotation]


def find_annotations(folder: Path) -> Path:
    """The only annotations in a folder or in its ``annotations``.

    Raises:
        ValueError: there are none or several.
    """
    found = sorted(folder.glob("annotations/*.json")) or sorted(folder.glob("*.json"))
    if not found:
        raise ValueError(
            f"{folder} is no dataset: want COCO's annotations (*.json or annotations/*.json), a data.yaml, "
            "or images/ and labels/"
        )
    if len(found) > 1:
        raise ValueError(f"{folder} has several annotations; give one of them: {', '.join(map(str, found))}")
    return found[0]


def read_coco(path: Path, images: Path | None) -> Dataset:
    """The dataset whose annotations are ``path``.

    Raises:
        ValueError: something in it is wrong, or a picture is not there.
        OSError: it cannot be read.
    """
    document = _parse(path)
    names = {category.id: category.name for category in document.categories}
    objects: dict[int, list[_Annotation]] = defaultdict(list)
    known = {image.id for image in document.images}
    for index, annotation in enumerate(document.annotations):
        where = f"{path}: annotations[{index}]"
        if annotation.image_id not in known:
            raise ValueError(f"{where}.image_id: there is no image {annotation.image_id}")
        if annotation.category_id not in names:
            raise ValueError(f"{where}.category_id: there is no category {annotation.category_id}")
        objects[annotation.image_id].append(annotation)
    folder = images or _folder(path, document.images[0].file_name)
    pictures = []
    for index, image in enumerate(document.images):
        file = folder / image.file_name
        if not file.is_file():
            raise ValueError(
                f"{path}: images[{index}].file_name: {file} is not there; "
                "if the pictures are elsewhere, give their folder: --images FOLDER"
            )
        pictures.append(_picture(file, objects[image.id], names))
    return Dataset("coco", tuple(names.values()), tuple(pictures))


def _parse(path: Path) -> _Annotations:
    try:
        return _Annotations.model_validate_json(path.read_bytes())
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ""
        for part in problem["loc"]:
            place += f"[{part}]" if isinstance(part, int) else f"{'.' if place else ''}{part}"
        raise ValueError(f"{path}: {place + ': ' if place else ''}{problem['msg']}") from None


def _folder(path: Path, first: str) -> Path:
    """Where the pictures are: beside the annotations, or where COCO's own archives put them."""
    above, split = path.parent.parent, path.stem.rpartition("_")[2]
    places = (
        path.parent,
        path.parent / "images",
        above,
        above / "images",
        above / split,
        above / "images" / split,
    )
    return next((place for place in places if (place / first).is_file()), path.parent)


def _picture(file: Path, objects: list[_Annotation], names: dict[int, str]) -> LabelledPicture:
    boxes = np.array([o.bbox for o in objects], np.float64).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return LabelledPicture(
        file,
        tuple(names[o.category_id] for o in objects),
        boxes,
        np.array([o.iscrowd or o.ignore for o in objects], bool),
        np.array([o.bbox[2] * o.bbox[3] if o.area is None else o.area for o in objects], np.float64),
    )
