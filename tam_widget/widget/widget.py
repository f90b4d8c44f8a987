"""The widget class: traits, and one handler."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

import anywidget
import ipywidgets
import traitlets

from tam_widget.errors import ExplanationGoneError
from tam_widget.widget import remembered
from tam_widget.widget.colormaps import COLORMAPS, DIVERGING, colormap_table
from tam_widget.widget.encode import embed_maps, embedded_size, encode_pictures, encode_tokens, encode_words
from tam_widget.widget.outputs import KeptWhileShown
from tam_widget.widget.requests import Turns, answer, later
from tam_widget.widget.settings import Settings
from tam_widget.widget.traits import Focus, Region, Text, Tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from tam_widget.explanation import Explanation

__all__ = ["EMBED_LIMIT", "TAMWidget", "output_widget"]

EMBED_LIMIT = 2**20
"""Maps are embedded unasked where all of them together are no larger than this (bytes)."""


_OWN_KEYWORDS = tuple(name for name in ipywidgets.DOMWidget.class_trait_names(sync=True) if not name.startswith("_"))
"""What ipywidgets takes for any widget: layout, tooltip, …"""


def _bundled(name: str) -> str | Path:
    """Return what the page runs: its text, or the file where it is to be reloaded; that keeps every widget alive."""
    path = Path(__file__).parent / "static" / name
    if not path.is_file():
        raise FileNotFoundError(f"{path} has not been built; run `npm ci && npm run build` in the source folder")
    return path if os.environ.get("ANYWIDGET_HMR") == "1" else path.read_text(encoding="utf-8")


def _answer_where_asked(comm: Any) -> None:
    """Let the browser choose the thread that answers.

    JupyterLab sends what a widget asks to a subshell, which answers while a cell runs. ipykernel 7.4 passes it on to
    the thread that last wrote on the comm: the main one, so that a hover would wait for the cell's end
    (``BaseComm._reply_subshell_for``; other versions have no such thing).
    """
    if getattr(comm, "_reply_subshell_for", None) is not None:
        comm._reply_subshell_for = None  # noqa: SLF001 - there is no public switch


class TAMWidget(Settings, KeptWhileShown, anywidget.AnyWidget):
    """The picture and the sentence: hover a word to see where the model looked.

    Parameters
    ----------
    explanation : Explanation
        What to show. The widget keeps it, and with it the model's activations, until :meth:`close`. Without that, until
        nobody refers to the widget any more and the cell that showed it has run again.
    embed : bool, optional
        Whether the maps of all tokens become part of the widget's state, so that a page made by nbconvert, a widget
        whose kernel has died, or a notebook that was saved with its widgets' state still shows them. By default they
        do where all together are at most 1 MiB.
    title : str
        Stands over the widget; empty for none.
    **settings
        See :class:`tam_widget.widget.settings.Settings`; they begin as ``tam_widget.settings`` has them. Also what
        ipywidgets takes for any widget: ``layout``, ``tooltip``, ``tabbable``.

    Attributes
    ----------
    selected : list of int
        The tokens whose map is shown now: those under the pointer, or else the pinned ones. Empty for none.
    pinned : list of int
        The tokens whose map stays when the pointer leaves; set it to pin from Python.
    region : dict or None
        The part of a picture that is asked about: ``image``, ``frame`` (None for a picture) and ``box``, (left, top,
        right, bottom) as fractions of the picture.

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
    title = Text().tag(sync=True)
    tooltip = Text(None, allow_none=True).tag(sync=True)
    selected = Tokens().tag(sync=True)
    pinned = Tokens().tag(sync=True)
    region = Region().tag(sync=True)
    focus = Focus().tag(sync=True)
    """The word that is looked at, as [its text, which of its occurrences]; widgets side by side are linked by it."""

    _kept: Explanation | None = None
    _explanation: Callable[[], Explanation | None]

    def __init__(self, explanation: Explanation, *, embed: bool | None = None, **settings: Any) -> None:
        names = ("title", *self.setting_names(), *_OWN_KEYWORDS)
        if unknown := settings.keys() - set(names):
            raise TypeError(f"unknown keyword {', '.join(sorted(unknown))}; the widget takes embed, {', '.join(names)}")
        if embed is None:
            embed = embedded_size(explanation) <= EMBED_LIMIT
        self._kept, self._explanation = explanation, ref(explanation)
        self._turns = Turns()
        self.set_trait("tokens", encode_tokens(explanation))
        self.set_trait("words", encode_words(explanation.words))
        self.set_trait("pictures", encode_pictures(explanation))
        self.set_trait("maps", embed_maps(explanation) if embed else None)
        self.set_trait("colormaps", {name: colormap_table(name) for name in (*COLORMAPS, DIVERGING)})
        super().__init__(**{**remembered.settings.changed(), **settings})
        _answer_where_asked(self.comm)
        self.on_msg(_on_request)

    def close(self) -> None:
        """Take the widget out of the page and let go of the explanation; what is set and selected can still be read."""
        super().close()
        self._kept, self._explanation = None, _nothing

    def set_state(self, sync_data: Any) -> None:
        """Take from the page what could be set from Python, or nothing of it; the page is told how things stand.

        What is not for changing is passed over: some hosts send it back with every change.

        Raises
        ------
        traitlets.TraitError
            A value that cannot be taken.
        """
        if not isinstance(sync_data, dict):
            raise traitlets.TraitError(f"a page's state is a mapping, not {type(sync_data).__name__}")
        given = {name: value for name, value in sync_data.items() if self._is_for_the_page(name)}
        try:
            super().set_state(given)
        except traitlets.TraitError:
            self.send_state(list(given))
            raise
        remembered.settings.learn({name: getattr(self, name) for name in given})

    def _is_for_the_page(self, name: str) -> bool:
        """Whether a page may set a trait: not what the widget is made of."""
        if name not in self.keys or name == "layout" or (name.startswith("_") and name != "_view_count"):
            return False
        return not self.traits()[name].read_only

    def __repr__(self) -> str:
        """Return one line; a page without widgets shows it."""
        explanation = self._explanation()
        if explanation is None:
            return f"TAMWidget({'closed' if self.comm is None else 'its explanation is gone'})"
        return f"TAMWidget({explanation!r})"

    @traitlets.validate("selected", "pinned")
    def _check_tokens(self, proposal: dict[str, Any]) -> list[int]:
        tokens: list[int] = proposal["value"]
        wrong = [token for token in tokens if not 0 <= token < len(self.tokens)]
        if wrong:
            raise traitlets.TraitError(f"there is no token {wrong[0]}; there are {len(self.tokens)}, counted from 0")
        return sorted(set(tokens))

    @traitlets.validate("region")
    def _check_region(self, proposal: dict[str, Any]) -> dict[str, Any] | None:
        region: dict[str, Any] | None = proposal["value"]
        shown = {(picture["image"], picture["frame"]) for picture in self.pictures}
        if region is not None and (region["image"], region["frame"]) not in shown:
            raise traitlets.TraitError(f"a region is part of a picture or frame that is shown, not {region!r:.200}")
        return region


