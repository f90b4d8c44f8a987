"""What covering says of one word, by fixed rules: whether it needs the place that its map marks.

Definitions
-----------
``ℓ(S)`` is the natural logarithm of the probability that the model gives the word when S is covered and the text before
it is the true one; of several tokens the sum. What is lost with S is ``ℓ(∅) − ℓ(S)``, in nats, the mean over two ways
of covering it: in the mean colour, and blurred. Both are there in :attr:`Verdict.bars`.

Rules, the first that holds
---------------------------
needs this place
    With the place it loses more than 0.5 nats, and more than with any of the eight random places.
needs the picture
    With everything covered it loses more than 0.5 nats. Not this place alone.
more likely without it
    With everything covered it gains more than 0.5 nats; or it does with the place, and more than with any of the
    random ones.
the words before are enough
    None of these.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tam_widget.figures.style import TAMFigure
    from tam_widget.models.inputs.parts import Medium
    from tam_widget.replay.covers import Cover, Covers

__all__ = ["KINDS", "LEAST", "RANDOM_PLACES", "Bars", "Kind", "Lost", "Verdict"]

LEAST = 0.5
"""Nats that a loss must exceed to count."""

RANDOM_PLACES = 8
"""How many places the marked one is held against."""

_NAMES: dict[Cover, str] = {"mean": "mean colour", "blur": "blurred"}

Kind: TypeAlias = Literal[
    "needs this place", "needs the picture", "the words before are enough", "more likely without it"
]
KINDS: tuple[Kind, ...] = (
    "needs this place",
    "needs the picture",
    "the words before are enough",
    "more likely without it",
)


@dataclass(frozen=True, slots=True)
class Lost:
    """What a word loses when something is covered.

    Attributes
    ----------
    nats : float
        The mean over both ways of covering; negative where the word gains.
    low, high : float
        The smaller and the greater loss of the two ways.
    """

    nats: float
    low: float
    high: float

    def __float__(self) -> float:
        return self.nats

    def __str__(self) -> str:
        nats, low, high = (f"{round(one, 2) + 0.0:.2f}" for one in (self.nats, self.low, self.high))  # 0.00, not -0.00
        return f"{nats} nats [{low}, {high}]"


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """A word's log-probabilities, in nats; in the mean colour first, then blurred.

    Attributes
    ----------
    original : float
        With everything to be seen.
    place : tuple of float or None
        With the place covered; None where the map marks none.
    random : ndarray of float64, shape (8, 2)
        With each random place covered; (0, 2) where the map marks none.
    whole : tuple of float
        With all pictures and videos covered.
    swapped : float or None
        With another picture in the place of the map's, where one was given.
    """

    original: float
    place: tuple[float, float] | None
    random: NDArray[np.float64]
    whole: tuple[float, float]
    swapped: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """Whether a word needs the place that its map marks; :meth:`tam_widget.Explanation.check` makes it.

    Attributes
    ----------
    text : str
        The word or phrase.
    tokens : tuple of int
        Its tokens.
    bars : Bars
        Its log-probabilities.
    image : int
        Which picture or video the place is in: the one that the map peaks in, or that was asked for.
    place : ndarray of bool or None
        The covered cells on that picture's grid, (rows, columns) or (frames, rows, columns); None where the map marks
        none.
    elsewhere : tuple of ndarray of bool
        The random places, eight of them; none where the map marks none.
    covers : Covers
        Covers the picture.
    swap : PIL.Image.Image, Video or None
        The other picture, where one was given.
    """

    text: str
    tokens: tuple[int, ...]
    bars: Bars
    image: int
    place: NDArray[np.bool_] | None
    elsewhere: tuple[NDArray[np.bool_], ...]
    covers: Covers
    swap: Medium | None = None

    @property
    def kind(self) -> Kind:
        """What came out, by the rules above."""
        place, random, whole = self.lost.nats, self.random, self.whole.nats
        if place > LEAST and place > random.max():
            return "needs this place"
        if whole > LEAST:
            return "needs the picture"
        if whole < -LEAST or (place < -LEAST and place < random.min()):
            return "more likely without it"
        return "the words before are enough"

    @property
    def lost(self) -> Lost:
        """What the word loses with the place; NaN where the map marks none."""
        return Lost(*[float("nan")] * 3) if self.bars.place is None else self._lost(self.bars.place)

    @property
    def whole(self) -> Lost:
        """What it loses with everything covered."""
        return self._lost(self.bars.whole)

    @property
    def random(self) -> NDArray[np.float64]:
        """What it loses with each random place, float64, (8,); in the mean over both ways of covering."""
        lost: NDArray[np.float64] = self.bars.original - self.bars.random.mean(axis=1)
        return lost

    @property
    def swapped(self) -> float | None:
        """What it loses with the other picture, in nats; None where none was given."""
        return None if self.bars.swapped is None else self.bars.original - self.bars.swapped

    @property
    def visual(self) -> float:
        """The share of its probability that is the picture's, ``1 − exp(−loss)`` with everything covered, in [0, 1]."""
        return max(0.0, -math.expm1(-self.whole.nats))

    @property
    def source(self) -> Literal["visual", "spoken from habit"]:
        """Whether the word needs what is seen; one spoken from habit may be made up."""
        return "visual" if self.kind in {"needs this place", "needs the picture"} else "spoken from habit"

    @property
    def sentence(self) -> str:
        """What came out, in one sentence for a person; a second one for the other picture."""
        word, whole, place = f"“{self.text}”", self.whole.nats, self.lost.nats
        if self.kind == "needs this place":
            elsewhere = max(float(self.random.max()), 0)
            said = (
                f"{word} needs this place: covering it {_costs(place)}, any other of its size at most {elsewhere:.1f}."
            )
        elif self.kind == "needs the picture" and self.bars.place is None:
            said = f"{word} needs the picture, though its map marks no place: covering everything {_costs(whole)}."
        elif self.kind == "needs the picture":
            said = (
                f"{word} needs the picture, not this place alone: covering everything {_costs(whole)}, this place "
                f"{_costs(place)}."
            )
        elif self.kind == "the words before are enough":
            said = f"For {word} the words before are enough: covering everything {_costs(whole)}."
        elif whole < -LEAST:
            said = f"{word} would be more likely without the picture: covering it {_costs(whole)}."
        else:
            said = f"{word} would be more likely without this place: covering it {_costs(place)}."
        return said if self.swapped is None else f"{said} The other picture {_costs(self.swapped)}."

    @property
    def costs(self) -> tuple[tuple[str, float], ...]:
        """What each cover costs, in nats, with its name: the place, another one, everything, the other picture."""
        bars, found = self.bars, []
        if bars.place is not None:
            found += [(f"This place, {name}", bars.original - bars.place[k]) for k, name in enumerate(_NAMES.values())]
            found += [("Another place, on average", float(self.random.mean()))]
            found += [("Another place, at most", float(self.random.max()))]
        found += [(f"Everything, {name}", bars.original - bars.whole[k]) for k, name in enumerate(_NAMES.values())]
        return tuple(found if self.swapped is None else [*found, ("The other picture", self.swapped)])

    @property
    def pictures(self) -> dict[str, Medium]:
        """The picture or video as the model was shown it, by what was done to it; made anew each time.

        ``"original"``, ``"place, mean colour"``, ``"place, blurred"``, ``"random place, mean colour"`` (the one that
        cost most), ``"everything, mean colour"``, ``"everything, blurred"``, ``"swapped"``; only what there was.
        """
        covers = self.covers
        shown: dict[str, Medium] = {"original": covers.medium}
        if self.place is not None:
            shown |= {f"place, {name}": covers.covered(self.place, cover) for cover, name in _NAMES.items()}
            shown["random place, mean colour"] = covers.covered(self.elsewhere[int(self.random.argmax())], "mean")
        everything = np.ones(covers.grid, dtype=np.bool_)
        shown |= {f"everything, {name}": covers.covered(everything, cover) for cover, name in _NAMES.items()}
        return shown if self.swap is None else {**shown, "swapped": self.swap}

    def plot(self, *, width: float = 9.0) -> TAMFigure:
        """Return a figure of the covered pictures over the sentence and the bars; `width` is in inches."""
        from tam_widget.figures.verdict import plot_verdict

        return plot_verdict(self, width=width)

    def __repr__(self) -> str:
        place = "its map marks no place" if self.place is None else f"loses {self.lost} with its place"
        return f"<Verdict on {self.text!r}: {self.kind}; {place}, {self.whole} with everything covered>"

    def _lost(self, pair: tuple[float, float]) -> Lost:
        each = [self.bars.original - one for one in pair]
        return Lost(sum(each) / 2, min(each), max(each))


def _costs(nats: float) -> str:
    if abs(nats) < 0.05:  # noqa: PLR2004 - it would be shown as 0.0
        return "costs nothing"
    return f"{'costs' if nats > 0 else 'gains'} {abs(nats):.1f} nats"
