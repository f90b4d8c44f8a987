"""Models that other packages have wrapped: compiled ones, and those with adapters."""

from __future__ import annotations

from typing import Any

__all__ = ["unwrapped"]


def unwrapped(model: Any) -> Any:
    """Look through a compiled or adapted (PEFT) model at the one that computes."""
    model = getattr(model, "_orig_mod", model)
    return model.get_base_model() if hasattr(model, "get_base_model") and hasattr(model, "peft_config") else model
