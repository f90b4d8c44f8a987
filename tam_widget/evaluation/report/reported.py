"""What a report is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Reported"]


class Reported(Protocol):
    """A run as far as its report reads it; see :class:`tam_widget.evaluation.Run`, which is one."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods' names; the others are held against the first."""
        ...

    def rows(self) -> Iterator[dict[str, Any]]:
        """Read the rows one by one, in the order of the samples."""
        ...
