"""The widget class: traits, and one handler."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from tam_widget.widget.colormaps import COLORMAPS, DIVERGING, colormap_table
from tam_widget.widget.encode import embed_maps, embedded_size, encode_pictures, encode_tokens, encode_words
from tam_widget.widget.requests import Turns, answer, later
from tam_widget.widget.settings import Settings

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


class TAMWidget(Settings, anywidget.AnyWidget):
    """The picture and the sentence: hover a word to see where the model looked.

    Parameters
    ----------
    explanation : Explanation
        What to show. The widget keeps it, and with it the model's activations, until :meth:`close`.
    embed : bool, optional
        Whether the maps of all tokens become part of the widget's state, so that a saved notebook, a page made by
        nbconvert or a dead kernel still shows them. By default they do where all together are at most 1 MiB.
    title : str
        Stands over the widget; empty for none.
    **settings
        See :class:`tam_widget.widget.settings.Settings`.

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
    title = traitlets.Unicode().tag(sync=True)
    selected: traitlets.List[int] = traitlets.List(traitlets.Int()).tag(sync=True)
    pinned: traitlets.List[int] = traitlets.List(traitlets.Int()).tag(sync=True)
    region = traitlets.Dict(default_value=None, allow_none=True).tag(sync=True)
    focus: traitlets.List[Any] = traitlets.List().tag(sync=True)
    """The word that is looked at, as [its text, which of its occurrences]; widgets side by side are linked by it."""

    def __init__(self, explanation: Explanation, *, embed: bool | None = None, **settings: Any) -> None:
        names = ("title", *self.setting_names())
        if unknown := settings.keys() - set(names):
            raise TypeError(f"unknown keyword {', '.join(sorted(unknown))}; the widget takes embed, {', '.join(names)}")
        if embed is None:
            embed = embedded_size(explanation) <= EMBED_LIMIT
        self._explanation = explanation
        self._turns = Turns()
        self.set_trait("tokens", encode_tokens(explanation))
        self.set_trait("words", encode_words(explanation.words))
        self.set_trait("pictures", encode_pictures(explanation))
        self.set_trait("maps", embed_maps(explanation) if embed else None)
        self.set_trait("colormaps", {name: colormap_table(name) for name in (*COLORMAPS, DIVERGING)})
        super().__init__(**settings)
        _answer_where_asked(self.comm)
        self.on_msg(self._on_request)

    def __repr__(self) -> str:
        """Return one line; a page without widgets shows it."""
        return f"TAMWidget({self._explanation!r})"

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
        if region is None:
            return None
        shown = {(picture["image"], picture["frame"]) for picture in self.pictures}
        if region.keys() != {"image", "frame", "box"} or (region["image"], region["frame"]) not in shown:
            raise traitlets.TraitError(
                f"a region is {{'image': 0, 'frame': None, 'box': (left, top, right, bottom)}} with a picture or frame "
                f"that is shown, not {region!r:.200}"
            )
        left, top, right, bottom = region["box"]
        if not (0 <= left <= right <= 1 and 0 <= top <= bottom <= 1):
            raise traitlets.TraitError(f"a box is (left, top, right, bottom) in [0, 1], not {region['box']!r:.200}")
        return {**region, "box": [float(edge) for edge in (left, top, right, bottom)]}

    def _on_request(self, _widget: TAMWidget, content: Any, _buffers: list[memoryview]) -> None:
        # Comes on a subshell's thread, perhaps while a cell runs: stay away from the cell's event loop.
        with self._turns.of(content) as is_newest:
            reply = answer(self._explanation, content) if is_newest else later(content)
        if reply is not None:
            self.send(*reply)
