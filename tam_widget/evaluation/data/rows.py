"""The rows of a table as a data set."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from tam_widget.errors import DatasetError
from tam_widget.evaluation.data.samples import PROMPT, Dataset, LabelMasks, Sample, read_labels
from tam_widget.media.pictures import as_picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["from_rows"]


def from_rows(
    rows: Any,
    *,
    image: str = "image",
    references: str | None = None,
    mask: str | None = None,
    categories: str | Mapping[str, int] | None = None,
    id: str | None = None,  # noqa: A002 (as the columns are often called)
    prompt: str = PROMPT,
    name: str = "rows",
) -> Dataset:
    """Make a data set of the rows of a table, such as a ``datasets.Dataset`` of Hugging Face.

    Parameters
    ----------
    rows : sequence of mappings
        Anything with a length whose items, by number, map a column's name to its value.
    image : str
        The column of pictures: images, paths, arrays, or mappings with ``"bytes"`` or ``"path"``.
    references : str, optional
        The column of right captions: a text, or several.
    mask : str, optional
        The column of label pictures, whose pixels hold categories' ids.
    categories : str or mapping of str to int
        Names and ids of the labels; or the column that holds such a mapping for each row.
    id : str, optional
        The column of names; rows are numbered when left out.
    prompt : str
    name : str
        What a report calls the data set.

    Raises
    ------
    DatasetError
        There are no rows, a column is missing, or there are masks without categories or the reverse.
    """
    if not len(rows):
        raise DatasetError(f"{name} has no rows")
    if (mask is None) != (categories is None):
        raise DatasetError("label pictures need categories, and categories label pictures: give both or neither")
    columns = getattr(rows, "column_names", None) or list(rows[0])
    missing = [one for one in (image, references, mask, categories, id) if isinstance(one, str) and one not in columns]
    if missing:
        raise DatasetError(f"{name} has no column {missing[0]!r}; it has {', '.join(map(str, columns))}")
    return _Rows(rows, _Columns(image, references, mask, categories, id), prompt, name)


@dataclass(frozen=True)
class _Columns:
    image: str
    references: str | None
    mask: str | None
    categories: str | Mapping[str, int] | None
    id: str | None


class _Rows(Dataset):
    def __init__(self, rows: Any, columns: _Columns, prompt: str, name: str) -> None:
        self.name = name
        self._rows, self._columns, self._prompt = rows, columns, prompt

    def __len__(self) -> int:
        return len(self._rows)

    def sample(self, index: int) -> Sample:
        row, columns = self._rows[index], self._columns
        said = row[columns.references] if columns.references else None
        references = (said,) if isinstance(said, str) else tuple(map(str, said or ()))
        masks: Mapping[str, NDArray[np.bool_]] = {}
        if columns.mask is not None:
            ids = row[columns.categories] if isinstance(columns.categories, str) else columns.categories
            # A table whose rows share one set of keys holds None for those that a row lacks.
            ids = {name: number for name, number in (ids or {}).items() if number is not None}
            masks = LabelMasks(partial(_labels, row[columns.mask]), ids)
        name = str(row[columns.id]) if columns.id else str(index)
        return Sample(name, partial(_picture, row[columns.image]), self._prompt, references, masks)


def _file(value: Any) -> Any:
    """Return what a column of undecoded files holds as something that Pillow opens."""
    if isinstance(value, Mapping):
        return io.BytesIO(value["bytes"]) if value.get("bytes") is not None else value.get("path")
    return value


def _picture(value: Any) -> Image.Image:
    return as_picture(_file(value))


def _labels(value: Any) -> NDArray[np.integer]:
    return read_labels(
        np.asarray(value) if isinstance(value, Sequence) and not isinstance(value, str) else _file(value)
    )
