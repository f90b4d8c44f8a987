"""The demo model: transformers' own Qwen2-VL class, from a configuration of 1.5 million parameters."""

from __future__ import annotations

from transformers import PreTrainedTokenizerBase, Qwen2VLConfig, Qwen2VLForConditionalGeneration
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

PATCH = 7
MERGE = 2
CELL = PATCH * MERGE  # pixels a vision token covers, each way: 16×16 tokens for a picture of 224×224
SIDE = 224

_HIDDEN = 128
_HEADS = 4


def build_model(tokenizer: PreTrainedTokenizerBase) -> Qwen2VLForConditionalGeneration:
    """Make the model with random weights; seed torch before."""

    def token_id(token: str) -> int:
        return int(tokenizer.convert_tokens_to_ids(token))

    config = Qwen2VLConfig(
        text_config={
            "vocab_size": -(-len(tokenizer) // 16) * 16,
            "hidden_size": _HIDDEN,
            "intermediate_size": 3 * _HIDDEN,
            "num_hidden_layers": 4,
            "num_attention_heads": _HEADS,
            "num_key_value_heads": 2,
            "max_position_embeddings": 2048,
            "rms_norm_eps": 1e-6,
            "hidden_act": "silu",
            # M-RoPE hands the lowest frequencies to the width. With the usual theta of 1e4 and heads of 32 they turn
            # by less than a degree across the picture, and the decoder is nearly blind to columns.
            "rope_parameters": {"rope_type": "default", "rope_theta": 25.0, "mrope_section": [4, 6, 6]},
            "bos_token_id": None,
            "eos_token_id": token_id("<|im_end|>"),
            "pad_token_id": token_id("<|endoftext|>"),
        },
        vision_config={
            "depth": 4,
            "embed_dim": 96,
            "hidden_size": _HIDDEN,
            "num_heads": 2,
            "mlp_ratio": 4,
            "in_channels": 3,
            "patch_size": PATCH,
            "spatial_merge_size": MERGE,
            "temporal_patch_size": 2,
        },
        image_token_id=token_id("<|image_pad|>"),
        video_token_id=token_id("<|video_pad|>"),
        vision_start_token_id=token_id("<|vision_start|>"),
        vision_end_token_id=token_id("<|vision_end|>"),
        tie_word_embeddings=True,
    )
    return Qwen2VLForConditionalGeneration(config)


def build_image_processor() -> Qwen2VLImageProcessorPil:
    """Make the processor that resizes any picture to about the sizes that the model was trained on."""
    pixels = SIDE * SIDE
    return Qwen2VLImageProcessorPil(
        patch_size=PATCH,
        merge_size=MERGE,
        temporal_patch_size=2,
        size={"shortest_edge": pixels * 3 // 4, "longest_edge": pixels},
    )
