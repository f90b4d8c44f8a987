"""What every lens is asked and returns, for the widget's maps and for the lab's methods alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["KERNEL_SIZE", "LENSES", "PUBLISHED", "Found", "Lens", "LensName", "Method", "Part", "check_lenses"]

KERNEL_SIZE = 3
"""Side of the rank Gaussian filter's window, in cells, as published."""

LensName: TypeAlias = Literal["tam", "contribution", "attention", "attention_mean"]
Part: TypeAlias = Literal["map", "raw", "interference", "signed"]

LENSES: tuple[LensName, ...] = ("tam", "contribution", "attention", "attention_mean")
"""What there is; the first is the published one."""

_PARTS = {"tam": ("map", "raw", "interference"), "contribution": ("map", "signed")}


@dataclass(frozen=True, slots=True)
class Method:
    """Which lens makes a map, and which parts of it.

    Attributes
    ----------
    causal_inference : bool
        Of TAM: whether what earlier text explains is taken away (equations 3 to 5).
    kernel_size : int
        Of TAM: side of the rank Gaussian filter's window in cells, odd; 1 for none.
    part : {"map", "raw", "interference", "signed"}
        The map in [0, 1]. Or, in logits: of TAM the raw activation that it begins with or what causal inference takes
        away from it, without the filter; of contributions the signed numbers.
    lens : {"tam", "contribution", "attention", "attention_mean"}
        Which reading of the pass.
    """

    causal_inference: bool = True
    kernel_size: int = KERNEL_SIZE
    part: Part = "map"
    lens: LensName = "tam"

    def __post_init__(self) -> None:
        if self.lens not in LENSES:
            raise ValueError(f"lens must be one of {', '.join(map(repr, LENSES))}, not {self.lens!r}")
        parts = _PARTS.get(self.lens, ("map",))
        if self.part not in parts:
            known = " or ".join([", ".join(map(repr, parts[:-1])), repr(parts[-1])] if parts[1:] else [repr(parts[0])])
            raise ValueError(f"part must be {known} with lens={self.lens!r}, not {self.part!r}")
        size = self.kernel_size
        if isinstance(size, bool) or not isinstance(size, int) or size < 1 or size % 2 == 0:
            raise ValueError(f"kernel_size must be a positive odd number, not {size!r}")
        if self.lens != "tam" and (size != KERNEL_SIZE or not self.causal_inference):
            raise ValueError(
                f"causal_inference and kernel_size are parts of TAM; leave them out with lens={self.lens!r}"
            )


PUBLISHED = Method()
"""As published."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Maps of Q tokens, one lens's.

    Attributes
    ----------
    cells : sequence of numpy.ndarray of float32
        For each panel the maps over its whole grid, (Q, rows, columns); NaN where the model saw nothing.
    relevance : numpy.ndarray of float32, shape (Q, T)
        The relevance of each earlier text token; NaN where the lens says nothing of text.
    """

    cells: Sequence[NDArray[np.float32]]
    relevance: NDArray[np.float32]


class Lens(Protocol):
    """A way to read maps from what a forward pass left."""

    @property
    def about(self) -> str:
        """What it shows, in a sentence."""
        ...

    def together(self, method: Method) -> int:
        """Return how many maps are made at a time."""
        ...

    def read(self, tokens: Sequence[int], class_ids: Sequence[int], method: Method) -> Found:
        """Return the maps of some tokens, each explained with a class: a vocabulary id.

        Raises
        ------
        MapMemoryError
            There is not so much memory.
        """
        ...


def check_lenses(names: Sequence[str]) -> tuple[LensName, ...]:
    """Return names of lenses, each once and TAM first.

    Raises
    ------
    ValueError
        A name that is none; it says which there are.
    """
    given = (names,) if isinstance(names, str) else tuple(names)
    unknown = [name for name in given if name not in LENSES]
    if unknown:
        raise ValueError(f"lenses must be some of {', '.join(map(repr, LENSES))}, not {unknown[0]!r}")
    return tuple(name for name in LENSES if name == "tam" or name in given)
