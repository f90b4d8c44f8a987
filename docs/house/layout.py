"""Where each room of a house stands in its picture, and the way of each arrow between them.

In layers, after Sugiyama, Tagawa and Toda (1981): a floor is a layer, and an arrow past a floor keeps a shaft free in
it, one for all arrows to the same room.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from math import fsum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Block", "arranged", "reduced"]

_GAP, _INSET = 26, 12  # px
_CROSSING = 400  # px
_SHUFFLES, _PULLS = 100, 60


@dataclass(eq=False)
class Block:
    """A room on its floor, or the shaft of the arrows to a room.

    Attributes
    ----------
    room : str
        The room, or that to which the shaft leads.
    floor : int
        From 0, the lowest.
    width : float
        Zero for a shaft.
    x : float
        Of the middle.
    below : list of Block
        Where its arrows lead, on the next floor below.
    """

    room: str
    floor: int
    width: float = 0
    x: float = 0
    below: list[Block] = field(default_factory=list)

    def meets(self, end: Block) -> tuple[float, float]:
        """Return the x at which an arrow leaves this block, and at which it comes to its end: the same if it can be."""
        left = max(self._left, end._left)
        right = min(self._right, end._right)
        if left <= right:
            return (left + right) / 2, (left + right) / 2
        return (right, left) if self.x < end.x else (left, right)

    @property
    def _left(self) -> float:
        return self.x - max(self.width / 2 - _INSET, 0)

    @property
    def _right(self) -> float:
        return self.x + max(self.width / 2 - _INSET, 0)


def reduced(arrows: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return the arrows of a graph without circles, less those whose end is also reached by way of another room."""
    arrows = set(arrows)
    ends: dict[str, set[str]] = {}
    for source, target in arrows:
        ends.setdefault(source, set()).add(target)

    def reached(room: str) -> set[str]:
        return {room}.union(*(reached(end) for end in ends.get(room, ())))

    return {(a, b) for a, b in arrows if not any(b in reached(other) for other in ends[a] - {b})}


def arranged(
    floors: Sequence[Sequence[str]], widths: Mapping[str, float], arrows: Iterable[tuple[str, str]]
) -> list[list[Block]]:
    """Return the blocks of each floor from left to right: few arrows cross, and most fall straight.

    Parameters
    ----------
    floors : sequence of sequence of str
        The rooms, the lowest floor first.
    widths : mapping
        Of each room.
    arrows : iterable of (str, str)
        From a room to one on a lower floor.
    """
    rows = _blocks(floors, widths, arrows)
    chance = random.Random(0)  # noqa: S311 - not a secret
    orders = [_ordered([chance.sample(row, len(row)) for row in rows]) for _ in range(_SHUFFLES)]
    best = min({str(_names(order)): order for order in orders}.values(), key=_length)
    _place(best)
    return best


def _ordered(rows: list[list[Block]]) -> list[list[Block]]:
    """Return the rows in an order that is not bettered where one block moves to another place of its row."""
    before: list[list[Block]] = []
    while before != rows:
        before = [*rows]
        for floor in range(len(rows)):
            below, above = rows[max(floor - 1, 0) : floor], rows[floor + 1 : floor + 2]
            moves = _moves(rows[floor])
            rows[floor] = min(moves, key=lambda row, below=below, above=above: _badness([*below, row, *above]))
    return rows


def _moves(row: list[Block]) -> list[list[Block]]:
    """Return the row, and all rows in which one of its blocks stands elsewhere."""
    rests = [(block, row[:k] + row[k + 1 :]) for k, block in enumerate(row)]
    return [row, *([*rest[:k], block, *rest[k:]] for block, rest in rests for k in range(len(row)))]


def _names(rows: Sequence[Sequence[Block]]) -> list[list[str]]:
    return [[block.room for block in row] for row in rows]


