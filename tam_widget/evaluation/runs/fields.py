"""What a row of a run holds: names and types, of which Arrow's schema is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tam_widget.evaluation.needed import needed

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FAITHFULNESS_FIELDS", "REGION_FIELDS", "ROW_FIELDS", "SEAL_FIELDS", "WORD_FIELDS", "misfit", "schema"]

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
SEAL_FIELDS = {"run": "string", "checksum": "string"}
"""What is kept with a row and no part of it: what it was made with, and a checksum of its values."""

_LATER = {"regions", *SEAL_FIELDS}


def schema() -> Any:
    """Return Arrow's schema of a row with its seal."""
    return _arrow().schema(list(_types(ROW_FIELDS | SEAL_FIELDS).items()))


def misfit(found: Any) -> str | None:
    """Say in which way a file's schema is not that of rows, of this version or an earlier one; None where it is."""
    expected = schema()
    unknown = sorted(set(found.names) - set(expected.names))
    if unknown or len(set(found.names)) < len(found.names):
        return f"its columns are {', '.join(found.names[:8])}, not those of a row"
    missing = [name for name in expected.names if name not in found.names]
    sealed = [name for name in SEAL_FIELDS if name not in missing]
    if not _LATER.issuperset(missing) or len(sealed) not in {0, len(SEAL_FIELDS)}:
        return f"it has no column {missing[0]}"
    for name in found.names:
        if found.field(name).type != expected.field(name).type:
            return f"its column {name} has type {found.field(name).type}, not {expected.field(name).type}"
    return None


def _arrow() -> Any:
    return needed("pyarrow", "keeping a run's rows", "eval")


def _types(fields: Mapping[str, Any]) -> dict[str, Any]:
    pa = _arrow()

    def type_of(kind: Any) -> Any:
        if isinstance(kind, str):
            return pa.list_(pa.float64()) if kind == "list" else getattr(pa, kind)()
        return pa.list_(pa.struct(list(_types(kind).items())))

    return {name: type_of(kind) for name, kind in fields.items()}
