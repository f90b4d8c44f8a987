"""Qwen2-VL's forward pass over a batch whose media have one form.

transformers runs its vision tower on one flat sequence of all patches. Here every grid is a row of the batch, which is
what keeps one picture, or one group of a video's frames, from attending to another.
"""

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
    rotate,
    rotation_of,
)

if TYPE_CHECKING:
    from transformers import Qwen2VLForConditionalGeneration

    from tam_widget.demo.training.families.batch import Batch

__all__ = ["QwenForward"]

_VISION_EPSILON = 1e-6  # not in the configuration


class QwenForward:
    """Callable that maps a :class:`~tam_widget.demo.training.families.batch.Batch` to last hidden states.

    Parameters
    ----------
    model : Qwen2VLForConditionalGeneration
        With tied embeddings; gradients flow into its float32 parameters.
    dtype : torch.dtype
        What the products are computed in.
    """

    def __init__(self, model: Qwen2VLForConditionalGeneration, dtype: torch.dtype = torch.bfloat16) -> None:
        self._model = model
        self._dtype = dtype
        self._rotations: dict[tuple[int, int], Rotation] = {}

    def __call__(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return hidden states after the final norm, shape (B, L, d), and the head's rows, shape (V, d)."""
        weights = Weights(self._model, self._dtype)
        image = self._see(weights, batch)
        return read(weights, self._model.config.text_config, batch, image, self._text_rotation(batch.places))

    def _see(self, weights: Weights, batch: Batch) -> torch.Tensor:
        """Vision tower and merger: (B · F, N, d)."""
        config = self._model.config.vision_config
        kernel = weights["model.visual.patch_embed.proj.weight"]
        if batch.pictures.shape[2] == 1:  # a still picture fills both frames of a patch
            kernel = kernel.sum(2)
        x = F.linear(self._patches(batch), kernel.flatten(1))
        count, patches, _ = x.shape
        turn = self._vision_rotation(batch.grid)
        for i in range(config.depth):
            at = f"model.visual.blocks.{i}."
            qkv = weights.linear(weights.layer_norm(x, at + "norm1", _VISION_EPSILON), at + "attn.qkv")
            q, k, v = qkv.view(count, patches, 3, config.num_heads, -1).permute(2, 0, 3, 1, 4)
            mixed = attend(rotate(q, turn), rotate(k, turn), v)
            x = x + weights.linear(join_heads(mixed), at + "attn.proj")
            inner = weights.linear(weights.layer_norm(x, at + "norm2", _VISION_EPSILON), at + "mlp.fc1")
            x = x + weights.linear(inner * torch.sigmoid(1.702 * inner), at + "mlp.fc2")
        merged = patches // config.spatial_merge_size**2
        x = weights.layer_norm(x, "model.visual.merger.ln_q", _VISION_EPSILON).view(count, merged, -1)
        return weights.linear(F.gelu(weights.linear(x, "model.visual.merger.mlp.0")), "model.visual.merger.mlp.2")

    def _patches(self, batch: Batch) -> torch.Tensor:
        """Cut the grids into patches, those of one vision token together: (B · F, 4 N, 3 · S · 7 · 7)."""
        config = self._model.config.vision_config
        rows, columns = batch.grid
        frames = batch.pictures.shape[2]
        merge, patch = config.spatial_merge_size, config.patch_size
        x = normalised(batch.pictures, self._dtype)
        x = x.view(-1, frames, rows, merge, patch, columns, merge, patch, 3).permute(0, 2, 5, 3, 6, 8, 1, 4, 7)
        return x.reshape(len(x), rows * columns * merge**2, 3 * frames * patch**2)

    def _vision_rotation(self, grid: tuple[int, int]) -> Rotation:
        if grid not in self._rotations:
            rows, columns = grid
            merge = self._model.config.vision_config.spatial_merge_size
            row = torch.arange(rows * merge).view(rows, 1, merge, 1).expand(rows, columns, merge, merge)
            column = torch.arange(columns * merge).view(1, columns, 1, merge).expand(rows, columns, merge, merge)
            inverse = self._model.model.visual.rotary_pos_emb.inv_freq.float()
            angles = torch.cat([place.reshape(-1, 1).to(inverse) * inverse for place in (row, column)], -1)
            self._rotations[grid] = rotation_of(angles, self._dtype)
        return self._rotations[grid]

    def _text_rotation(self, places: torch.Tensor) -> Rotation:
        inverse = self._model.model.language_model.rotary_emb.inv_freq.float()
        angles = places[..., None].float() * inverse
        sections = self._model.config.text_config.rope_parameters["mrope_section"]
        parts = [part[i] for i, part in enumerate(angles.split(sections, -1))]
        return rotation_of(torch.cat(parts, -1)[:, None], self._dtype)
