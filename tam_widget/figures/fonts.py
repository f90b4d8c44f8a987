"""Which of this machine's fonts have the characters of a text.

matplotlib takes each character from the first font of a list that has it, and warns where none does.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import font_manager
from matplotlib.font_manager import FontProperties

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["font_for"]

_BASE = "DejaVu Sans"
"""Comes with matplotlib; has Latin, Greek, Cyrillic, Hebrew, Arabic, Armenian, Georgian, Lao and many signs."""

_OF_FORMULAS = ("STIX", "cm", "DejaVu Math")
_BY_SCRIPT = {
    "any": ("Noto Sans",),
    "Chinese, Japanese": (
        "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Source Han Sans SC", "WenQuanYi Micro Hei",
        "WenQuanYi Zen Hei", "PingFang SC", "Hiragino Sans", "Microsoft YaHei", "Yu Gothic",
    ),
    "Korean": ("Noto Sans CJK KR", "Noto Sans KR", "Apple SD Gothic Neo", "Malgun Gothic", "NanumGothic"),
    "Devanagari": (
        "Noto Sans Devanagari", "Nirmala UI", "Kohinoor Devanagari", "Mangal", "Lohit Devanagari", "Lohit Hindi",
    ),
    "Bengali": ("Noto Sans Bengali", "Kohinoor Bangla", "Vrinda", "Lohit Bengali"),
    "Gurmukhi, Gujarati": ("Noto Sans Gurmukhi", "Noto Sans Gujarati", "Lohit Gurmukhi", "Lohit Gujarati"),
    "Tamil, Telugu": ("Noto Sans Tamil", "Noto Sans Telugu", "Lohit Tamil", "Lohit Telugu"),
    "Kannada, Malayalam": ("Noto Sans Kannada", "Noto Sans Malayalam", "Lohit Kannada", "Lohit Malayalam"),
    "Thai": ("Noto Sans Thai", "Leelawadee UI", "Thonburi", "Sarabun", "Loma", "Garuda", "Waree", "Tahoma"),
    "Khmer, Burmese": ("Noto Sans Khmer", "Noto Sans Myanmar", "Khmer OS", "Padauk", "Myanmar Text"),
    "Arabic": ("Noto Sans Arabic", "Noto Naskh Arabic", "Geeza Pro", "Segoe UI", "Amiri", "KacstOne"),
    "Ethiopic": ("Noto Sans Ethiopic", "Nyala", "Kefa", "Abyssinica SIL"),
    "signs": ("Arial Unicode MS", "Noto Emoji", "Segoe UI Symbol", "Segoe UI Emoji", "Apple Symbols", "Symbola"),
}  # fmt: skip
"""Sans-serif fonts of the systems, good ones first; then any other font that has the character."""


def font_for(text: str, size: float, *, bold: bool = False) -> FontProperties:
    """Return a sans-serif font that falls back on what this machine has for the characters of a text.

    Parameters
    ----------
    text : str
        What is to be written or measured.
    size : float
        In points.
    bold : bool
        Heavier, where the fonts have it.
    """
    count = len(font_manager.fontManager.ttflist)  # grows where a person adds a font
    families = dict.fromkeys((_BASE, *(_family(character, bold, count) for character in sorted(set(text)))))
    return _properties(tuple(name for name in families if name), size, bold)


@lru_cache(maxsize=1024)
def _properties(families: tuple[str, ...], size: float, bold: bool) -> FontProperties:  # noqa: FBT001 - private
    # Everything is said: what is not comes from a person's rcParams.
    return FontProperties(
        family=list(families),
        size=size,
        weight="bold" if bold else "normal",
        style="normal",
        variant="normal",
        stretch="normal",
    )


@lru_cache(maxsize=65536)
def _family(character: str, bold: bool, count: int) -> str | None:  # noqa: FBT001 - private
    """Return the first family that has a character, None where none has."""
    if character.isascii():
        return _BASE
    code, files = ord(character), _files(count)
    # The family's font of this weight, which may have fewer characters, is looked up only where there is hope.
    found = (name for name in files if _has(files[name], code) and _has(_drawn(name, bold, count), code))
    return next(found, None)


@cache
def _files(count: int) -> dict[str, str]:  # noqa: ARG001 - another count is another list
    """Return a font's file for each family, in the order in which they are tried."""
    files: dict[str, str] = {}
    for entry in font_manager.fontManager.ttflist:
        upright = (entry.style, str(entry.weight)) in {("normal", "400"), ("normal", "normal")}
        if upright or entry.name not in files:
            files[entry.name] = entry.fname
    named = (name for names in _BY_SCRIPT.values() for name in names)
    # Fonts of formulas come last: their private characters mean something else.
    others = sorted(files, key=lambda name: (name.startswith(_OF_FORMULAS), "Sans" not in name, name))
    order = dict.fromkeys((_BASE, *named, *others))
    return {name: files[name] for name in order if name in files and "last resort" not in name.lower()}


@lru_cache(maxsize=4096)
def _drawn(name: str, bold: bool, count: int) -> str:  # noqa: FBT001, ARG001 - as above
    """Return the file that matplotlib takes."""
    return font_manager.findfont(_properties((name,), 10, bold), fallback_to_default=False)


def _has(file: str, code: int) -> bool:
    codes = _codes(file)
    place = int(np.searchsorted(codes, code))
    return place < len(codes) and int(codes[place]) == code


@cache
def _codes(file: str) -> NDArray[np.uint32]:
    """Return the characters that a font has, sorted; none where it cannot be drawn, as emoji made of bitmaps."""
    try:
        font: Any = font_manager.get_font(file)
        font.set_size(12, 72)
        return np.array(sorted(font.get_charmap()), np.uint32)
    except (OSError, RuntimeError):
        return np.array([], np.uint32)
