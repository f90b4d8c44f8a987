"""Qwen2-VL's forward pass over a batch of pictures of one size, for training on a CPU.

transformers runs its vision tower on one flat sequence of all patches. On two cores a batch of same-size pictures, in
bfloat16, with attention written out as two products, is many times faster. It computes the same numbers: a test holds
it to the transformers forward.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from transformers import Qwen2VLForConditionalGeneration

    from tam_widget.demo.training.sequences import Batch


class BatchedForward:
    """Callable that maps a :class:`~tam_widget.demo.training.sequences.Batch` to last hidden states.

    Parameters
    ----------
    model : Qwen2VLForConditionalGeneration
        With tied embeddings and one patch repeated over time; gradients flow into its float32 parameters.
    dtype : torch.dtype
        What the products are computed in.
    """

    def __init__(self, model: Qwen2VLForConditionalGeneration, dtype: torch.dtype = torch.bfloat16) -> None:
        self._model = model
        self._dtype = dtype
        self._rotations: dict[tuple[int, int], tuple[torch.Tensor, torch.Tensor]] = {}

    def __call__(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return hidden states after the final norm, shape (B, L, d), and the head's rows, shape (V, d)."""
        weights = _Weights(self._model, self._dtype)
        image = self._see(weights, batch)
        head = weights["model.language_model.embed_tokens.weight"]
        words = F.embedding(batch.ids, head)
        end = batch.image_start + image.shape[1]
        hidden = torch.cat([words[:, : batch.image_start], image, words[:, end:]], 1)
        return self._read(weights, batch, hidden), head

    def _see(self, weights: _Weights, batch: Batch) -> torch.Tensor:
        """Vision tower and merger: (B, N, d)."""
        config = self._model.config.vision_config
        x = batch.pixels.to(self._dtype)
        count, patches, _ = x.shape
        # A still picture is repeated over the two frames of a patch: sum the kernel over time instead.
        x = F.linear(x, weights["model.visual.patch_embed.proj.weight"].sum(2).flatten(1))
        rotation = self._vision_rotation(batch.grid)
        for i in range(config.depth):
            at = f"model.visual.blocks.{i}."
            qkv = weights.linear(weights.layer_norm(x, at + "norm1"), at + "attn.qkv")
            q, k, v = qkv.view(count, patches, 3, config.num_heads, -1).permute(2, 0, 3, 1, 4)
            mixed = _attend(_rotate(q, rotation), _rotate(k, rotation), v)
            x = x + weights.linear(_join_heads(mixed), at + "attn.proj")
            inner = weights.linear(weights.layer_norm(x, at + "norm2"), at + "mlp.fc1")
            x = x + weights.linear(inner * torch.sigmoid(1.702 * inner), at + "mlp.fc2")
        merge = config.spatial_merge_size**2
        x = weights.layer_norm(x, "model.visual.merger.ln_q").view(count, patches // merge, -1)
        return weights.linear(F.gelu(weights.linear(x, "model.visual.merger.mlp.0")), "model.visual.merger.mlp.2")

    def _read(self, weights: _Weights, batch: Batch, hidden: torch.Tensor) -> torch.Tensor:
        """Text decoder and final norm: (B, L, d)."""
        config = self._model.config.text_config
        mask = _segment_mask(batch.segments, self._dtype)
        rotation = self._text_rotation(batch.places)
        for i in range(config.num_hidden_layers):
            at = f"model.language_model.layers.{i}."
            x = weights.rms_norm(hidden, at + "input_layernorm")
            q, k, v = (
                _split_heads(weights.linear(x, at + f"self_attn.{name}_proj"), heads)
                for name, heads in (
                    ("q", config.num_attention_heads),
                    ("k", config.num_key_value_heads),
                    ("v", config.num_key_value_heads),
                )
            )
            shared = config.num_attention_heads // config.num_key_value_heads
            k, v = _rotate(k, rotation).repeat_interleave(shared, 1), v.repeat_interleave(shared, 1)
            mixed = _attend(_rotate(q, rotation), k, v, mask)
            hidden = hidden + weights.linear(_join_heads(mixed), at + "self_attn.o_proj")
            x = weights.rms_norm(hidden, at + "post_attention_layernorm")
            gate = F.silu(weights.linear(x, at + "mlp.gate_proj"))
            hidden = hidden + weights.linear(gate * weights.linear(x, at + "mlp.up_proj"), at + "mlp.down_proj")
        return weights.rms_norm(hidden, "model.language_model.norm")

    def _vision_rotation(self, grid: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
        if grid not in self._rotations:
            rows, columns = grid
            merge = self._model.config.vision_config.spatial_merge_size
            row = torch.arange(rows * merge).view(rows, 1, merge, 1).expand(rows, columns, merge, merge)
            column = torch.arange(columns * merge).view(1, columns, 1, merge).expand(rows, columns, merge, merge)
            inverse = self._model.model.visual.rotary_pos_emb.inv_freq.float()
            angles = torch.cat([place.reshape(-1, 1) * inverse for place in (row, column)], -1)
            self._rotations[grid] = self._cos_sin(angles)
        return self._rotations[grid]

    def _text_rotation(self, places: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        inverse = self._model.model.language_model.rotary_emb.inv_freq.float()
        angles = places[..., None].float() * inverse
        sections = self._model.config.text_config.rope_parameters["mrope_section"]
        parts = [part[i] for i, part in enumerate(angles.split(sections, -1))]
        return self._cos_sin(torch.cat(parts, -1)[:, None])

    def _cos_sin(self, angles: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        angles = torch.cat([angles, angles], -1)
        return angles.cos().to(self._dtype), angles.sin().to(self._dtype)


class _Weights:
    """A model's parameters in the dtype of the products, by their names."""

    def __init__(self, model: Qwen2VLForConditionalGeneration, dtype: torch.dtype) -> None:
        self._named: dict[str, torch.Tensor] = {
            name: parameter.to(dtype) for name, parameter in model.named_parameters()
        }
        self._epsilon = model.config.text_config.rms_norm_eps

    def __getitem__(self, name: str) -> torch.Tensor:
        return self._named[name]

    def linear(self, x: torch.Tensor, name: str) -> torch.Tensor:
        return F.linear(x, self[name + ".weight"], self._named.get(name + ".bias"))

    def layer_norm(self, x: torch.Tensor, name: str) -> torch.Tensor:
        return F.layer_norm(x, (x.shape[-1],), self[name + ".weight"], self[name + ".bias"], 1e-6)

    def rms_norm(self, x: torch.Tensor, name: str) -> torch.Tensor:
        return F.rms_norm(x, (x.shape[-1],), self[name + ".weight"], self._epsilon)


def _segment_mask(segments: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    length = segments.shape[1]
    seen = (segments[:, :, None] == segments[:, None, :]) | (segments[:, None, :] == 0)
    seen &= torch.ones(length, length, dtype=torch.bool).tril()
    return torch.zeros(seen.shape, dtype=dtype).masked_fill_(~seen, -1e4)[:, None]


def _attend(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
    scores = torch.matmul(q * q.shape[-1] ** -0.5, k.transpose(-1, -2))
    if mask is not None:
        scores = scores + mask
    return torch.matmul(scores.softmax(-1), v)


def _rotate(x: torch.Tensor, rotation: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    cos, sin = rotation
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat((-second, first), -1) * sin


def _split_heads(x: torch.Tensor, heads: int) -> torch.Tensor:
    return x.view(*x.shape[:-1], heads, -1).transpose(1, 2)


def _join_heads(x: torch.Tensor) -> torch.Tensor:
    return x.transpose(1, 2).flatten(2)
