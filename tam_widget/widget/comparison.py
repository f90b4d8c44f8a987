"""Explanations side by side: the same picture through several models, or one model before and after."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ipywidgets import GridBox, jslink

from tam_widget.widget import TAMWidget
from tam_widget.widget.outputs import KeptWhileShown, refer_weakly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tam_widget.explanation import Explanation

__all__ = ["compare"]

_NARROWEST = "320px"  # a column; narrower pages put columns below each other


class _Columns(KeptWhileShown, GridBox):  # type: ignore[misc]
    """Widgets side by side, and what links them."""

    def __init__(self, columns: Sequence[TAMWidget]) -> None:
        self._links = [
            jslink((left, trait), (right, trait))
            for left, right in pairwise(columns)
            for trait in ("focus", *TAMWidget.setting_names())
        ]
        for link in self._links:
            refer_weakly(link)
        template = f"repeat(auto-fit, minmax(min({_NARROWEST}, 100%), 1fr))"
        super().__init__(columns, layout={"grid_template_columns": template, "grid_gap": "24px", "width": "100%"})

    def close(self) -> None:
        """Close it, and the columns that nobody else refers to."""
        super().close()
        self._links.clear()
        self.children = ()


def compare(explanations: Sequence[Explanation], titles: Sequence[str] | None = None, **settings: Any) -> GridBox:
    """Show explanations in columns, with linked words and settings.

    Look at a word in one column, and the same word lights up in all that have it (its second occurrence there, if it is
    the second here). Settings that are changed in one change in all. The links work in the page itself, without the
    kernel.

    Parameters
    ----------
    explanations : sequence of Explanation
        At least one.
    titles : sequence of str, optional
        One for each; the models' names by default, numbered where they are the same.
    **settings
        As for :class:`tam_widget.TAMWidget`.

    Returns
    -------
    ipywidgets.GridBox
        Its ``children`` are the :class:`tam_widget.TAMWidget` of each explanation. ``close()`` closes the columns that
        nobody else refers to.

    Raises
    ------
    ValueError
        There is no explanation, or not one title for each.
    TypeError
        A keyword that the widget does not take.

    Examples
    --------
    >>> compare([tam.explain(model, processor, picture, "Describe the image.") for model, processor in models])
    """
    explanations = list(explanations)
    names = _names(explanations) if titles is None else [str(title) for title in titles]
    if not explanations or len(names) != len(explanations):
        raise ValueError(f"compare() needs explanations and a title for each; got {len(explanations)} and {len(names)}")
    columns = [
        TAMWidget(explanation, title=name, **settings) for explanation, name in zip(explanations, names, strict=True)
    ]
    return _Columns(columns)


def _names(explanations: Sequence[Explanation]) -> list[str]:
    names = [explanation.model_name for explanation in explanations]
    return [
        f"{name} ({names[: place + 1].count(name)})" if names.count(name) > 1 else name
        for place, name in enumerate(names)
    ]
