"""A page of the docs with a part that a script writes."""

from __future__ import annotations

__all__ = ["page_with"]


def page_with(text: str, page: str, marks: tuple[str, str]) -> str:
    """Return a page with a text between its two marks, in the place of what stood there.

    Raises
    ------
    ValueError
        The page does not hold each mark once, in this order.
    """
    begin, end = marks
    head, opened, rest = page.partition(begin)
    _, closed, tail = rest.partition(end)
    if not opened or not closed or page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError(f"the page has no place for it: {begin} and then {end}, each once")
    return f"{head}{begin}\n{text}\n{end}{tail}"
