"""How the widget shows what it shows: settings that a person changes in the page or from Python."""

from __future__ import annotations

from typing import Any

import traitlets

from tam_widget.explanation.map_bank import check_window
from tam_widget.widget.colormaps import COLORMAPS, colormap_table
from tam_widget.widget.traits import Choice, Count, Flag, Share, Text

__all__ = ["Settings"]


class Settings(traitlets.HasTraits):
    """The settings of a widget; each is a keyword of it, can be set later, and follows what is set in the page.

    Attributes
    ----------
    opacity : float
        How strongly the peak of a map covers the picture, or the dark around a spotlight, in [0, 1].
    paint : {"heat", "spotlight"}
        Colours over the picture where the map is high; or the picture as it is there, and dark where the map is low.
    colormap : str
        Name of a matplotlib colour map, for heat.
    smooth : bool
        Whether values are interpolated between the cells of the map, or each cell shown as it is.
    unit : {"word", "token"}
        What the pointer picks.
    combine : {"mean", "max"}
        What the maps of a word's or span's tokens give together.
    scale : {"token", "answer"}
        Whether each map is stretched to its own maximum, or all to the greatest of the answer.
    display : {"blend", "side"}
        The map over the picture, or beside it.
    tint : {"relevance", "probability"}
        What the text is coloured by: how much earlier tokens have to do with the one looked at, or how probable the
        model held each token of its answer.
    hints : bool
        Whether a widget at rest says what can be done with it; not any more once somebody has looked at a word.
    contour : bool
        Whether a line is drawn around what lies above the threshold.
    threshold : float or None
        In [0, 1] of the map's maximum; None for Otsu's of each map.
    causal_inference : bool
        Whether what earlier text explains is taken away.
    kernel_size : int
        Side of the rank Gaussian filter's window in cells, odd; 1 for none. See :meth:`Explanation.maps` for how large
        it may be.
    part : {"map", "raw", "interference"}
        The map, or a part of the method: the raw activation, or what causal inference takes away from it.
    """

    opacity = Share(0.7).tag(sync=True)
    paint = Choice(("heat", "spotlight"), default_value="heat").tag(sync=True)
    colormap = Text(COLORMAPS[0]).tag(sync=True)
    smooth = Flag(default_value=True).tag(sync=True)
    unit = Choice(("word", "token"), default_value="word").tag(sync=True)
    combine = Choice(("mean", "max"), default_value="mean").tag(sync=True)
    scale = Choice(("token", "answer"), default_value="token").tag(sync=True)
    display = Choice(("blend", "side"), default_value="blend").tag(sync=True)
    tint = Choice(("relevance", "probability"), default_value="relevance").tag(sync=True)
    hints = Flag(default_value=True).tag(sync=True)
    contour = Flag(default_value=False).tag(sync=True)
    threshold = Share(None, allow_none=True).tag(sync=True)
    causal_inference = Flag(default_value=True).tag(sync=True)
    kernel_size = Count(3, min=1).tag(sync=True)
    part = Choice(("map", "raw", "interference"), default_value="map").tag(sync=True)

    colormaps = traitlets.Dict(read_only=True).tag(sync=True)
    pictures: Any  # the widget's own

    @classmethod
    def setting_names(cls) -> tuple[str, ...]:
        """Return the names of the settings."""
        own = (name for name, member in vars(Settings).items() if isinstance(member, traitlets.TraitType))
        return tuple(name for name in own if name != "colormaps")

    @traitlets.validate("colormap")
    def _check_colormap(self, proposal: dict[str, Any]) -> str:
        name: str = proposal["value"]
        try:
            table = colormap_table(name)
        except ValueError as error:
            raise traitlets.TraitError(str(error)) from None
        if name not in self.colormaps:
            self.set_trait("colormaps", {**self.colormaps, name: table})
        return name

    @traitlets.validate("kernel_size")
    def _check_kernel_size(self, proposal: dict[str, Any]) -> int:
        size: int = proposal["value"]
        if size % 2 == 0:
            raise traitlets.TraitError(f"kernel_size must be odd, not {size}: a window has a middle")
        try:
            check_window(size, [picture["grid"] for picture in self.pictures])
        except ValueError as error:
            raise traitlets.TraitError(str(error)) from None
        return size
