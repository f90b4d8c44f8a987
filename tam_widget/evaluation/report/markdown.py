"""Markdown from figures: tables, numbers with their intervals, and text that others wrote."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tam_widget.evaluation.report.statistics import Estimate

__all__ = ["NAMES", "NOTHING", "difference", "interval", "number", "quoted", "table"]

NOTHING = "–"
NAMES = {
    "object_iou": "Obj-IoU",
    "function_iou": "Func-IoU",
    "zero_functions": "all-zero maps",
    "f1_iou": "F1-IoU",
    "precision": "precision",
    "recall": "recall",
    "pointing": "pointing",
    "energy": "energy",
    "deletion": "deletion",
    "insertion": "insertion",
    "random": "random",
    "gain": "gain (nats)",
    "cells": "cells",
    "fall": "fall (nats)",
    "mean_fall": "mean fall (nats)",
}
"""Measures as a report calls them."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table whose first column is text and whose others are numbers."""
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join([" :-- "] + [" --: "] * (len(head) - 1)) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def number(value: float | None, digits: int = 3) -> str:
    """Return a number, or a dash for None."""
    return NOTHING if value is None else f"{value:.{digits}f}".replace("-", "−")


def interval(found: Estimate, digits: int = 3) -> str:
    """Return ``value [low, high]``, or a dash."""
    if found.value is None:
        return NOTHING
    return f"{number(found.value, digits)} [{number(found.low, digits)}, {number(found.high, digits)}]"


def difference(found: Estimate, digits: int = 3) -> str:
    """Return ``±value [low, high]``, bold where the interval leaves out 0, or a dash."""
    if found.value is None or found.low is None or found.high is None:
        return NOTHING
    sign = "+" if round(found.value, digits) > 0 else ""
    text = f"{sign}{interval(found, digits)}"
    return f"**{text}**" if found.low > 0 or found.high < 0 else text


def quoted(text: str, longest: int = 300) -> str:
    """Return text that others wrote as Markdown that shows it letter by letter, on one line."""
    text = " ".join(text.split())
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    return re.sub(r"([\\`*\[\]<>|#~&]|(?<!\w)_|_(?!\w))", r"\\\1", text)
