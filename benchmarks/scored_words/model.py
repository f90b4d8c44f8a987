"""A model and its processor, as they are measured together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Model:
    """A model and its processor."""

    model: Any
    processor: Any
