"""Runs written by hand: rows with known figures, without a model."""

import json
import re

from tam_widget.evaluation.runs.run import MANIFEST, Run
from tam_widget.evaluation.runs.storage import (
    FAITHFULNESS_FIELDS,
    REGION_FIELDS,
    ROW_FIELDS,
    WORD_FIELDS,
    RowStore,
    row_bytes,
)

VARIANTS = ("tam", "causal", "filter", "cam")


def noun(method, place, text, iou, **known):
    """A word whose object is in the picture."""
    fixed = {"kind": "noun", "category": text.lower(), "token": place, "threshold": 100.0, "zero": False}
    measures = {"precision": iou, "recall": iou, "energy": 0.9, "pointing": iou > 0.5, "cells": 20.0, "shared": 0.0}
    return word(method, place, text, object_iou=iou, **{**fixed, **measures, **known})


def function(method, place, text, iou, *, zero=False):
    return word(method, place, text, kind="function", token=place, threshold=100.0, function_iou=iou, zero=zero)


def word(method, place, text, **known):
    return {**dict.fromkeys(WORD_FIELDS), "method": method, "sample": "one", "word": place, "text": text, **known}


def followed(method, text, deletion, insertion, *, gain=2.0):
    """A word's faithfulness in two steps."""
    known = deletion is not None
    return {
        **dict.fromkeys(FAITHFULNESS_FIELDS),
        "method": method,
        "word": 1,
        "token": 1,
        "text": text,
        "gain": gain,
        "shares": [0.0, 0.5, 1.0],
        "deletion": deletion,
        "insertion": insertion,
        "random": 0.5 if known else None,
        "deletion_curve": [1.0, 2 * deletion - 0.5, 0.0] if known else None,
        "insertion_curve": [0.0, 2 * insertion - 0.5, 1.0] if known else None,
        "random_curve": [1.0, 0.5, 0.0] if known else None,
    }


def over_regions(text, object_fall, background_fall, *, cells=(12, 244)):
    """A word whose log-probability falls evenly while its object, and its background, is covered in two steps."""
    found = {**dict.fromkeys(REGION_FIELDS), "word": 1, "token": 1, "text": text, "category": text, "gain": 5.0}
    for name, fall, count in zip(("object", "background"), (object_fall, background_fall), cells, strict=True):
        found |= {
            f"{name}_cells": count,
            f"{name}_fall": fall,
            f"{name}_mean_fall": fall / 2,
            f"{name}_shares": [0.0, 0.5, 1.0],
            f"{name}_curve": [0.0, -fall / 2, -fall],
        }
    return found


def row(index, words, faithfulness=(), **known):
    fixed = {"sample": f"picture {index}", "answer": "A dog.", "source": "types by hand", "matching": "exact"}
    captions = {"rouge_l": 0.5, "missing": "meteor: WordNet is not installed"}
    found = {**dict.fromkeys(ROW_FIELDS), "index": index, **fixed, **captions}
    return {**found, "words": list(words), "faithfulness": list(faithfulness), **known}


def failed(index, error):
    nothing = dict.fromkeys(("sample", "answer", "rouge_l", "missing"))
    return row(index, [], error=error, **nothing)


def run_of(folder, rows, methods=VARIANTS, **parts):
    """Write a run and open it."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {
        "model": {"name": "made-up", "class": "Model"},
        "data": {"name": "made up", "samples": len(rows)},
        "settings": {"methods": list(methods), "faithfulness": 0, "steps": 2, "matching": "exact", "seed": 0},
        "versions": {"tam_widget": "9.9", "torch": "8.8"},
        "samples": len(rows),
        "notes": ["3 of 9 samples have no mask"],
        "sessions": [{"samples": len(rows), "seconds": 2.0, "workers": 1}],
        **parts,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest))
    store = RowStore(folder)
    for one in rows:
        store.write(one["index"], row_bytes(one))
    return Run(folder)


def table_after(text, heading):
    """The first table after a heading, as a mapping from its first column to the others."""
    found = re.search(rf"^#+ {re.escape(heading)}$.*?(\|.*?)(?:\n\n|\Z)", text, re.DOTALL | re.MULTILINE)
    lines = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in found.group(1).strip().splitlines()]
    return {line[0]: dict(zip(lines[0][1:], line[1:], strict=True)) for line in lines[2:]}