def output_widget(explanation: Explanation) -> TAMWidget:
    """Return the widget that shows an explanation where it is a cell's output: always the same one, while it is open.

    It does not keep the explanation, whose owner may delete it; what is embedded is shown also then.
    """
    widget = _OF_OUTPUTS.get(explanation)
    if widget is None or widget.comm is None:
        widget = _OF_OUTPUTS[explanation] = TAMWidget(explanation)
        widget._kept = None  # noqa: SLF001 - the class's own file
    return widget


_OF_OUTPUTS: WeakKeyDictionary[Explanation, TAMWidget] = WeakKeyDictionary()


class _Gone:
    """Stands where an explanation was: asked for anything, it says so."""

    def __getattr__(self, name: str) -> Any:
        raise ExplanationGoneError(
            "the explanation that this output shows was deleted or overwritten; run its cell again "
            "(ex.widget() makes a widget that keeps it)"
        )


_GONE: Any = _Gone()


def _on_request(widget: TAMWidget, content: Any, _buffers: list[memoryview]) -> None:
    # Comes on a subshell's thread, perhaps while a cell runs: stay away from the cell's event loop.
    explanation: Any = widget._explanation()  # noqa: SLF001 - a method would keep its widget: ipywidgets keeps handlers
    with widget._turns.of(content) as is_newest:  # noqa: SLF001
        reply = answer(_GONE if explanation is None else explanation, content) if is_newest else later(content)
    if reply is not None:
        widget.send(*reply)


def _nothing() -> None:
    return None
