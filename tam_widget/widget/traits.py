"""Traits that refuse what they cannot take with a ``TraitError``, whatever it is.

traitlets takes a change back on a ``TraitError`` only: with any other error a wrong value of the page would stay.
They also give a value its plain type, as ``True`` equals 1 and passes unseen where 1 stood before.
"""

from __future__ import annotations

from math import isnan
from numbers import Integral, Real
from typing import Any

import numpy as np
import traitlets

__all__ = ["Choice", "Count", "Flag", "Focus", "Region", "Share", "Text", "Tokens", "can_be_sent"]

_LARGEST = 2**53  # a page's numbers are exact up to here
_REGION = "a region is {'image': 0, 'frame': None, 'box': (left, top, right, bottom)}"


def _refusing(kind: Any) -> Any:
    """Make a trait's other errors TraitErrors: numbers too large, values that fail when compared or shown."""
    check = kind.validate

    def validate(self: Any, owner: Any, value: Any) -> Any:
        try:
            return check(self, owner, value)
        except traitlets.TraitError:
            raise
        except Exception as error:
            found = f"this {type(value).__name__} ({type(error).__name__})"
            raise traitlets.TraitError(f"{self.name} must be {self.info()}, not {found}") from error

    kind.validate = validate
    return kind


def _is_index(value: Any) -> bool:
    return isinstance(value, Integral) and not _is_truth(value) and abs(int(value)) <= _LARGEST


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not _is_truth(value)


def _is_truth(value: Any) -> bool:
    return isinstance(value, bool | np.bool_)


@_refusing
class Share(traitlets.Float):  # type: ignore[type-arg]
    """A number in [0, 1]."""

    info_text = "a number in [0, 1]"

    def __init__(self, default_value: float | None, **options: Any) -> None:
        super().__init__(default_value, min=0.0, max=1.0, **options)

    def validate(self, owner: Any, value: Any) -> float:
        """Return it as a float; not NaN."""
        if not _is_number(value) or isnan(value):
            self.error(owner, value)
        number: float = super().validate(owner, float(value))
        return number


@_refusing
class Count(traitlets.Int):  # type: ignore[type-arg]
    """A whole number."""

    def validate(self, owner: Any, value: Any) -> int:
        """Return it as an int; neither true nor false."""
        if not _is_index(value):
            self.error(owner, value)
        number: int = super().validate(owner, int(value))
        return number


@_refusing
class Flag(traitlets.Bool):  # type: ignore[type-arg]
    """True or False."""


@_refusing
class Choice(traitlets.Enum):  # type: ignore[type-arg]
    """One of a few strings."""

    def validate(self, owner: Any, value: Any) -> str:
        """Return the choice itself."""
        if not isinstance(value, str):
            self.error(owner, value)
        choice: str = super().validate(owner, value)
        return choice


@_refusing
class Text(traitlets.Unicode):  # type: ignore[type-arg]
    """A text that can be sent."""

    def validate(self, owner: Any, value: Any) -> str:
        """Return it."""
        text: str = super().validate(owner, value)
        if not can_be_sent(text):
            raise traitlets.TraitError(f"{self.name} holds half of a surrogate pair, which cannot be sent to a page")
        return text


@_refusing
class Tokens(traitlets.List):  # type: ignore[type-arg]
    """Indices of tokens."""

    def __init__(self) -> None:
        super().__init__(Count())


@_refusing
class Region(traitlets.Dict):
    """A part of a picture, or None."""

    def __init__(self) -> None:
        super().__init__(default_value=None, allow_none=True)

    def validate(self, owner: Any, value: Any) -> dict[str, Any]:
        """Return it as plain numbers."""
        region: Any = super().validate(owner, value)
        if region.keys() != {"image", "frame", "box"}:
            raise traitlets.TraitError(f"{_REGION}, not {region!r:.200}")
        image, frame, box = region["image"], region["frame"], region["box"]
        if not _is_index(image) or not (frame is None or _is_index(frame)):
            raise traitlets.TraitError(f"{_REGION} with numbers of a picture and a frame, not {region!r:.200}")
        if not isinstance(box, list | tuple | np.ndarray) or len(box) != 4 or not all(map(_is_number, box)):  # noqa: PLR2004
            raise traitlets.TraitError(f"a box is (left, top, right, bottom) in [0, 1], not {box!r:.200}")
        left, top, right, bottom = edges = [float(edge) for edge in box]
        if not (0 <= left <= right <= 1 and 0 <= top <= bottom <= 1):
            raise traitlets.TraitError(f"a box is (left, top, right, bottom) in [0, 1], not {box!r:.200}")
        return {"image": int(image), "frame": None if frame is None else int(frame), "box": edges}


@_refusing
class Focus(traitlets.List):  # type: ignore[type-arg]
    """A word as [its text, which of its occurrences], or nothing."""

    info_text = "empty, or a text and a number"

    def validate(self, owner: Any, value: Any) -> list[Any]:
        """Return it as a plain list."""
        focus: Any = super().validate(owner, value)
        if not focus:
            return []
        if len(focus) != 2 or not isinstance(focus[0], str) or not can_be_sent(focus[0]) or not _is_index(focus[1]):  # noqa: PLR2004
            self.error(owner, value)
        return [focus[0], int(focus[1])]


def can_be_sent(text: str) -> bool:
    """Whether a text can be part of a message: half of a surrogate pair has no place in UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
