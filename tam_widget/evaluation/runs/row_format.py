"""A row as a Parquet file's bytes, with a seal that tells later whether it is what was written."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from tam_widget.errors import EvaluationError
from tam_widget.evaluation.needed import needed
from tam_widget.evaluation.runs.fields import SEAL_FIELDS, misfit, schema

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["parquet", "read_row", "row_bytes", "row_from", "sealed_table", "told_in_short", "unsealed"]

_LONGEST = 200  # characters of a reader's reason


def row_bytes(row: Mapping[str, Any], run: str | None = None) -> bytes:
    """Return a row as a Parquet file's bytes; the same row gives the same bytes.

    Parameters
    ----------
    row : mapping
        Fields of :data:`ROW_FIELDS`; what is missing is None.
    run : str, optional
        What it was made with, kept beside it.
    """
    sink = _arrow().BufferOutputStream()
    parquet().write_table(sealed_table([row], run), sink, compression="zstd")
    return bytes(sink.getvalue().to_pybytes())


def row_from(data: bytes) -> dict[str, Any]:
    """Return the row of :func:`row_bytes`.

    Raises
    ------
    EvaluationError
        The bytes are no row, or not as they were written.
    """
    return read_row(data)[0]


def read_row(data: bytes, run: str | None = None) -> tuple[dict[str, Any], str]:
    """Return the row of :func:`row_bytes` and a checksum of its values.

    Raises
    ------
    EvaluationError
        The bytes are no row, or not as they were written, or the row was made with something else than `run`.
    """
    try:
        file = parquet().ParquetFile(_arrow().BufferReader(data))
        count, why = file.metadata.num_rows, misfit(file.schema_arrow)
        rows = [] if why or count != 1 else file.read(use_threads=False).to_pylist()
    except Exception as error:  # whatever a reader says of bytes that are not what they were
        raise EvaluationError(told_in_short(error)) from error
    if why or len(rows) != 1:
        raise EvaluationError(why or f"it holds {count} rows, not one")
    return unsealed(rows[0], run)


def unsealed(row: dict[str, Any], run: str | None) -> tuple[dict[str, Any], str]:
    """Take the seal off a row, and return the row and the checksum of its values.

    Raises
    ------
    EvaluationError
        It has other values than were written, or was made with something else than `run`.
    """
    sealed = "checksum" in row  # rows were written without a seal once
    kept = {name: row.pop(name, None) for name in SEAL_FIELDS}
    checksum = _checksum(row)
    if sealed and kept["checksum"] != checksum:
        raise EvaluationError("its values are not those that were written")
    if run is not None and kept["run"] not in {None, run}:
        raise EvaluationError("it belongs to a run with other settings")
    return row, checksum


def sealed_table(rows: list[Any], run: str | None) -> Any:
    """Return rows as a table, each with its seal."""
    columns = schema()
    table = _arrow().Table.from_pylist(rows, schema=columns)
    values = table.to_pylist()  # as they will be read
    for row in values:
        for name in SEAL_FIELDS:
            del row[name]
        row.update(run=run, checksum=_checksum(row))
    return _arrow().Table.from_pylist(values, schema=columns)


def told_in_short(error: Exception) -> str:
    """Return what an error says, in one line, without the number that the system has for it."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(text.split())[:_LONGEST]


def parquet() -> Any:
    """Return Arrow's reader and writer of Parquet files."""
    return needed("pyarrow.parquet", "keeping a run's rows", "eval")


def _arrow() -> Any:
    return needed("pyarrow", "keeping a run's rows", "eval")


def _checksum(row: Mapping[str, Any]) -> str:
    known = {name: value for name, value in row.items() if name != "regions" or value}  # not every version had any
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()
