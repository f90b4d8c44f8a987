"""A map laid over its picture, as plain pixels.

The same rules as in the browser (``js/src/colormap.ts``, ``js/src/raster.ts``; change them together): values are
interpolated before they are coloured, and a colour covers the picture in proportion to its value, so that the
picture is untouched where the map is 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["COLORMAP", "OPACITY", "overlay"]

COLORMAP = "inferno"
"""Even in lightness, and reads alike with any colour vision."""

OPACITY = 0.7
"""How strongly the peak of a map covers the picture."""

_VEIL = 128.0  # unseen cells: mid-grey, half as strong as the peak
_MAP_DIMENSIONS = 2


def overlay(
    picture: Image.Image,
    heatmap: NDArray[np.float32],
    *,
    colormap: str = COLORMAP,
    opacity: float = OPACITY,
    smooth: bool = True,
    stretch: bool = True,
) -> Image.Image:
    """Lay a map over a picture.

    Parameters
    ----------
    picture : PIL.Image.Image
        The picture; its size is the result's.
    heatmap : numpy.ndarray of float, shape (rows, columns)
        In [0, 1]; NaN where the model saw nothing, which is veiled in grey.
    colormap : str
        Name of a matplotlib colour map.
    opacity : float
        How strongly the peak covers the picture, in [0, 1].
    smooth : bool
        Interpolate between the cells (bilinear), or show each cell as it is.
    stretch : bool
        Show the map's own maximum as 1; otherwise 1 is 1.

    Returns
    -------
    PIL.Image.Image
        RGB.

    Raises
    ------
    ValueError
        An opacity outside [0, 1], an unknown colour map, or a heatmap that is not two-dimensional.
    """
    from matplotlib import colormaps

    if not 0 <= opacity <= 1:
        raise ValueError(f"opacity must lie in [0, 1], got {opacity!r}")
    if colormap not in colormaps:
        raise ValueError(f"matplotlib has no colour map {colormap!r}; {COLORMAP!r} is the default")
    values = np.asarray(heatmap, dtype=np.float32)
    if values.ndim != _MAP_DIMENSIONS:
        raise ValueError(f"a heatmap has the shape (rows, columns), got {values.shape}")
    unseen = np.isnan(values)
    values = np.where(unseen, 0, values)
    peak = float(values.max(initial=0))
    if stretch and peak > 0:
        values = values / peak
    value = np.asarray(_resized(values, picture.size, smooth=smooth)).clip(0, 1)[..., None]
    veiled = np.asarray(_resized(unseen.astype(np.float32), picture.size, smooth=False))[..., None] > 0
    colour = np.where(veiled, _VEIL, colormaps[colormap](value[..., 0])[..., :3] * 255)
    alpha = np.where(veiled, opacity / 2, value * opacity)
    ground = np.asarray(picture.convert("RGB"), dtype=np.float32)
    return Image.fromarray(np.rint(ground + (colour - ground) * alpha).astype(np.uint8))


def _resized(values: NDArray[np.float32], size: tuple[int, int], *, smooth: bool) -> Image.Image:
    how = Image.Resampling.BILINEAR if smooth else Image.Resampling.NEAREST
    return Image.fromarray(np.ascontiguousarray(values)).resize(size, how)
