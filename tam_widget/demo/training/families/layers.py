"""What the batched forward passes share: parameters by name, attention written out, and Llama's text decoder.

On a CPU a batch of sequences of one length, in bfloat16, with attention written out as two products, is several times
faster than the general code of transformers. It computes the same numbers; tests hold it to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from tam_widget.demo.training.families.batch import Batch

__all__ = [
    "Rotation",
    "Weights",
    "attend",
    "join_heads",
    "normalised",
    "read",
    "rotate",
    "rotation_of",
    "split_heads",
]

Rotation = tuple[torch.Tensor, torch.Tensor]
"""Cosines and sines of a rotary embedding, the angles repeated for both halves of a head."""

# What CLIP's and Qwen2-VL's image processors take from a picture and divide it by.
_MEAN = (0.48145466, 0.4578275, 0.40821073)
_STD = (0.26862954, 0.26130258, 0.27577711)


class Weights:
    """A model's parameters in the dtype of the products, by their names."""

    def __init__(self, model: torch.nn.Module, dtype: torch.dtype) -> None:
        self.dtype = dtype
        self._exact = dict(model.named_parameters())
        self._named = {name: parameter.to(dtype) for name, parameter in self._exact.items()}

    def __getitem__(self, name: str) -> torch.Tensor:
        return self._named[name]

    def linear(self, x: torch.Tensor, name: str) -> torch.Tensor:
        """Apply a linear layer, with its bias if it has one."""
        return F.linear(x, self[name + ".weight"], self._named.get(name + ".bias"))

    def layer_norm(self, x: torch.Tensor, name: str, epsilon: float) -> torch.Tensor:
        """Apply a layer norm with weight and bias."""
        return F.layer_norm(x, (x.shape[-1],), self[name + ".weight"], self[name + ".bias"], epsilon)

    def rms_norm(self, x: torch.Tensor, name: str, epsilon: float) -> torch.Tensor:
        """Apply an RMS norm."""
        return F.rms_norm(x, (x.shape[-1],), self[name + ".weight"], epsilon)

    def embed(self, ids: torch.Tensor, name: str) -> torch.Tensor:
        """Look tokens up; a frequent token's gradient is summed in the parameter's own precision."""
        return F.embedding(ids, self._exact[name + ".weight"]).to(self.dtype)


def normalised(pictures: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Return uint8 pictures, colours last, as the image processors normalise them."""
    mean, std = (torch.tensor(values, device=pictures.device) for values in (_MEAN, _STD))
    return ((pictures.float() / 255 - mean) / std).to(dtype)


def read(
    weights: Weights, config: Any, batch: Batch, image: torch.Tensor, turn: Rotation
) -> tuple[torch.Tensor, torch.Tensor]:
    """Put the vision tokens into the embedded text, and run the text decoder over both.

    Parameters
    ----------
    weights : Weights
        With tied embeddings, and the decoder at ``model.language_model``.
    config : PreTrainedConfig
        The decoder's.
    batch : Batch
    image : tensor, shape (B · F, N, d)
        The vision tokens.
    turn : Rotation

    Returns
    -------
    hidden : tensor, shape (B, L, d)
        After the final norm.
    head : tensor, shape (V, d)
    """
    embeddings = "model.language_model.embed_tokens"
    words = weights.embed(batch.ids, embeddings)
    hidden = words.index_copy(1, batch.image_at, image.reshape(len(words), -1, words.shape[-1]))
    return _decode(weights, config, hidden, batch.segments, turn), weights[embeddings + ".weight"]


def _decode(
    weights: Weights, config: Any, hidden: torch.Tensor, segments: torch.Tensor, turn: Rotation
) -> torch.Tensor:
    """Run the text decoder and its final norm.

    Parameters
    ----------
    weights : Weights
        With the decoder at ``model.language_model``.
    config : PreTrainedConfig
        The decoder's: Llama's, or Qwen2's, which differs by the biases of queries, keys and values.
    hidden : tensor, shape (B, L, d)
        The embedded sequence.
    segments : tensor of int64, shape (B, L)
    turn : Rotation
        For heads, shape (B, 1, L, d / heads).

    Returns
    -------
    tensor, shape (B, L, d)
    """
    mask = _segment_mask(segments, weights.dtype)
    heads, shared = config.num_attention_heads, config.num_attention_heads // config.num_key_value_heads
    for i in range(config.num_hidden_layers):
        at = f"model.language_model.layers.{i}."
        x = weights.rms_norm(hidden, at + "input_layernorm", config.rms_norm_eps)
        q = split_heads(weights.linear(x, at + "self_attn.q_proj"), heads)
        k = split_heads(weights.linear(x, at + "self_attn.k_proj"), config.num_key_value_heads)
        v = split_heads(weights.linear(x, at + "self_attn.v_proj"), config.num_key_value_heads)
        k, v = rotate(k, turn).repeat_interleave(shared, 1), v.repeat_interleave(shared, 1)
        mixed = attend(rotate(q, turn), k, v, mask)
        hidden = hidden + weights.linear(join_heads(mixed), at + "self_attn.o_proj")
        x = weights.rms_norm(hidden, at + "post_attention_layernorm", config.rms_norm_eps)
        gate = F.silu(weights.linear(x, at + "mlp.gate_proj"))
        hidden = hidden + weights.linear(gate * weights.linear(x, at + "mlp.up_proj"), at + "mlp.down_proj")
    return weights.rms_norm(hidden, "model.language_model.norm", config.rms_norm_eps)


def attend(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
    """Mix values by the softmax of the scaled products, all of shape (B, heads, L, head size)."""
    scores = torch.matmul(q * q.shape[-1] ** -0.5, k.transpose(-1, -2))
    if mask is not None:
        scores = scores + mask
    return torch.matmul(scores.softmax(-1), v)


def rotation_of(angles: torch.Tensor, dtype: torch.dtype) -> Rotation:
    """Return the rotation by angles of half a head's size."""
    angles = torch.cat([angles, angles], -1)
    return angles.cos().to(dtype), angles.sin().to(dtype)


def rotate(x: torch.Tensor, turn: Rotation) -> torch.Tensor:
    """Turn queries or keys to their positions."""
    cos, sin = turn
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat((-second, first), -1) * sin


def split_heads(x: torch.Tensor, heads: int) -> torch.Tensor:
    """(B, L, heads · size) → (B, heads, L, size)."""
    return x.view(*x.shape[:-1], heads, -1).transpose(1, 2)


def join_heads(x: torch.Tensor) -> torch.Tensor:
    """(B, heads, L, size) → (B, L, heads · size)."""
    return x.transpose(1, 2).flatten(2)


def _segment_mask(segments: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    length = segments.shape[1]
    seen = (segments[:, :, None] == segments[:, None, :]) | (segments[:, None, :] == 0)
    seen &= torch.ones(length, length, dtype=torch.bool, device=segments.device).tril()
    return torch.zeros(seen.shape, dtype=dtype, device=segments.device).masked_fill_(~seen, -1e4)[:, None]
