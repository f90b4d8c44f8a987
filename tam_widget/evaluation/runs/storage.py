"""Rows of a run on disk: one small Parquet file a sample, and all of them joined into one.

A file appears under its name only when it is whole, so a run that is stopped at any moment leaves nothing half done.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tam_widget.evaluation.files import partial_path, write_whole
from tam_widget.evaluation.needed import needed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "FAITHFULNESS_FIELDS",
    "REGION_FIELDS",
    "ROW_FIELDS",
    "WORD_FIELDS",
    "RowStore",
    "row_bytes",
    "row_from",
]

# Names and types of Arrow.
WORD_FIELDS = {
    "method": "string",
    "sample": "string",
    "word": "int64",
    "text": "string",
    "kind": "string",
    "category": "string",
    "token": "int64",
    "threshold": "float64",
    "object_iou": "float64",
    "precision": "float64",
    "recall": "float64",
    "energy": "float64",
    "pointing": "bool_",
    "function_iou": "float64",
    "zero": "bool_",
    "cells": "float64",
    "shared": "float64",
}
FAITHFULNESS_FIELDS = {
    "method": "string",
    "word": "int64",
    "token": "int64",
    "text": "string",
    "deletion": "float64",
    "insertion": "float64",
    "random": "float64",
    "gain": "float64",
    "shares": "list",
    "deletion_curve": "list",
    "insertion_curve": "list",
    "random_curve": "list",
}
REGION_FIELDS = {
    "word": "int64",
    "token": "int64",
    "text": "string",
    "category": "string",
    "gain": "float64",
    "object_cells": "int64",
    "object_fall": "float64",
    "object_mean_fall": "float64",
    "object_shares": "list",
    "object_curve": "list",
    "background_cells": "int64",
    "background_fall": "float64",
    "background_mean_fall": "float64",
    "background_shares": "list",
    "background_curve": "list",
}
ROW_FIELDS = {
    "index": "int64",
    "sample": "string",
    "answer": "string",
    "error": "string",
    "rouge_l": "float64",
    "meteor": "float64",
    "missing": "string",
    "source": "string",
    "matching": "string",
    "words": WORD_FIELDS,
    "faithfulness": FAITHFULNESS_FIELDS,
    "regions": REGION_FIELDS,  # None in rows that were written before there were any
}

_TOGETHER = 256  # rows in one group of the joined file: what is held in memory at once


class RowStore:
    """The rows of one run in a folder.

    Parameters
    ----------
    folder : path
        Rows lie in its ``rows/``, the joined file is its ``samples.parquet``.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self.joined = self.folder / "samples.parquet"
        self._rows = self.folder / "rows"

    def path(self, index: int) -> Path:
        """Return where a sample's row lies."""
        return self._rows / f"{index:07d}.parquet"

    def done(self) -> list[int]:
        """Return the indices of the samples whose rows are there and can be read, in order."""
        return [int(path.stem) for path in sorted(self._rows.glob("*.parquet")) if _is_whole(path)]

    def write(self, index: int, data: bytes) -> None:
        """Write a sample's row, as :func:`row_bytes` gave it."""
        self.joined.unlink(missing_ok=True)  # it would lack this row
        write_whole(self.path(index), data)

    def join(self, count: int) -> Path:
        """Write the rows of the first `count` samples into one file, in order, and return its path."""
        parquet = _parquet()
        partial = partial_path(self.joined)
        with parquet.ParquetWriter(partial, _schema(), compression="zstd") as writer:
            for rows in _groups(self._small(count), _TOGETHER):
                writer.write_table(_table(rows))
        partial.replace(self.joined)
        return self.joined

    def rows(self, count: int) -> Iterator[dict[str, Any]]:
        """Read the rows of the first `count` samples, in order, from the joined file where it is there."""
        if not self.joined.is_file():
            yield from self._small(count)
            return
        with _parquet().ParquetFile(self.joined) as file:
            for batch in file.iter_batches(_TOGETHER):
                yield from (row for row in batch.to_pylist() if row["index"] < count)

    def _small(self, count: int) -> Iterator[dict[str, Any]]:
        for index in self.done():
            if index < count:
                yield row_from(self.path(index).read_bytes())


def row_bytes(row: Mapping[str, Any]) -> bytes:
    """Return a row as a Parquet file's bytes; the same row gives the same bytes."""
    sink = _arrow().BufferOutputStream()
    _parquet().write_table(_table([row]), sink, compression="zstd")
    return bytes(sink.getvalue().to_pybytes())


def row_from(data: bytes) -> dict[str, Any]:
    """Return the row of :func:`row_bytes`."""
    (row,) = _parquet().ParquetFile(_arrow().BufferReader(data)).read().to_pylist()
    return dict(row)


def _is_whole(path: Path) -> bool:
    try:
        return bool(_parquet().read_metadata(path).num_rows == 1)
    except (OSError, _arrow().ArrowInvalid):
        return False


def _groups(rows: Iterator[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    for row in rows:
        group.append(row)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def _arrow() -> Any:
    return needed("pyarrow", "keeping a run's rows", "eval")


def _parquet() -> Any:
    return needed("pyarrow.parquet", "keeping a run's rows", "eval")


def _table(rows: list[Any]) -> Any:
    return _arrow().Table.from_pylist(rows, schema=_schema())


def _schema() -> Any:
    return _arrow().schema(list(_types(ROW_FIELDS).items()))


def _types(fields: Mapping[str, Any]) -> dict[str, Any]:
    pa = _arrow()

    def type_of(kind: Any) -> Any:
        if isinstance(kind, str):
            return pa.list_(pa.float64()) if kind == "list" else getattr(pa, kind)()
        return pa.list_(pa.struct(list(_types(kind).items())))

    return {name: type_of(kind) for name, kind in fields.items()}
