"""Running text on a matplotlib axes: tokens one after the other, wrapped, each with its own colours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import regex
from matplotlib import font_manager, rcParams
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties
from matplotlib.patches import BoxStyle, FancyBboxPatch

from tam_widget.text.graphemes import boundaries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from matplotlib.axes import Axes

__all__ = ["LEADING", "Piece", "Run", "draw", "font", "set_lines", "text_width", "write"]

_PER_POINT = 10  # measured in pixels of a tenth of a point: at screen size, hinting rounds every letter
LEADING = 1.6
_FALLBACKS = (
    "DejaVu Sans", "Noto Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Source Han Sans SC",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "PingFang SC", "Hiragino Sans", "Microsoft YaHei", "Yu Gothic",
    "Malgun Gothic", "Arial Unicode MS", "Noto Emoji", "Segoe UI Symbol", "Apple Symbols",
)  # fmt: skip
_FIRST_CJK = "\u2e80"
_CHUNKS = regex.compile(r"\n|(?=[\u2e80-\U0010ffff])\X| *(?:(?=[^ \n\u2e80-\U0010ffff])\X)+| +")  # no grapheme is cut
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text with one look; colours as matplotlib knows them."""

    text: str
    colour: str
    ground: str | None = None
    strength: float = 1.0


@dataclass(frozen=True, slots=True)
class Piece:
    """A run, or a part of one, where it stands: points from the left, line counted from 0."""

    run: Run
    text: str
    left: float
    width: float
    line: int


@cache
def font(size: float, *, bold: bool = False) -> FontProperties:
    """Return a sans-serif font that falls back on what this machine has for other scripts."""
    have = set(font_manager.get_font_names())
    families = [name for name in dict.fromkeys((*_FALLBACKS, *rcParams["font.sans-serif"])) if name in have]
    return FontProperties(family=families, size=size, weight="bold" if bold else "normal")


@lru_cache(maxsize=4096)
def text_width(text: str, size: float) -> float:
    """Return the width of a text in points, spaces at its ends included. ``$`` is a dollar sign."""
    # The renderer measures ink; between two marks the spaces count.
    return _ink(f"|{text}|", size) - _ink("||", size)


def _ink(text: str, size: float) -> float:
    renderer: Any = RendererAgg(1, 1, 72 * _PER_POINT)  # type: ignore[no-untyped-call]
    width: float = renderer.get_text_width_height_descent(text, font(size), ismath=False)[0]
    return width / _PER_POINT


def set_lines(runs: Iterable[Run], width: float, size: float) -> tuple[list[Piece], int]:
    """Set runs into lines no wider than ``width`` points.

    Lines break at line breaks, in front of spaces and of CJK characters, and inside a word only where it is wider
    than a line; never inside what a reader sees as one character.

    Returns
    -------
    list of Piece
        In reading order. A run across a line break gives several.
    int
        Number of lines.
    """
    pieces: list[Piece] = []
    left, line = 0.0, 0
    for word in _words(runs):
        if word is None:
            left, line = 0.0, line + 1
            continue
        if left > 0 and left + sum(text_width(text, size) for _, text in word) > width:
            left, line = 0.0, line + 1
        for run, text in word:
            shown = text.lstrip(" ") if left == 0 else text
            while shown:
                fits = _fitting(shown, width - left, size, at_least=1 if left == 0 else 0)
                if fits:
                    extent = text_width(shown[:fits], size)
                    pieces.append(Piece(run, shown[:fits], left, extent, line))
                    left += extent
                shown = shown[fits:]
                if shown:
                    left, line = 0.0, line + 1
    return pieces, line + 1


def draw(axes: Axes, pieces: Sequence[Piece], corner: tuple[float, float], size: float) -> None:
    """Draw pieces on axes that measure in points, the y axis pointing down; ``corner`` is the upper left one."""
    edge, top = corner
    for piece in pieces:
        middle = top + (piece.line + 0.5) * size * LEADING
        inked = piece.text.strip(" ")
        indent = text_width(piece.text[: len(piece.text) - len(piece.text.lstrip(" "))], size) if inked else 0.0
        if piece.run.ground is not None and inked:
            ground = FancyBboxPatch(
                (edge + piece.left + indent, middle - 0.62 * size),
                text_width(inked, size),
                1.24 * size,
                boxstyle=BoxStyle.Round(pad=0.06 * size, rounding_size=0.2 * size),
                linewidth=0,
                facecolor=piece.run.ground,
                alpha=piece.run.strength,
            )
            axes.add_patch(ground)
        write(axes, (edge + piece.left + indent, middle), inked, size, piece.run.colour)


def write(axes: Axes, place: tuple[float, float], text: str, size: float, colour: str, **style: Any) -> None:
    """Write one text as it is, the line's middle at ``place``: no mathtext, no TeX."""
    style = {"ha": "left", "va": "center_baseline", **style}
    bold = style.pop("bold", False)
    axes.text(*place, text, color=colour, fontproperties=font(size, bold=bold), parse_math=False, usetex=False, **style)


def _words(runs: Iterable[Run]) -> Iterator[list[tuple[Run, str]] | None]:
    """Yield what must stay on one line, as parts of runs; None for a line break."""
    word: list[tuple[Run, str]] = []
    for run in runs:
        for chunk in _CHUNKS.findall(run.text.replace("\r\n", "\n")):
            if word and (chunk == "\n" or chunk[0] == " " or chunk[0] >= _FIRST_CJK):
                yield word
                word = []
            if chunk == "\n":
                yield None
            else:
                word.append((run, _CONTROL.sub(" ", chunk)))
    if word:
        yield word


def _fitting(text: str, room: float, size: float, *, at_least: int) -> int:
    """Return how many characters fit into some points; ``at_least`` so many as a reader sees them."""
    if text_width(text, size) <= room:
        return len(text)
    ends = boundaries(text)
    low, high = at_least, max(at_least, len(ends) - 2)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if text_width(text[: ends[middle]], size) <= room else (low, middle - 1)
    return ends[low]
