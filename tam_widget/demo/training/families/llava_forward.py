"""LLaVA's forward pass over a batch: CLIP's tower, projector, Llama's decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from tam_widget.demo.training.families.layers import (
    Rotation,
    Weights,
    attend,
    join_heads,
    normalised,
    read,
    rotation_of,
    split_heads,
)

if TYPE_CHECKING:
    from transformers import LlavaForConditionalGeneration

    from tam_widget.demo.training.families.batch import Batch

__all__ = ["LlavaForward"]


class LlavaForward:
    """Callable that maps a :class:`~tam_widget.demo.training.families.batch.Batch` to last hidden states.

    Parameters
    ----------
    model : LlavaForConditionalGeneration
        With tied embeddings, a tower whose last layer is read, and the class token left out; gradients flow into its
        float32 parameters.
    dtype : torch.dtype
        What the products are computed in.
    """

    def __init__(self, model: LlavaForConditionalGeneration, dtype: torch.dtype = torch.bfloat16) -> None:
        self._model = model
        self._dtype = dtype

    def __call__(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return hidden states after the final norm, shape (B, L, d), and the head's rows, shape (V, d)."""
        weights = Weights(self._model, self._dtype)
        image = self._see(weights, batch)
        return read(weights, self._model.config.text_config, batch, image, self._text_rotation(batch.places))

    def _see(self, weights: Weights, batch: Batch) -> torch.Tensor:
        """Tower and projector: (B · F, N, d)."""
        config, tower = self._model.config.vision_config, "model.vision_tower."
        patches = F.linear(
            _patches(batch, config.patch_size, self._dtype),
            # The kernel's colours come first, the pictures' last.
            weights[tower + "embeddings.patch_embedding.weight"].permute(0, 2, 3, 1).flatten(1),
        )
        first = weights[tower + "embeddings.class_embedding"].expand(len(patches), 1, -1)
        x = torch.cat([first, patches], 1) + weights[tower + "embeddings.position_embedding.weight"]
        x = weights.layer_norm(x, tower + "pre_layrnorm", config.layer_norm_eps)
        for i in range(config.num_hidden_layers):
            at = f"{tower}encoder.layers.{i}."
            inner = weights.layer_norm(x, at + "layer_norm1", config.layer_norm_eps)
            q, k, v = (
                split_heads(weights.linear(inner, f"{at}self_attn.{name}_proj"), config.num_attention_heads)
                for name in ("q", "k", "v")
            )
            x = x + weights.linear(join_heads(attend(q, k, v)), at + "self_attn.out_proj")
            inner = weights.linear(weights.layer_norm(x, at + "layer_norm2", config.layer_norm_eps), at + "mlp.fc1")
            x = x + weights.linear(inner * torch.sigmoid(1.702 * inner), at + "mlp.fc2")
        projector = "model.multi_modal_projector."
        return weights.linear(F.gelu(weights.linear(x[:, 1:], projector + "linear_1")), projector + "linear_2")

    def _text_rotation(self, places: torch.Tensor) -> Rotation:
        inverse = self._model.model.language_model.rotary_emb.inv_freq.float()
        return rotation_of(places[0][:, None, :, None].float() * inverse, self._dtype)


def _patches(batch: Batch, patch: int, dtype: torch.dtype) -> torch.Tensor:
    """Cut the pictures into patches: (B · F, N, 14 · 14 · 3)."""
    rows, columns = batch.grid
    x = normalised(batch.pictures, dtype)
    x = x.view(-1, rows, patch, columns, patch, 3).transpose(2, 3)
    return x.reshape(len(x), rows * columns, patch**2 * 3)
