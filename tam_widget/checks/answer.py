"""The verdicts of a whole answer, and how many of them chance would give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from tam_widget.checks.verdict import KINDS, LEAST

if TYPE_CHECKING:
    from tam_widget.checks.verdict import Kind, Verdict
    from tam_widget.figures.style import TAMFigure

__all__ = ["Verdicts"]


class Verdicts(Sequence["Verdict"]):
    """Verdicts on the content words of an answer, in order; :meth:`tam_widget.Explanation.check` makes them.

    Parameters
    ----------
    found : sequence of Verdict
        Those that were made.
    answer : str
        The answer.
    spans : sequence of tuple of int
        First and last + 1 character of each of its content words; more than there are verdicts where it was
        interrupted.

    Attributes
    ----------
    answer, spans
        As given.
    """

    def __init__(self, found: Sequence[Verdict], answer: str, spans: Sequence[tuple[int, int]]) -> None:
        self._found = tuple(found)
        self.answer = answer
        self.spans = tuple(spans)

    @overload
    def __getitem__(self, index: int) -> Verdict: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Verdict, ...]: ...

    def __getitem__(self, index: int | slice) -> Verdict | tuple[Verdict, ...]:
        return self._found[index]

    def __len__(self) -> int:
        return len(self._found)

    @property
    def is_complete(self) -> bool:
        """Whether every word was checked."""
        return len(self) == len(self.spans)

    @property
    def counts(self) -> dict[Kind, int]:
        """How many words came out as each kind."""
        counted = Counter(one.kind for one in self)
        return {kind: counted[kind] for kind in KINDS}

    @property
    def by_chance(self) -> float:
        """The share of words that would be said to need their place if maps marked places at random, in [0, 1].

        A marked place that is no better than the eight random ones costs most of the nine once in nine times; it counts
        where that loss is above 0.5 nats. NaN where no word was checked.
        """
        if not self:
            return float("nan")
        with_place = [one for one in self if one.place is not None]
        chances = [(max(one.lost.nats, *one.random) > LEAST) / (1 + len(one.random)) for one in with_place]
        return float(sum(chances)) / len(self)

    def plot(self, *, width: float = 9.0) -> TAMFigure:
        """Return a figure: the answer, each word tinted by the picture's share of its probability, over the verdicts.

        `width` is in inches; the height follows.
        """
        from tam_widget.figures.verdict_sheet import plot_verdicts

        return plot_verdicts(self, width=width)

    def __repr__(self) -> str:
        done = f"{len(self)} words" if self.is_complete else f"{len(self)} of {len(self.spans)} words, interrupted"
        kinds = "; ".join(f"{count} {kind}" for kind, count in self.counts.items() if count)
        chance = f" ({self.by_chance:.0%} would be said to need their place by chance)" if self else ""
        lines = (f"  {one.text}: {one.kind}, {one.source}" for one in self)
        return "\n".join([f"<Verdicts on {done}: {kinds}{chance}>", *lines])
