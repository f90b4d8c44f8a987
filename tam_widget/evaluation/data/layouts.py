"""The three data sets that Token Activation Map was measured on, in the folders that its authors released.

Layouts, prompts and category names are those of github.com/xmed-lab/TAM, commit 7c7df1d. Where a label picture is
missing, that evaluation takes the whole picture for background; here the data set's notes say how many there were.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tam_widget.errors import DatasetError
from tam_widget.evaluation.data.samples import Dataset, LabelMasks, Sample, read_labels
from tam_widget.media.pictures import as_picture

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = [
    "COCO_CATEGORIES",
    "COCO_PROMPT",
    "GRANDF_PROMPT",
    "OPENPSG_PROMPT",
    "RELEASED_NAMES",
    "coco_captions",
    "grandf",
    "openpsg",
]

COCO_PROMPT = "Write a one-sentence caption for this image:"
GRANDF_PROMPT = "Write a description for this image using around two sentences:"
OPENPSG_PROMPT = "Write a description for this image using around three sentences:"

# fmt: off
COCO_CATEGORIES = {
    "person": 1, "bicycle": 2, "car": 3, "motorcycle": 4, "airplane": 5, "bus": 6, "train": 7, "truck": 8, "boat": 9,
    "traffic light": 10, "fire hydrant": 11, "stop sign": 13, "parking meter": 14, "bench": 15, "bird": 16, "cat": 17,
    "dog": 18, "horse": 19, "sheep": 20, "cow": 21, "elephant": 22, "bear": 23, "zebra": 24, "giraffe": 25,
    "backpack": 27, "umbrella": 28, "handbag": 31, "tie": 32, "suitcase": 33, "frisbee": 34, "skis": 35,
    "snowboard": 36, "sports ball": 37, "kite": 38, "baseball bat": 39, "baseball glove": 40, "skateboard": 41,
    "surfboard": 42, "tennis racket": 43, "bottle": 44, "wine glass": 46, "cup": 47, "fork": 48, "knife": 49,
    "spoon": 50, "bowl": 51, "banana": 52, "apple": 53, "sandwich": 54, "orange": 55, "broccoli": 56, "carrot": 57,
    "hot dog": 58, "pizza": 59, "donut": 60, "cake": 61, "chair": 62, "couch": 63, "potted plant": 64, "bed": 65,
    "dining table": 67, "toilet": 70, "tv": 72, "laptop": 73, "mouse": 74, "remote": 75, "keyboard": 76,
    "cell phone": 77, "microwave": 78, "oven": 79, "toaster": 80, "sink": 81, "refrigerator": 82, "book": 84,
    "clock": 85, "vase": 86, "scissors": 87, "teddy bear": 88, "hair drier": 89, "toothbrush": 90,
}
"""COCO's 80 categories and their ids, which leave gaps up to 90."""
# fmt: on

RELEASED_NAMES = {"sports ball": "ball", "wine glass": "glass"}
"""The categories that the released evaluation calls by another name than COCO does."""


@dataclass(frozen=True, slots=True)
class _Record:
    id: str
    picture: Path
    references: tuple[str, ...]
    labels: Path | None
    ids: Mapping[str, int]


class _LabelledPictures(Dataset):
    """Pictures with references and a label picture each, in files that are opened when a sample needs them."""

    def __init__(self, name: str, prompt: str, records: Sequence[_Record]) -> None:
        self.name, self.prompt = name, prompt
        if not records:
            raise DatasetError(f"{name} lists no picture")
        missing = [record.picture for record in records if not record.picture.is_file()]
        if missing:
            raise DatasetError(
                f"{name} lists {len(records)} pictures, of which {len(missing)} are missing; the first is {missing[0]}"
            )
        self._records = [
            record if record.labels is None or record.labels.is_file() else _without_labels(record)
            for record in records
        ]
        bare = sum(record.labels is None for record in self._records)
        if bare == len(records):
            raise DatasetError(f"{name} has no label picture at all; the first should be {records[0].labels}")
        if bare:
            self.notes = (f"{bare} of {len(records)} samples have no label picture: all of it counts as background",)

    def __len__(self) -> int:
        return len(self._records)

    def sample(self, index: int) -> Sample:
        record = self._records[index]
        load = partial(_background, record.picture) if record.labels is None else partial(read_labels, record.labels)
        picture = partial(as_picture, record.picture)
        return Sample(record.id, picture, self.prompt, record.references, LabelMasks(load, record.ids))


