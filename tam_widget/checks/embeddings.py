"""What the text decoder is given: the vision tokens, before it mixes them with the text."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

import torch

from tam_widget.errors import UnsupportedModelError
from tam_widget.models import capture
from tam_widget.models.hooks import without_hooks_after

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

__all__ = ["decoder_inputs"]


class _ReadError(Exception):
    """What was wanted is known: the rest of the model need not run."""


class _Reader:
    def __init__(self) -> None:
        self.embeddings: Tensor | None = None
        self._thread = threading.get_ident()

    def on_decoder(self, _module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if threading.get_ident() != self._thread:
            return
        found = kwargs.get("inputs_embeds", next((a for a in args if torch.is_tensor(a) and a.ndim == 3), None))  # noqa: PLR2004
        if found is None or kwargs.get("deepstack_features"):
            return  # it fills the places itself (Phi-4 multimodal), or adds to empty ones layer by layer (Granite)
        self.embeddings = found.detach()
        raise _ReadError

    def on_first_layer(self, _module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if threading.get_ident() != self._thread:
            return
        given = next(a for a in (*args, *kwargs.values()) if torch.is_tensor(a) and a.ndim == 3)  # noqa: PLR2004
        self.embeddings = given.detach()
        raise _ReadError


def decoder_inputs(model: Any, inputs: Mapping[str, Any]) -> Tensor:
    """Run a model up to its text decoder.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        It is left as it was: no hook, its mode.
    inputs : mapping
        The processor's output, batch of one.

    Returns
    -------
    torch.Tensor of float32, shape (L, d)
        The embedding of each position, on the CPU.

    Raises
    ------
    UnsupportedModelError
        Its text decoder is not given embeddings.
    """
    decoder = model.get_decoder() if hasattr(model, "get_decoder") else None
    reader = _Reader()
    if decoder is not None:
        layers = list(getattr(decoder, "layers", ()))[:1]
        with capture.alone(model), without_hooks_after(reader, (decoder, *layers)), torch.no_grad():
            decoder.register_forward_pre_hook(reader.on_decoder, with_kwargs=True)
            for layer in layers:
                layer.register_forward_pre_hook(reader.on_first_layer, with_kwargs=True)
            with contextlib.suppress(_ReadError):
                model(**capture.on_device(model, inputs))
    if reader.embeddings is None:
        raise UnsupportedModelError(
            f"{type(model).__name__} hands its text decoder no embeddings (inputs_embeds), so it cannot be seen which "
            "of its vision tokens react"
        )
    return reader.embeddings[0].float().cpu()
