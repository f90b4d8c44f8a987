"""A house as an SVG: its rooms on their floors, the files in them, and which room imports which."""

from __future__ import annotations

from typing import TYPE_CHECKING

from house.cards import Card, card_of, lines_for
from house.floors import floors_of
from house.imports import imports_of, rooms_of, sources_of
from house.layout import Block, arranged, reduced

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

__all__ = ["drawn"]

_ABOVE, _MARGIN, _NUMBERS = 38, 24, 36  # px: over the rooms of a floor, around the house, for the floors' numbers

_STYLE = """
  svg { --paper: #f6f8fa; --card: #fff; --edge: #d1d9e0; --ink: #1f2328; --soft: #59636e; --arrow: #818b98;
    --choice: #bc4c00; font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #151b23; --card: #0d1117; --edge: #3d444d; --ink: #f0f6fc; --soft: #9198a1; --arrow: #7d8590;
      --choice: #f0883e } }
  .paper { fill: var(--paper) } .card { fill: var(--card); stroke: var(--edge) }
  .inner { fill: var(--paper); stroke: var(--edge) } .floor { stroke: var(--edge) }
  .room { font-size: 13px; font-weight: 600; fill: var(--ink) }
  .file, .number { font-size: 11.5px; fill: var(--soft) } .number { text-anchor: middle }
  .arrow { fill: none; stroke: var(--arrow); stroke-width: 1.4 } .head { fill: var(--arrow) }
  .choice { stroke: var(--choice); stroke-dasharray: 4 3 } .back { fill: var(--choice) }
"""


def drawn(house: Path, name: str, chosen: Collection[tuple[str, str]] = ()) -> str:
    """Return the picture of a house.

    Parameters
    ----------
    house : path
        Its folder.
    name : str
        Of the folder, as the head of its table of floors has it.
    chosen : collection of (str, str)
        Imports of a higher room that are a choice: drawn as the way back of an arrow.

    Returns
    -------
    str
        SVG, light or dark as the reader's screen is.
    """
    floors, sources = floors_of(name), sources_of(house)
    cards = {}
    for rooms in floors:
        lines = lines_for(rooms, name, sources)
        cards |= {room: card_of(room, name, sources, lines) for room in rooms}
    arrows = reduced(rooms_of(imports_of(house)) - set(chosen))
    rows = arranged(floors, {room: card.width for room, card in cards.items()}, arrows)
    left = _MARGIN + _NUMBERS - min(block.x - block.width / 2 for row in rows for block in row)
    for row in rows:
        for block in row:
            block.x += left
    width = max(block.x + block.width / 2 for row in rows for block in row) + _MARGIN
    levels, y = [(0.0, 0.0)] * len(rows), _MARGIN - _ABOVE + 0.0
    for floor in reversed(range(len(rows))):
        ceiling = y + _ABOVE
        y = ceiling + max(cards[room].height for room in floors[floor])
        levels[floor] = ceiling, y
    size = f'width="{width:.0f}" height="{y + _MARGIN:.0f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {y + _MARGIN:.0f}" {size} role="img">',
        f"<title>The rooms of {name} on their floors, the files in them, and which room imports which</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" {size} rx="12"/>',
    ]
    for number, (_, ground) in enumerate(levels, start=1):
        parts.append(f'<path class="floor" d="M{_MARGIN} {ground:.0f}H{width - _MARGIN:.0f}"/>')
        parts.append(f'<text class="number" x="{_MARGIN + 10}" y="{ground - 8:.0f}">{number}</text>')
    blocks = [block for row in rows for block in row]
    for block in blocks:
        parts += _arrows(block, cards, levels, chosen)
    for block in blocks:
        if block.width:
            card = cards[block.room]
            parts += card.drawn(block.x - block.width / 2, levels[block.floor][1] - card.height)
    return "\n".join([*parts, "</svg>", ""])


def _arrows(
    block: Block, cards: Mapping[str, Card], levels: list[tuple[float, float]], chosen: Collection[tuple[str, str]]
) -> Iterator[str]:
    """Draw the arrows down from a room, or go on with one that has come to the ceiling above a shaft."""
    ceiling, ground = levels[block.floor]
    for end in block.below:
        start, stop = block.meets(end)
        below, floor = levels[end.floor]
        tip = floor - cards[end.room].height if end.width else below
        shaft = "" if block.width else f"M{start:.0f} {ceiling:.0f}V{ground:.0f}"
        bend = (below - ground) * 0.55
        curve = f"M{start:.0f} {ground:.0f}C{start:.0f} {ground + bend:.0f} {stop:.0f} {below - bend:.0f} {stop:.0f}"
        choice = bool(block.width) and (end.room, block.room) in chosen
        yield f'<path class="arrow{" choice" * choice}" d="{shaft}{curve} {below:.0f}V{tip:.0f}"/>'
        if end.width:
            yield f'<path class="head" d="M{stop:.0f} {tip:.0f}l-4-8h8z"/>'
        if choice:
            yield f'<path class="back" d="M{start:.0f} {ground:.0f}l-4 8h8z"/>'
