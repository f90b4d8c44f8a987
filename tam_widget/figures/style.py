"""What all figures share: colours, sizes, and a figure that needs no pyplot."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

__all__ = ["BAR", "FADED", "INK", "LARGEST_PICTURE", "LINE", "PAPER", "QUIET", "TINT", "TAMFigure", "seconds"]

# The widget's light colours (js/src/page/page.css).
INK, QUIET, FADED, LINE, TINT, BAR, PAPER = (
    "#1b1f24",
    "#64676b",
    "#888b8e",
    "#dddfe1",
    "#ffc35c",
    "#1565c0",
    "#ffffff",
)
LARGEST_PICTURE = 1024
"""A figure shows no more than this, in pixels."""


class TAMFigure(Figure):
    """A matplotlib figure that shows itself in a notebook without pyplot."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png")
        return buffer.getvalue()


def seconds(time: float) -> str:
    """Return a frame's time as a person reads it; the widget does the same (``js/src/page/numbers.ts``)."""
    return f"{time:.2f}".removesuffix("0") + " s"
