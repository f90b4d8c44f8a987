"""A room as a card: its name, the files and the rooms in it, in columns and on shelves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from house.floors import floors_of
from house.imports import room_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["WIDEST", "Card", "card_of", "lines_for"]

WIDEST = 700
"""What the rooms of a floor may take up together, in pixels."""

_LETTER, _TITLE_LETTER = 7.0, 8.0  # px, of a typewriter's face at the sizes of the style sheet
_LINE, _TITLE, _PAD, _BETWEEN = 16, 26, 12, 16  # px


@dataclass(frozen=True, slots=True)
class Card:
    """A room on paper.

    Attributes
    ----------
    room : str
        Its name.
    files : tuple of str
        The names of its files, in columns.
    rooms : tuple of Card
        The rooms in it, the lowest first: beside the files, and on shelves above them where they do not fit.
    lines : int
        The longest that a column may be, here and in the rooms within.
    """

    room: str
    files: tuple[str, ...]
    rooms: tuple[Card, ...]
    lines: int

    @property
    def width(self) -> float:
        """Of the whole card, in pixels."""
        shelves = [sum(room.width + _BETWEEN for room in shelf) for shelf in self._shelves()]
        shelves[0] += self._files_width()
        return 2 * _PAD + max(len(self.room) * _TITLE_LETTER, max(shelves) - _BETWEEN)

    @property
    def height(self) -> float:
        """Of the whole card, in pixels."""
        heights = self._heights()
        return _TITLE + sum(heights) + _BETWEEN * (len(heights) - 1) + (_PAD if heights[0] else 6)

    def drawn(self, x: float, y: float, height: float | None = None, kind: str = "card") -> Iterator[str]:
        """Return the parts of its drawing, its left upper corner at (x, y); taller than it needs to be if asked."""
        height = self.height if height is None else height
        yield f'<rect class="{kind}" x="{x:.0f}" y="{y:.0f}" width="{self.width:.0f}" height="{height:.0f}" rx="6"/>'
        yield f'<text class="room" x="{x + _PAD:.0f}" y="{y + 18:.0f}">{self.room}</text>'
        top = y + _TITLE
        for level, (shelf, tall) in reversed([*enumerate(zip(self._shelves(), self._heights(), strict=True))]):
            left = x + _PAD
            for column in self._columns() if level == 0 else ():
                for k, name in enumerate(column):
                    yield f'<text class="file" x="{left:.0f}" y="{top + 11 + k * _LINE:.0f}">{name}</text>'
                left += max(map(len, column)) * _LETTER + _BETWEEN
            for room in shelf:
                yield from room.drawn(left, top, tall, "inner" if kind == "card" else "card")
                left += room.width + _BETWEEN
            top += tall + _BETWEEN

    def _columns(self) -> list[tuple[str, ...]]:
        return [self.files[k : k + self.lines] for k in range(0, len(self.files), self.lines)]

    def _files_width(self) -> float:
        return sum(max(map(len, column)) * _LETTER + _BETWEEN for column in self._columns())

    def _shelves(self) -> list[list[Card]]:
        shelves: list[list[Card]] = [[]]
        left = WIDEST - 2 * _PAD - self._files_width()
        for room in self.rooms:
            if room.width > left:
                shelves.append([])
                left = WIDEST - 2 * _PAD
            shelves[-1].append(room)
            left -= room.width + _BETWEEN
        return shelves

    def _heights(self) -> list[float]:
        heights = [max((room.height for room in shelf), default=0) for shelf in self._shelves()]
        heights[0] = max(heights[0], max(map(len, self._columns()), default=0) * _LINE)
        return heights


def card_of(room: str, house: str, sources: Sequence[str], lines: int) -> Card:
    """Return the card of a room.

    Parameters
    ----------
    room : str
        Its path in the house.
    house : str
        The house's name in the tables of floors.
    sources : sequence of str
        Paths of all files of the house.
    lines : int
        The longest that a column may be.
    """
    names = {room_of(path, room) for path in sources if path.startswith(room) and path != room}
    files = tuple(name.rpartition(".")[0] for name in sorted(names - {"__init__.py"}) if not name.endswith("/"))
    floors = {name: floor for floor, named in enumerate(floors_of(house + room)) for name in named}
    inner = sorted((name for name in names if name.endswith("/")), key=lambda name: (floors.get(name, 0), name))
    title = room.removesuffix("/").rpartition("/")[2] + ("/" if room.endswith("/") else "")
    return Card(title, files, tuple(card_of(room + name, house, sources, lines) for name in inner), lines)


def lines_for(rooms: Sequence[str], house: str, sources: Sequence[str]) -> int:
    """Return how long columns may be for the rooms of a floor to fit beside each other and be as low as they can."""

    def badness(lines: int) -> tuple[bool, float]:
        cards = [card_of(room, house, sources, lines) for room in rooms]
        width = sum(card.width + _BETWEEN for card in cards) - _BETWEEN
        return width > WIDEST, max(card.height for card in cards)

    return min(range(2, 12), key=badness)
