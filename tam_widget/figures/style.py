"""What all figures share: colours, sizes, and a figure that needs no pyplot."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, Any

from matplotlib import rcParams
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

__all__ = [
    "BAR",
    "FADED",
    "INK",
    "LARGEST_PICTURE",
    "LINE",
    "PAPER",
    "POINTS",
    "QUIET",
    "TINT",
    "TAMFigure",
    "blank_page",
    "page_in_points",
    "seconds",
]

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
POINTS = 72.0
"""In an inch."""

LARGEST_PICTURE = 1024
"""A figure shows no more than this, in pixels."""


class TAMFigure(Figure):
    """A matplotlib figure that shows itself in a notebook without pyplot."""

    def savefig(self, fname: Any, *, transparent: bool | None = None, **options: Any) -> None:
        """Save as matplotlib does, on the figure's own ground: a dark style would put dark words on black."""
        see_through = rcParams["savefig.transparent"] if transparent is None else transparent
        ground = {} if see_through else {"facecolor": "auto", "edgecolor": "auto"}
        with _without_tex():
            super().savefig(fname, transparent=see_through, **ground | options)

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", transparent=False)
        return buffer.getvalue()


@contextlib.contextmanager
def _without_tex() -> Iterator[None]:
    """Switch TeX off: PostScript would be set with it though no text asks for it."""
    switched_on = rcParams["text.usetex"]
    if switched_on:
        rcParams["text.usetex"] = False
    try:
        yield
    finally:
        if switched_on:
            rcParams["text.usetex"] = True


def blank_page(width: float, height: float) -> TAMFigure:
    """Return an empty figure of some inches; what it says nothing about would come from a person's rcParams."""
    figure = TAMFigure((width, height), dpi=144, facecolor=PAPER, edgecolor=PAPER, frameon=True)
    figure.set_layout_engine("none")
    FigureCanvasAgg(figure)
    return figure


def page_in_points(width: float, height: float) -> tuple[TAMFigure, Axes]:
    """Return an empty figure of some points, and axes over all of it that count them from its upper left corner."""
    figure = blank_page(width / POINTS, height / POINTS)
    page = figure.add_axes((0, 0, 1, 1))
    page.set_xlim(0, width)
    page.set_ylim(height, 0)
    page.set_axis_off()
    return figure, page


def seconds(time: float) -> str:
    """Return a frame's time as a person reads it; the widget does the same (``js/src/page/numbers.ts``)."""
    return f"{time:.2f}".removesuffix("0") + " s"
