"""Rows of a run on disk: one small Parquet file a sample, and all of them joined into one.

A file appears under its name only when it is whole, so a run that is stopped at any moment leaves nothing half done.
What disks, hands and other programs do to files later is found when they are read: a row counts only if its file can be
read, has the columns of a row, holds the sample that its name says, and has the values that were written.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tam_widget.errors import EvaluationError
from tam_widget.evaluation.files import cannot_write, open_whole, write_whole
from tam_widget.evaluation.runs.fields import (
    FAITHFULNESS_FIELDS,
    REGION_FIELDS,
    ROW_FIELDS,
    WORD_FIELDS,
    misfit,
    schema,
)
from tam_widget.evaluation.runs.row_format import (
    parquet,
    read_row,
    row_bytes,
    row_from,
    sealed_table,
    told_in_short,
    unsealed,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = [
    "FAITHFULNESS_FIELDS",
    "REGION_FIELDS",
    "ROW_FIELDS",
    "WORD_FIELDS",
    "RowStore",
    "row_bytes",
    "row_from",
    "told",
]

_TOGETHER = 256  # rows in one group of the joined file: what is held in memory at once
_SHOWN = 3  # reasons in one warning


class RowStore:
    """The rows of one run in a folder.

    Parameters
    ----------
    folder : path
        Rows lie in its ``rows/``, the joined file is its ``samples.parquet``.
    run : str, optional
        What its rows were made with, see :func:`tam_widget.evaluation.runs.manifest.made_with`. Rows made with
        something else do not count; those of versions that did not note it do. Not looked at when left out.
    """

    def __init__(self, folder: str | os.PathLike[str], run: str | None = None) -> None:
        self.folder = Path(folder)
        self.run = run
        self.joined = self.folder / "samples.parquet"
        self._rows = self.folder / "rows"

    def path(self, index: int) -> Path:
        """Return where a sample's row lies."""
        return self._rows / f"{index:07d}.parquet"

    def look(self, count: int) -> tuple[dict[int, str], dict[int, str]]:
        """Read the rows of the first `count` samples and tell which are whole.

        Returns
        -------
        done : dict of int to str
            Checksums of the whole rows by index, in order.
        damaged : dict of int to str
            What is wrong with the others that are there.

        Raises
        ------
        EvaluationError
            The folder cannot be read.
        """
        damaged: dict[int, str] = {}
        done = {row["index"]: checksum for row, checksum in self._small(range(count), damaged)}
        return done, damaged

    def write(self, index: int, data: bytes) -> None:
        """Write a sample's row, as :func:`row_bytes` gave it.

        Raises
        ------
        EvaluationError
            It cannot be written.
        """
        write_whole(self.path(index), data)
        try:
            self.joined.unlink(missing_ok=True)  # it lacks this row, but was worth keeping until the row was there
        except OSError as error:
            raise cannot_write(self.joined, error) from error

    def join(self, count: int) -> Path:
        """Write the rows of the first `count` samples into one file, in order, and return its path.

        Raises
        ------
        EvaluationError
            It cannot be written.
        """
        small = (row for row, _ in self._small(range(count), {}))
        with open_whole(self.joined) as file, parquet().ParquetWriter(file, schema(), compression="zstd") as writer:
            for rows in _groups(small, _TOGETHER):
                writer.write_table(sealed_table(rows, self.run))
        return self.joined

    def is_joined(self, done: Mapping[int, str]) -> bool:
        """Tell whether the joined file is whole and holds these rows, by their checksums, and no others."""
        damaged: dict[str, str] = {}
        found = [(row["index"], checksum) for row, checksum in self._joined(damaged)]
        return not damaged and self.joined.is_file() and found == list(done.items())

    def rows(self, count: int) -> Iterator[dict[str, Any]]:
        """Read the rows of the first `count` samples, in order, from the joined file as far as it is there and whole.

        Warns
        -----
        UserWarning
            Something is damaged.
        """
        joined: dict[str, str] = {}
        damaged: dict[int, str] = {}
        after = 0
        for row, _ in self._joined(joined):
            index = row["index"]
            if index >= count:
                break
            yield from (one for one, _ in self._small(range(after, index), damaged))
            yield row
            after = index + 1
        yield from (one for one, _ in self._small(range(after, count), damaged))
        if joined:
            warnings.warn(f"{self.joined} is damaged, {told(joined)}: rows/ was read instead", stacklevel=2)
        if damaged:
            warnings.warn(
                f"{self._rows} is damaged, and these rows are left out: {told(damaged)}. Evaluating again with the "
                "same settings makes them again",
                stacklevel=2,
            )

    def _small(self, indices: Iterable[int], damaged: dict[int, str]) -> Iterator[tuple[dict[str, Any], str]]:
        """Yield whole rows with their checksums, and note what is wrong with others."""
        try:
            names = {path.name for path in self._rows.iterdir()}
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise EvaluationError(f"{self._rows} cannot be read: {error}") from error
        for index in indices:
            path = self.path(index)
            if path.name not in names:
                continue
            try:
                row, checksum = read_row(_bytes_of(path), self.run)
                if row["index"] != index:
                    raise EvaluationError(f"it holds sample {row['index']}")  # noqa: TRY301 - one of many reasons
            except EvaluationError as error:
                damaged[index] = str(error)
            else:
                yield row, checksum

    def _joined(self, damaged: dict[str, str]) -> Iterator[tuple[dict[str, Any], str]]:
        """Yield the joined file's whole rows with their checksums, in order, and note what is wrong with it."""
        after = 0
        for row in _rows_of(self.joined, damaged):
            try:
                whole, checksum = unsealed(row, self.run)
            except EvaluationError as error:
                damaged[f"row {row['index']}"] = str(error)
                continue
            if whole["index"] >= after:
                after = whole["index"] + 1
                yield whole, checksum


def told(damaged: Mapping[Any, str]) -> str:
    """Say what is damaged and why, of many the first."""
    names = {name: f"row {name}" if isinstance(name, int) else name for name in damaged}
    shown = [f"{names[name]}: {why}" for name, why in list(damaged.items())[:_SHOWN]]
    more = len(damaged) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more else "")


def _bytes_of(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise EvaluationError("it is no file")  # reading a pipe would never end
        return path.read_bytes()
    except OSError as error:
        raise EvaluationError(told_in_short(error)) from error


def _rows_of(path: Path, damaged: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a joined file with their seals, and note what cannot be read."""
    try:
        if not path.exists():
            return
        if not path.is_file():
            raise EvaluationError("it is no file")  # noqa: TRY301 - reading a pipe would never end
        with parquet().ParquetFile(path) as file:
            if why := misfit(file.schema_arrow):
                raise EvaluationError(why)  # noqa: TRY301 - one of many reasons
            for group in range(file.num_row_groups):
                try:
                    rows = file.read_row_group(group).to_pylist()
                except Exception as error:  # noqa: BLE001 - as below; the other groups may be whole
                    damaged[f"part {group}"] = told_in_short(error)
                else:
                    yield from rows
    except Exception as error:  # noqa: BLE001 - whatever a reader says of bytes that are not what they were
        damaged["all of it"] = told_in_short(error)


def _groups(rows: Iterator[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    for row in rows:
        group.append(row)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group
