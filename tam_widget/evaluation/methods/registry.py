"""One interface for every way to make maps: a name, and a function from an explained picture to a map a token."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Protocol, SupportsIndex

import numpy as np

from tam_widget.errors import MethodError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tam_widget.replay.explained import Explained

__all__ = ["Method", "MethodError", "method_maps", "method_names", "on_grid", "register_method", "scale_each"]


class Method(Protocol):
    """A way to make maps: a function from an explained picture and some of its tokens to a map of each.

    Parameters
    ----------
    explained : Explained
        Model, processor and explanation.
    tokens : sequence of int
        Which tokens, Q of them.

    Returns
    -------
    ndarray of float32, shape (Q, rows, columns)
        Over the picture's grid, ``explained.explanation.grids[0]``, in [0, 1]; NaN where the model saw nothing. A
        coarse view of the whole beside tiles is left out.
    """

    def __call__(self, explained: Explained, tokens: Sequence[int], /) -> NDArray[np.float32]:
        """Return the maps."""
        ...


_METHODS: dict[str, Method] = {}


def register_method(name: str, function: Method) -> None:
    """Give a method a name, under which it can be compared with the others.

    Parameters
    ----------
    name : str
        A name that is known already is replaced.
    function : Method
        ``function(explained, tokens)``: what it gets and returns stands in
        :class:`~tam_widget.evaluation.methods.Method`. :func:`scale_each` brings any numbers to [0, 1],
        :func:`on_grid` lays values of the vision tokens on the grid.

    Raises
    ------
    TypeError
        `function` cannot be called.

    Examples
    --------
    A method that knows nothing but the picture's middle:

    >>> def middle(explained, tokens):
    ...     rows, columns = explained.explanation.grids[0]
    ...     y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    ...     return np.repeat(np.exp(-(x**2) - y**2)[None], len(tokens), axis=0)
    >>> register_method("middle", middle)
    """
    if not callable(function):
        raise TypeError(f"a method must be a function of an explained picture, got {type(function).__name__}")
    _METHODS[name] = function


def method_names() -> tuple[str, ...]:
    """Return the names of all methods, in the order in which they were registered."""
    return tuple(_METHODS)


def method_maps(
    method: str | Method, explained: Explained, tokens: Sequence[SupportsIndex] | None = None
) -> NDArray[np.float32]:
    """Return one method's maps of some tokens.

    Parameters
    ----------
    method : str or Method
        One of :func:`method_names`, or a function as :func:`register_method` takes it.
    explained : Explained
        Model, processor and explanation.
    tokens : sequence of int or Token, optional
        Q tokens; all by default. Gradients cost at least one pass a token, so name the ones of interest.

    Returns
    -------
    ndarray of float32, shape (Q, rows, columns)
        In [0, 1], larger where the token has more to do with the cell; NaN where the model saw nothing.

    Raises
    ------
    MethodError
        There is no such method, it does not apply to the model, or it returned another shape or values outside [0, 1].
    TokenIndexError
        An index outside the explanation.
    MissingDependencyError
        The method needs a package that is not installed.
    """
    if isinstance(method, str):
        if method not in _METHODS:
            raise MethodError(f"there is no method {method!r}; there are: {', '.join(_METHODS)}")
        name, function = method, _METHODS[method]
    else:
        name, function = getattr(method, "__name__", type(method).__name__), method
    explanation = explained.explanation
    asked = range(len(explanation.tokens)) if tokens is None else tokens
    indices = [explanation.index(operator.index(token)) for token in asked]
    maps = np.asarray(function(explained, indices), dtype=np.float32)
    expected = (len(indices), *explanation.grids[0])
    if maps.shape != expected:
        raise MethodError(f"{name} returned maps of the shape {maps.shape}; (tokens, rows, columns) is {expected}")
    if maps.size and (np.isinf(maps).any() or np.nanmin(maps, initial=0) < 0 or np.nanmax(maps, initial=1) > 1):
        raise MethodError(
            f"{name} returned values from {np.nanmin(maps):.3g} to {np.nanmax(maps):.3g}; maps are in [0, 1]: "
            "scale_each() brings them there"
        )
    return maps


def scale_each(maps: NDArray[np.floating]) -> NDArray[np.float32]:
    """Bring each map to [0, 1] by its own minimum and maximum; a map that is the same everywhere becomes 0.

    Parameters
    ----------
    maps : ndarray of float, shape (Q, rows, columns)
        NaN stays NaN.

    Returns
    -------
    ndarray of float32, same shape
    """
    seen = np.isfinite(maps)
    low = np.min(maps, axis=(1, 2), where=seen, initial=np.inf, keepdims=True)
    high = np.max(maps, axis=(1, 2), where=seen, initial=-np.inf, keepdims=True)
    flat = ~(high > low)
    low, span = np.where(flat, 0, low), np.where(flat, 1, high - low)
    scaled = np.clip(np.where(flat, 0, (np.where(seen, maps, 0) - low) / span), 0, 1)
    return np.where(seen, scaled, np.nan).astype(np.float32)


def on_grid(explained: Explained, values: NDArray[np.floating], tokens: Sequence[int]) -> NDArray[np.float32]:
    """Lay values of the seen cells on the picture's grid.

    Parameters
    ----------
    explained : Explained
        Whose picture it is.
    values : ndarray of float, shape (Q, N)
        In the order of ``explained.reading.cells``.
    tokens : sequence of int
        The Q tokens that they are of.

    Returns
    -------
    ndarray of float32, shape (Q, rows, columns)
        NaN where the model saw nothing, and everywhere for a token that is read before the picture ends.
    """
    reading = explained.reading
    seen = reading.panel.positions.shape
    maps = reading.panel.spread(np.asarray(values, dtype=np.float32).reshape(-1, *seen)).copy()
    maps[reading.vision.max() > reading.read[list(tokens)]] = np.nan
    return maps
