"""Cosmos 3 Edge: as Qwen3-VL, but that its processor says which tokens are vision only where it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tam_widget.errors import LayoutError
from tam_widget.models.families import qwen_vl

if TYPE_CHECKING:
    from tam_widget.models.layout import View
    from tam_widget.models.place import Place

__all__ = ["views"]


def views(place: Place) -> list[View]:
    """Return what :func:`tam_widget.models.families.qwen_vl.views` does.

    Raises
    ------
    LayoutError
        The processor was not asked for what the model cannot do without.
    """
    if "mm_token_type_ids" not in place.inputs:
        raise LayoutError(
            f"{type(place.processor).__name__} leaves out mm_token_type_ids, by which the model tells where {place} "
            "stands; set processor.return_mm_token_type_ids = True"
        )
    return qwen_vl.views(place)
