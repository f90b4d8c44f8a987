"""Colour maps as tables that the browser can look up."""

from __future__ import annotations

from functools import cache

import numpy as np

__all__ = ["COLORMAPS", "DIVERGING", "colormap_table"]

COLORMAPS = ("inferno", "magma", "viridis", "cividis", "turbo", "jet")
"""The choices offered. The first four read alike with any colour vision; jet is what papers often show."""

DIVERGING = "RdBu_r"
"""For differences: what speaks for one word is red, for another blue."""


@cache
def colormap_table(name: str) -> bytes:
    """Return 256 RGB entries of a matplotlib colour map.

    Parameters
    ----------
    name : str
        As matplotlib knows it.

    Raises
    ------
    ValueError
        If matplotlib has no such colour map.
    """
    from matplotlib import colormaps

    if name not in colormaps:
        raise ValueError(f"no colour map {name!r}; take one of {', '.join(COLORMAPS)}, or any other of matplotlib's")
    table: bytes = colormaps[name](np.arange(256) / 255, bytes=True)[:, :3].tobytes()
    return table