def _length(rows: list[list[Block]]) -> float:
    """Return how far all arrows lead aside, in pixels, where rows are placed; a crossing counts as a long way."""
    _place(rows)
    aside = fsum(abs(start - stop) for row in rows for block in row for start, stop in map(block.meets, block.below))
    return round(aside + _CROSSING * _badness(rows)[0])


def _blocks(
    floors: Sequence[Sequence[str]], widths: Mapping[str, float], arrows: Iterable[tuple[str, str]]
) -> list[list[Block]]:
    rows = [[Block(room, floor, widths[room]) for room in sorted(rooms)] for floor, rooms in enumerate(floors)]
    block_of = {block.room: block for row in rows for block in row}
    shafts: dict[tuple[str, int], Block] = {}
    for source, target in sorted(arrows, key=lambda arrow: (block_of[arrow[0]].floor, *arrow)):
        end = block_of[target]
        for floor in range(end.floor + 1, block_of[source].floor):
            if (target, floor) not in shafts:
                shaft = shafts[target, floor] = Block(target, floor, below=[end])
                rows[floor].append(shaft)
            end = shafts[target, floor]
        block_of[source].below.append(end)
    return rows


def _badness(rows: Sequence[Sequence[Block]]) -> tuple[int, float]:
    """Return how many arrows cross between neighbouring rows, the lowest first, and how far they lead aside."""
    crossings, aside = 0, 0.0
    for lower, upper in pairwise(rows):
        place = {id(block): (k + 0.5) / len(lower) for k, block in enumerate(lower)}
        ends = [((k + 0.5) / len(upper), place[id(end)]) for k, block in enumerate(upper) for end in block.below]
        crossings += sum((a[0] - b[0]) * (a[1] - b[1]) < 0 for a, b in combinations(ends, 2))
        aside += sum(abs(start - end) for start, end in ends)
    return crossings, round(aside, 9)


def _place(rows: list[list[Block]]) -> None:
    """Give each block its x: pulled to its neighbours above and below, in the order of its row, without overlap."""
    above: dict[int, list[Block]] = {}
    for row in rows:
        for block in row:
            block.x = 0
            for end in block.below:
                above.setdefault(id(end), []).append(block)
    room = max(sum(block.width + _GAP for block in row) - _GAP + _edge(row[0]) + _edge(row[-1]) for row in rows)
    for pull in range(_PULLS):
        for row in rows if pull % 2 else reversed(rows):
            wanted = []
            for block in row:
                # Where its middle would be if the arrow were upright; two rooms stand middle over middle.
                pulls = [
                    (1, end.x)
                    if block.width and end.width
                    else (4, block.x + end.meets(block)[0] - block.meets(end)[0])
                    for end in [*above.get(id(block), ()), *block.below]
                ]
                weight = sum(weight for weight, _ in pulls)
                wanted.append(fsum(weight * x for weight, x in pulls) / weight if pulls else block.x)
            _settle(row, wanted, room)


def _settle(row: Sequence[Block], wanted: Sequence[float], room: float) -> None:
    """Move the blocks of a row as near to where they want to be as their order and widths allow: least squares.

    Pool adjacent violators: blocks that would overlap form a group that moves as one.
    """
    offsets = [0.0]
    for left, right in pairwise(row):
        offsets.append(offsets[-1] + left.width / 2 + _GAP + right.width / 2)
    groups: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        groups.append((want - offset, 1))
        while len(groups) > 1 and groups[-2][0] > groups[-1][0]:
            (b, n), (a, m) = groups.pop(), groups.pop()
            groups.append(((a * m + b * n) / (m + n), m + n))
    starts = [start for start, count in groups for _ in range(count)]
    first = row[0].width / 2 + _edge(row[0])
    last = room - row[-1].width / 2 - _edge(row[-1]) - offsets[-1]
    for block, start, offset in zip(row, starts, offsets, strict=True):
        block.x = min(max(start, first), last) + offset


def _edge(block: Block) -> float:
    """Return how far from the house's wall a block keeps: a shaft stands over a room's end below, not beside it."""
    return 0 if block.width else _INSET
