"""On which floor each room stands: named once, in the tables of CONTRIBUTING.md."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

__all__ = ["CHOSEN", "CONTRIBUTING", "floors_of"]

CONTRIBUTING = Path(__file__).parents[2] / "CONTRIBUTING.md"

CHOSEN = frozenset({("explanation/", "figures/"), ("explanation/", "widget/"), ("checks/", "figures/")})
"""The circles that are a choice: an Explanation shows and draws itself, and so does what a check found."""

_TABLE = r"\| floor \| `{}` \|.*\n\|[-|]+\|\n((?:\|.*\n)+)"


@cache
def floors_of(folder: str, text: str | None = None) -> list[list[str]]:
    """Return the rooms of a folder, floor by floor.

    Parameters
    ----------
    folder : str
        As the head of its table has it: ``tam_widget/``.
    text : str, optional
        The page with the table; CONTRIBUTING.md when left out.

    Returns
    -------
    list of list of str
        The lowest floor first; a folder with a slash behind it (``maps/``), a file with its ending. Empty where no
        table tells of the folder.

    Raises
    ------
    ValueError
        Floors without a room between rooms: they are counted from 1, without gaps.
    """
    found = re.search(_TABLE.format(re.escape(folder)), CONTRIBUTING.read_text("utf-8") if text is None else text)
    rooms: dict[int, list[str]] = {}
    for row in found[1].splitlines() if found else ():
        floor, names, *_ = (cell.strip() for cell in row.strip("|").split("|"))
        rooms.setdefault(int(floor), []).extend(re.findall(r"`([^`]+)`", names))
    if sorted(rooms) != [*range(1, len(rooms) + 1)]:
        raise ValueError(f"the floors of {folder} must count from 1 without gaps, got {sorted(rooms)}")
    return [rooms[floor] for floor in sorted(rooms)]
