"""What keeps a widget: whoever refers to it, and the output that shows it, until its cell runs again.

ipywidgets keeps every widget until it is closed: its registry and the widget's comm refer to it, so that what is shown
lives on when no variable bears its name. That frees nothing by itself. Here both refer weakly, and outputs keep what
they show.
"""

from __future__ import annotations

import sys
from collections import deque
from typing import Any
from weakref import WeakMethod, proxy

import ipywidgets
from ipywidgets.widgets import widget as registering

__all__ = ["LOOSE", "KeptWhileShown", "refer_weakly"]

LOOSE = 32
"""So many widgets are kept that were shown outside of a cell (by a callback, or in no notebook), the latest."""

_SHOWN: dict[str, tuple[str, list[Any]]] = {}  # by cell: its last run that showed something, and what
_LOOSE: deque[Any] = deque(maxlen=LOOSE)


class KeptWhileShown(ipywidgets.DOMWidget):  # type: ignore[misc]
    """A widget that closes when nobody refers to it any more and no output shows it.

    Parameters
    ----------
    layout : ipywidgets.Layout or dict, optional
        Where it is not a ``Layout`` of the caller's, it belongs to the widget and is closed with it.
    *args, **options
        For the class beside this one.
    """

    _own_layout: ipywidgets.Layout | None = None

    def __init__(self, *args: Any, layout: Any = None, **options: Any) -> None:
        if layout is None or isinstance(layout, dict):
            layout = self._own_layout = ipywidgets.Layout(**(layout or {}))
        try:
            super().__init__(*args, layout=layout, **options)
        except BaseException:
            self._close_layout()
            raise
        refer_weakly(self)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        _keep(self)
        return super()._repr_mimebundle_(**options)

    def close(self) -> None:
        """Take the widget out of the page, and let go of all that it held."""
        super().close()
        self._close_layout()
        for _, shown in [*_SHOWN.values(), ("", _LOOSE)]:
            if any(widget is self for widget in shown):
                shown.remove(self)

    def __del__(self) -> None:
        if sys is not None and not sys.is_finalizing():  # a kernel that ends leaves the page as it is
            super().__del__()

    def _close_layout(self) -> None:
        if self._own_layout is not None:
            self._own_layout.close()
            self._own_layout = None


def refer_weakly(widget: Any) -> None:
    """Let ipywidgets' registry and the widget's comm refer to an open widget without keeping it."""
    vars(registering).get("_instances", {})[widget.model_id] = proxy(widget)  # ipywidgets 8; there is no public switch
    receive, close = WeakMethod(widget._handle_msg), WeakMethod(widget.close)  # noqa: SLF001 - ipywidgets' own handler

    def on_message(message: Any) -> None:
        if (method := receive()) is not None:
            method(message)

    def on_close(_message: Any) -> None:
        if (method := close()) is not None:
            method()

    widget.comm.on_msg(on_message)
    widget.comm.on_close(on_close)  # ipywidgets does not listen, and would keep a widget that no page knows


def _keep(widget: Any) -> None:
    """Keep a widget for the output of the cell that runs now, in place of what its earlier runs showed."""
    cell, run = _running()
    last, shown = _SHOWN.get(cell, ("", [])) if cell else (run, _LOOSE)
    if last != run:
        shown = []
    if not any(other is widget for other in shown):
        shown.append(widget)
    if cell:
        _SHOWN[cell] = (run, list(shown))


def _running() -> tuple[str, str]:
    """Return which cell runs now, and which run of it this is; empty outside of a cell.

    JupyterLab, Notebook and VS Code tell the cell's id with what they run; elsewhere a cell is known by its text.
    """
    ipython = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if ipython else None
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    code = parent.get("content", {}).get("code")
    if code is None:
        return "", ""
    return parent.get("metadata", {}).get("cellId") or code, parent["header"]["msg_id"]
