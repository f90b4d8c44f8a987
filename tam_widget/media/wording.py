"""What was given and what went wrong, short enough for an error message."""

from __future__ import annotations

__all__ = ["reason", "shown"]

_LONGEST = 120
_LONGEST_REASON = 200


def shown(given: object) -> str:
    """Return a path, an address or a text in quotes, its middle left out where it is long."""
    text = str(given)
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST - 40]}…{text[-20:]}"
    # A repr has one line and no control characters; escapes make it longer than the text.
    quoted = repr(text)
    return quoted if len(quoted) <= _LONGEST_REASON else f"{quoted[:_LONGEST]}…'"


def reason(error: BaseException) -> str:
    """Return what an error says in one short line, or its name. A system's error repeats no path."""
    said = getattr(error, "strerror", None) or str(error)
    said = " ".join(said.split()) or type(error).__name__
    return said if len(said) <= _LONGEST_REASON else said[: _LONGEST_REASON - 1] + "…"
