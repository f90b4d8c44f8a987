"""Configurations of real models, and models of them with random weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import (
    PreTrainedModel,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
)

__all__ = ["SIZES", "Size", "build_model"]

SPECIAL: Mapping[str, int | None] = {
    "bos_token_id": None,
    "eos_token_id": 151_645,
    "pad_token_id": 151_643,
    "vision_start_token_id": 151_652,
    "vision_end_token_id": 151_653,
    "image_token_id": 151_655,
    "video_token_id": 151_656,
}
"""Ids of the special tokens, as in the vocabulary of all Qwen2 models."""


@dataclass(frozen=True)
class Size:
    """One configuration.

    Attributes
    ----------
    name : str
        What it is called in tables.
    config, model : type
        Their classes.
    text, vision : dict
        The two halves of the configuration.
    tied : bool
        Whether the head is the embedding.
    special : mapping of str to int or None
        Ids of the special tokens.
    """

    name: str
    config: Any
    model: Any
    text: dict[str, Any]
    vision: dict[str, Any]
    tied: bool = True
    special: Mapping[str, int | None] = field(default_factory=lambda: SPECIAL)


def _rope(sections: list[int]) -> dict[str, Any]:
    return {"rope_type": "default", "rope_theta": 1e6, "mrope_section": sections}


SIZES = {
    # For tests, on a CPU.
    "tiny": Size(
        "a tiny Qwen2-VL",
        Qwen2VLConfig,
        Qwen2VLForConditionalGeneration,
        {
            "vocab_size": 151_936,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "rope_parameters": _rope([2, 3, 3]),
        },
        {"depth": 1, "embed_dim": 32, "hidden_size": 32, "num_heads": 2, "mlp_ratio": 2},
    ),
    # For a laptop's CPU; its vocabulary is too small for Qwen's ids.
    "100m": Size(
        "a Qwen2-VL of 102 M parameters",
        Qwen2VLConfig,
        Qwen2VLForConditionalGeneration,
        {
            "vocab_size": 64_000,
            "hidden_size": 640,
            "intermediate_size": 1920,
            "num_hidden_layers": 12,
            "num_attention_heads": 10,
            "num_key_value_heads": 2,
            "rope_parameters": _rope([8, 12, 12]),
        },
        {"depth": 4, "embed_dim": 256, "hidden_size": 640, "num_heads": 4, "mlp_ratio": 4},
        special={
            "bos_token_id": None,
            "eos_token_id": None,
            "pad_token_id": None,
            "image_token_id": 1,
            "vision_start_token_id": 2,
            "vision_end_token_id": 3,
        },
    ),
    # As Qwen/Qwen2-VL-2B-Instruct has it.
    "2b": Size(
        "Qwen2-VL-2B",
        Qwen2VLConfig,
        Qwen2VLForConditionalGeneration,
        {
            "vocab_size": 151_936,
            "hidden_size": 1536,
            "intermediate_size": 8960,
            "num_hidden_layers": 28,
            "num_attention_heads": 12,
            "num_key_value_heads": 2,
            "rope_parameters": _rope([16, 24, 24]),
        },
        {"depth": 32, "embed_dim": 1280, "hidden_size": 1536, "num_heads": 16, "mlp_ratio": 4},
    ),
    # As Qwen/Qwen2.5-VL-7B-Instruct has it.
    "7b": Size(
        "Qwen2.5-VL-7B",
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        {
            "vocab_size": 152_064,
            "hidden_size": 3584,
            "intermediate_size": 18_944,
            "num_hidden_layers": 28,
            "num_attention_heads": 28,
            "num_key_value_heads": 4,
            "rope_parameters": _rope([16, 24, 24]),
        },
        {
            "depth": 32,
            "hidden_size": 1280,
            "intermediate_size": 3420,
            "num_heads": 16,
            "out_hidden_size": 3584,
            "window_size": 112,
            "fullatt_block_indexes": [7, 15, 23, 31],
        },
        tied=False,
    ),
}


def build_model(size: Size, device: torch.device, dtype: torch.dtype) -> PreTrainedModel:
    """Make a model with random weights, right on its device.

    Parameters
    ----------
    size : Size
    device : torch.device
    dtype : torch.dtype
        Of all weights.

    Returns
    -------
    transformers.PreTrainedModel
        In evaluation mode, seeded.
    """
    torch.manual_seed(0)
    of_text = {"bos_token_id", "eos_token_id", "pad_token_id"}
    config = size.config(
        text_config={**size.text, **{name: size.special[name] for name in of_text}},
        vision_config=size.vision,
        tie_word_embeddings=size.tied,
        dtype=dtype,
        **{name: value for name, value in size.special.items() if name not in of_text},
    )
    with device:
        model = size.model._from_config(config).eval()  # noqa: SLF001 - it heeds the dtype
    model.config._name_or_path = size.name  # noqa: SLF001 - what an explanation calls it
    return model
