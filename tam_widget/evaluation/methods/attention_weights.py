"""What the text decoder attends to, all layers rolled out."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tam_widget.evaluation.methods.registry import MethodError, on_grid, scale_each
from tam_widget.models import capture
from tam_widget.models.attention.choice import switched, text_configurations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from tam_widget.replay.explained import Explained

    Take = Callable[[Tensor], None]

__all__ = ["rollout"]

_SOFTMAX = {"full_attention", "sliding_attention", "chunked_attention"}
_WEIGHTS_DIMENSIONS = 4  # batch, heads, from, to


def rollout(explained: Explained, tokens: Sequence[int]) -> NDArray[np.float32]:
    r"""Attention rollout through all layers of the text decoder (Abnar & Zuidema, ACL 2020, arXiv 2005.00928).

    With the mean over heads A_l of layer l and the residual connection, ``R = Π_l (A_l + I) / 2``, the last layer
    leftmost, rows normalised to 1. The map is the row of the token's read position at the vision tokens, scaled to
    [0, 1] by its own minimum and maximum. It costs one forward pass with eager attention, which is switched on for that
    pass alone, and two matrices of positions × positions in float32. It takes and returns what
    :class:`~tam_widget.evaluation.methods.Method` says.

    Raises
    ------
    MethodError
        A layer has no attention weights.
    """
    reading = explained.reading
    modules = [_attention_of(explained, layer) for layer in range(len(capture.decoder_of(explained.model).layers))]
    rolled: list[Tensor] = []

    def take(weights: Tensor) -> None:
        mixed = weights + torch.eye(len(weights), device=weights.device)
        mixed /= mixed.sum(dim=-1, keepdim=True)  # attention sinks take a part of a row
        rolled[:] = [mixed @ rolled[0].to(mixed.device) if rolled else mixed]

    _run_eagerly(explained, modules, take)
    values = rolled[0][torch.from_numpy(reading.read[list(tokens)])][:, torch.from_numpy(reading.cells)]
    return scale_each(on_grid(explained, values.cpu().numpy(), tokens))


def _attention_of(explained: Explained, layer: int) -> nn.Module:
    """Return a layer's attention, whose weights can be read; say why not, where they cannot."""
    decoder = capture.decoder_of(explained.model)
    name = type(explained.model).__name__
    count = len(decoder.layers)
    kinds = getattr(decoder.config, "layer_types", None) or [None] * count
    kind = kinds[layer]
    found: nn.Module | None = getattr(decoder.layers[layer], "self_attn", None)
    if found is None or (kind is not None and kind not in _SOFTMAX):
        what = kind or "something else than attention"
        raise MethodError(f"layer {layer % count} of {name} is {what}: it has no attention weights to read")
    if decoder.config._attn_implementation != "eager" and not decoder._can_set_attn_implementation():  # noqa: SLF001 - transformers has no public question
        raise MethodError(
            f"{name} computes attention by {decoder.config._attn_implementation!r} and has no other: its weights "  # noqa: SLF001
            "cannot be read"
        )
    return found


def _run_eagerly(explained: Explained, modules: Sequence[nn.Module], take: Take) -> None:
    """Run the model over the reading and hand over each module's weights, mean over heads, float32, in order."""
    missing: list[str] = []

    def read(module: nn.Module, _args: Any, output: Any) -> None:
        weights = output[1] if isinstance(output, tuple) and len(output) > 1 else None
        if not isinstance(weights, torch.Tensor) or weights.ndim != _WEIGHTS_DIMENSIONS:
            missing.append(type(module).__name__)
            return
        take(weights[0].float().mean(dim=0))

    inputs = capture.on_device(explained.model, explained.reading.inputs)
    with explained.alone(), eager(explained.model), torch.no_grad():
        handles = [module.register_forward_hook(read) for module in modules]
        try:
            keep = capture.last_position(explained.model)
            explained.model(**inputs, logits_to_keep=keep, use_cache=False, return_dict=True)
        finally:
            for handle in handles:
                handle.remove()
    if missing:
        raise MethodError(f"{missing[0]} of {type(explained.model).__name__} does not return attention weights")


@contextmanager
def eager(model: Any) -> Iterator[None]:
    """Switch the text decoder to eager attention, which has weights to read, and back.

    Only the text's configuration is touched, so that the vision tower runs as it did.
    """
    configurations = text_configurations(model, capture.decoder_of(model))
    with switched(configurations, ["eager"] * len(configurations)):
        yield
