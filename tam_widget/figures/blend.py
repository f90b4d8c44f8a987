"""A map laid over its picture, as plain pixels.

The same rules as in the browser (``js/src/overlay/colormap.ts``, ``js/src/overlay/raster.ts``; change them together):
values are interpolated before they are coloured. Heat covers the picture in proportion to its value, so that it is
untouched where the map is 0; a spotlight darkens it where the map is low, and leaves it untouched where it is high.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np
from PIL import Image

from tam_widget.figures.surface import nearest, places_in, smooth_surface

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tam_widget.models.layout import Box

__all__ = ["COLORMAP", "OPACITY", "Paint", "overlay", "ramp"]

Paint: TypeAlias = Literal["heat", "spotlight"]

COLORMAP = "inferno"
"""Even in lightness, and reads alike with any colour vision."""

OPACITY = 0.7
"""How strongly the peak of a map covers the picture."""

_DARK = (16.0, 17.0, 20.0)  # what a spotlight leaves of the rest: nearly black, so that colours fade too
_LIT = 0.5  # from this share of the peak on, a spotlight leaves the picture as it is
_GREY = 224 / 255  # what a spotlight's scale is shown on
_VEIL = 128.0  # unseen cells: mid-grey, half as strong as the peak
_MAP_DIMENSIONS = 2


def overlay(
    picture: Image.Image,
    heatmap: NDArray[np.float32],
    box: Box | None = None,
    *,
    colormap: str = COLORMAP,
    opacity: float = OPACITY,
    smooth: bool = True,
    stretch: bool = True,
    paint: Paint = "heat",
) -> Image.Image:
    """Lay a map over a picture.

    Parameters
    ----------
    picture : PIL.Image.Image
        The picture; its size is the result's.
    heatmap : numpy.ndarray of float, shape (rows, columns)
        In [0, 1]; NaN where the model saw nothing, which is veiled in grey.
    box : (float, float, float, float), optional
        Left, top, right and bottom of what the heatmap covers, in pixels of the picture (:attr:`Explanation.boxes`).
        It may reach beyond the picture; what it leaves of the picture is veiled too. The whole picture by default.
    colormap : str
        Name of a matplotlib colour map, for heat.
    opacity : float
        How strongly the peak covers the picture, or the dark around a spotlight, in [0, 1].
    smooth : bool
        Interpolate between the cells (cubic convolution that overshoots no cell), or show each cell as it is.
    stretch : bool
        Show the map's own maximum as 1; otherwise 1 is 1.
    paint : {"heat", "spotlight"}
        Colours where the map is high, or darkness where it is low: from half of 1 on a spotlight leaves the picture as
        it is. A map that has nothing to stretch leaves all of it so.

    Returns
    -------
    PIL.Image.Image
        RGB.

    Raises
    ------
    ValueError
        An opacity outside [0, 1], an unknown colour map or paint, a heatmap that is not two-dimensional, an empty box.
    """
    from matplotlib import colormaps

    if not 0 <= opacity <= 1:
        raise ValueError(f"opacity must lie in [0, 1], got {opacity!r}")
    if colormap not in colormaps:
        raise ValueError(f"matplotlib has no colour map {colormap!r}; {COLORMAP!r} is the default")
    if paint not in get_args(Paint):
        raise ValueError(f"paint must be 'heat' or 'spotlight', not {paint!r}")
    values = np.asarray(heatmap, dtype=np.float32)
    if values.ndim != _MAP_DIMENSIONS:
        raise ValueError(f"a heatmap has the shape (rows, columns), got {values.shape}")
    left, top, right, bottom = box or (0, 0, *picture.size)
    if not (left < right and top < bottom):
        raise ValueError(f"a box is (left, top, right, bottom), got {box!r}")
    seen = ~np.isnan(values)
    peak = float(values.max(where=seen, initial=0))
    values = np.where(seen, values / peak if stretch and peak > 0 else values, 0)
    places = (
        places_in(picture.height, top, bottom, values.shape[0]),
        places_in(picture.width, left, right, values.shape[1]),
    )
    veiled = nearest(seen, *places) == 0
    value = smooth_surface(values, seen, *places) if smooth else nearest(values, *places)
    value = np.where(veiled, 0, value).clip(0, 1)[..., None]
    veil = veiled[..., None]
    colour: NDArray[Any] = np.asarray(_DARK, np.float32)
    cover = 1 - _light(value)
    if paint == "heat" or (peak <= 0 and stretch):
        colour, cover = colormaps[colormap](value[..., 0])[..., :3] * 255, value
    colour = np.where(veil, _VEIL, colour)
    alpha = np.where(veil, opacity / 2, cover * opacity)
    ground = np.asarray(picture.convert("RGB"), dtype=np.float32)
    return Image.fromarray(np.rint(ground + (colour - ground) * alpha).astype(np.uint8))


def ramp(colormap: str, opacity: float, paint: Paint) -> NDArray[Any]:
    """Return what the values from 0 to 1 look like, for a scale: RGB in [0, 1], (1, 128, 3); a spotlight's on grey."""
    from matplotlib import colormaps

    values = np.linspace(0, 1, 128)
    if paint == "heat":
        colours: NDArray[Any] = colormaps[colormap](values)[None, :, :3]
        return colours
    dark = np.array(_DARK) / 255
    shown: NDArray[Any] = dark + (_GREY - dark) * (1 - (1 - _light(values[None, :, None])) * opacity)
    return shown


def _light(value: NDArray[Any]) -> NDArray[Any]:
    """Return how much of the picture's light a spotlight leaves where the map has some values, in [0, 1]."""
    found: NDArray[Any] = np.minimum(1, value / _LIT)
    return found
