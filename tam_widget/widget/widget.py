"""The widget class: traits, and one handler."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from tam_widget.widget.colormaps import COLORMAPS, colormap_table
from tam_widget.widget.encode import embed_maps, embedded_size, encode_pictures, encode_tokens, encode_words
from tam_widget.widget.requests import answer

if TYPE_CHECKING:
    from tam_widget.explanation import Explanation

__all__ = ["EMBED_LIMIT", "TAMWidget"]

EMBED_LIMIT = 2**20
"""Maps are embedded unasked where all of them together are no larger than this (bytes)."""


def _bundled(name: str) -> Path:
    path = Path(__file__).parent / "static" / name
    if not path.is_file():
        raise FileNotFoundError(f"{path} has not been built; run `npm ci && npm run build` in the source folder")
    return path


def _answer_where_asked(comm: Any) -> None:
    """Let the browser choose the thread that answers.

    JupyterLab sends what a widget asks to a subshell, which answers while a cell runs. ipykernel 7.4 passes it on to
    the thread that last wrote on the comm: the main one, so that a hover would wait for the cell's end
    (``BaseComm._reply_subshell_for``; other versions have no such thing).
    """
    if getattr(comm, "_reply_subshell_for", None) is not None:
        comm._reply_subshell_for = None  # noqa: SLF001 - there is no public switch


class TAMWidget(anywidget.AnyWidget):
    """The picture and the sentence: hover a token to see where the model looked.

    Parameters
    ----------
    explanation : Explanation
        What to show. The widget keeps it, and with it the model's activations, until :meth:`close`.
    embed : bool, optional
        Whether the maps of all tokens become part of the widget's state, so that a saved notebook, a page made by
        nbconvert or a dead kernel still shows them. By default they do where all together are at most 1 MiB.
    opacity : float
        How strongly the peak of a map covers the picture, in [0, 1].
    colormap : str
        Name of a matplotlib colour map.
    smooth : bool
        Whether values are interpolated between the cells of the map, or each cell shown as it is.

    Raises
    ------
    TypeError
        If a keyword is not one of these.
    traitlets.TraitError
        If a setting has a value that it cannot take; also later, when it is set from Python.
    """

    _esm = _bundled("widget.js")
    _css = _bundled("widget.css")

    tokens: traitlets.List[Any] = traitlets.List(read_only=True).tag(sync=True)
    words: traitlets.List[Any] = traitlets.List(read_only=True).tag(sync=True)
    pictures: traitlets.List[Any] = traitlets.List(read_only=True).tag(sync=True)
    maps = traitlets.Dict(default_value=None, allow_none=True, read_only=True).tag(sync=True)
    colormaps = traitlets.Dict(read_only=True).tag(sync=True)
    opacity = traitlets.Float(0.7, min=0.0, max=1.0).tag(sync=True)
    colormap = traitlets.Unicode(COLORMAPS[0]).tag(sync=True)
    smooth = traitlets.Bool(default_value=True).tag(sync=True)

    def __init__(self, explanation: Explanation, *, embed: bool | None = None, **settings: Any) -> None:
        names = ("opacity", "colormap", "smooth")
        if unknown := settings.keys() - set(names):
            raise TypeError(f"unknown keyword {', '.join(sorted(unknown))}; the widget takes embed, {', '.join(names)}")
        if embed is None:
            embed = embedded_size(explanation) <= EMBED_LIMIT
        self._explanation = explanation
        self._lock = threading.Lock()
        self.set_trait("tokens", encode_tokens(explanation))
        self.set_trait("words", encode_words(explanation.words))
        self.set_trait("pictures", encode_pictures(explanation))
        self.set_trait("maps", embed_maps(explanation) if embed else None)
        self.set_trait("colormaps", {name: colormap_table(name) for name in COLORMAPS})
        super().__init__(**settings)
        _answer_where_asked(self.comm)
        self.on_msg(self._on_request)

    def __repr__(self) -> str:
        """Return one line; a page without widgets shows it."""
        return f"TAMWidget({self._explanation!r})"

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

    def _on_request(self, _widget: TAMWidget, content: Any, _buffers: list[memoryview]) -> None:
        # Comes on a subshell's thread, perhaps while a cell runs: hold the lock, stay away from the cell's event loop.
        with self._lock:
            reply = answer(self._explanation, content)
        if reply is not None:
            self.send(*reply)
