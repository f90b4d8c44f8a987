"""Models that other packages have wrapped: compiled ones, and those with adapters (PEFT)."""

from __future__ import annotations

from typing import Any

from torch import nn

from tam_widget.errors import UnsupportedModelError

__all__ = ["unwrapped"]

_PASSED_ON = frozenset({"ADALORA"})
"""Adapters whose own forward only adds a loss to what the adapted model returns."""


def unwrapped(model: Any) -> Any:
    """Look through a compiled or adapted model at the one that computes, its adapter's layers included.

    Raises
    ------
    UnsupportedModelError
        The adapter does not live in the model's layers, so the model alone would be explained without it: tokens that
        are put before the input (prompt, prefix and P-tuning), or a forward pass of the adapter's own.
    """
    while True:
        inner = getattr(model, "_orig_mod", model)
        inner = _adapted(inner) if _is_adapter(inner) else inner
        if inner is model:
            break
        model = inner
    if isinstance(model, nn.Module):
        for part in model.modules():
            if _is_adapter(part):  # around a part of the model, the text decoder for example
                _adapted(part)
    return model


def _is_adapter(model: Any) -> bool:
    """Whether it is a ``PeftModel`` or a ``PeftMixedModel``; peft need not be installed."""
    return any(kind.__module__ in {"peft.peft_model", "peft.mixed_model"} for kind in type(model).__mro__)


def _adapted(model: Any) -> Any:
    """Return what an adapter is around, where its layers are all that it adds."""
    tuner = model.base_model
    active = getattr(model, "active_adapters", None) or model.active_adapter
    names = [active] if isinstance(active, str) else active
    configs = [model.peft_config[name] for name in names if name in model.peft_config]
    for config in configs or model.peft_config.values():  # X-LoRA names its parts, which have no configuration here
        kind = str(getattr(config.peft_type, "value", config.peft_type))
        if getattr(config, "is_prompt_learning", False):
            if getattr(model, "_adapters_disabled", False):
                return tuner
            raise UnsupportedModelError(
                f"the model has been tuned by {kind}, which puts tokens of its own before the input, and these have no "
                "place in an explanation; with model.disable_adapter(): explains the model without it"
            )
        own = type(tuner).forward.__module__
        if own.startswith("peft.") and own != "peft.tuners.tuners_utils" and kind not in _PASSED_ON:
            raise UnsupportedModelError(
                f"the model has been tuned by {kind}, which has a forward pass of its own around the model's; explain "
                "the model that it was made from, or another kind of adapter"
            )
        if getattr(config, "alora_invocation_tokens", None) is not None:
            raise UnsupportedModelError(
                f"the model has been tuned by an activated {kind}, which works from certain tokens on only and is told "
                "where they stand by a forward pass of its own; it cannot be explained"
            )
    return tuner.model