def coco_captions(
    root: str | os.PathLike[str], *, prompt: str = COCO_PROMPT, categories: Mapping[str, int] | None = None
) -> Dataset:
    """Open COCO Caption (the 5,000 pictures of minival2014) in the released layout.

    Parameters
    ----------
    root : path
        The folder with ``image/000000000042.jpg``, ``seg_label/000000000042.png`` (8 bits: 0, or a category's id),
        ``annotations/instances_minival2014.json`` (only ``images[].id`` is read) and
        ``annotations/captions_val2014.json``.
    prompt : str
    categories : mapping of str to int
        Names and ids; :data:`COCO_CATEGORIES` with :data:`RELEASED_NAMES` when left out.

    Raises
    ------
    DatasetError
        A file is missing or is not what it should be.
    """
    folder = _folder(root, ("image", "seg_label", "annotations"))
    if categories is None:
        categories = {RELEASED_NAMES.get(name, name): number for name, number in COCO_CATEGORIES.items()}
    listed = _json(folder / "annotations" / "instances_minival2014.json")
    said = _json(folder / "annotations" / "captions_val2014.json")
    captions: dict[int, list[str]] = defaultdict(list)
    try:
        for annotation in said["annotations"]:
            captions[int(annotation["image_id"])].append(str(annotation["caption"]))
        numbers = [int(image["id"]) for image in listed["images"]]
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(
            f"{folder / 'annotations'}: instances_minival2014.json needs images[].id, captions_val2014.json "
            f"annotations[].image_id and .caption; {error!r}"
        ) from error
    records = [
        _Record(
            f"{number:012d}",
            folder / "image" / f"{number:012d}.jpg",
            tuple(captions.get(number, ())),
            folder / "seg_label" / f"{number:012d}.png",
            categories,
        )
        for number in numbers
    ]
    return _LabelledPictures("COCO Caption", prompt, records)


def grandf(root: str | os.PathLike[str], *, prompt: str = GRANDF_PROMPT) -> Dataset:
    """Open GranDf in the released layout.

    Parameters
    ----------
    root : path
        The folder with ``anno.json``: a list of [picture, caption, label picture, {category: id}], paths relative to
        the folder, ids that hold for the one picture.
    prompt : str

    Raises
    ------
    DatasetError
        A file is missing or is not what it should be.
    """
    return _annotated("GranDf", root, prompt)


def openpsg(root: str | os.PathLike[str], *, prompt: str = OPENPSG_PROMPT) -> Dataset:
    """Open OpenPSG in the released layout, which is that of :func:`grandf`."""
    return _annotated("OpenPSG", root, prompt)


def _annotated(name: str, root: str | os.PathLike[str], prompt: str) -> Dataset:
    folder = _folder(root, ("anno.json",))
    entries = _json(folder / "anno.json")
    if not isinstance(entries, list):
        raise DatasetError(f"{folder / 'anno.json'} holds a {type(entries).__name__}, not a list")
    return _LabelledPictures(name, prompt, [_entry(folder, place, entry) for place, entry in enumerate(entries)])


def _entry(folder: Path, place: int, entry: Any) -> _Record:
    match entry:
        case [str() as picture, str() as caption, str() as labels, dict() as ids] if all(
            isinstance(number, int) for number in ids.values()
        ):
            positive = {name: number for name, number in ids.items() if number > 0}  # 0 is the background
            return _Record(picture, folder / picture, (caption,), folder / labels, positive)
    raise DatasetError(
        f"entry {place} of {folder / 'anno.json'} must be [picture, caption, label picture, {{category: id}}]; it is "
        f"{str(entry)[:200]}"
    )


def _folder(root: str | os.PathLike[str], needed: Sequence[str]) -> Path:
    folder = Path(root).expanduser()
    if not folder.is_dir():
        raise DatasetError(f"there is no folder {str(folder)!r} (looked in {Path.cwd()})")
    missing = [name for name in needed if not (folder / name).exists()]
    if missing:
        found = sorted(path.name for path in folder.iterdir())[:10]
        raise DatasetError(f"{folder} needs {', '.join(needed)}; it has {', '.join(found) or 'nothing'}")
    return folder


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"cannot read {path}: {error}") from error


def _without_labels(record: _Record) -> _Record:
    return _Record(record.id, record.picture, record.references, None, record.ids)


def _background(picture: Path) -> NDArray[np.uint8]:
    image = as_picture(picture)
    return np.zeros((image.height, image.width), np.uint8)
