"""Dots 3 Note. What it hears is left out."""

from functools import cache

from transformers import (
    Dots3NoteConfig,
    Dots3NoteFeatureExtractor,
    Dots3NoteForConditionalGeneration,
    Dots3NoteProcessor,
    Qwen3VLVideoProcessor,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from tiny.case import Case, decoder, in_proportion, silence, template, words
from tiny.patches.parts import LIMITS, MERGE, PATCH, SIDES, SIZES, ids

NAMES = {"image": "<|imgpad|>", "video": "<|video_pad|>", "audio": "<|audio_comp_pad|>"}


@cache
def tokenizer():
    return words(*NAMES.values())


def processor():
    sides = {**SIDES, "temporal_patch_size": 1, "size": LIMITS}
    return Dots3NoteProcessor(
        Qwen2VLImageProcessorPil(**sides),
        tokenizer(),
        Qwen3VLVideoProcessor(**sides),
        Dots3NoteFeatureExtractor(),
        chat_template=template(NAMES["image"], NAMES["video"]),
    )


def build():
    low = {"q_lora_rank": 16, "kv_lora_rank": 16, "v_head_dim": 16, "qk_nope_head_dim": 16, "qk_rope_head_dim": 8}
    low |= {"head_dim": 24, "index_topk": 64, "index_head_dim": 16, "index_n_heads": 2, "use_sliding_window": False}
    experts = {"n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
    experts |= {"shared_experts_intermediate_size": 32}
    text = decoder(tokenizer(), **low, **experts) | {"num_key_value_heads": 4}
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    tower |= {"patch_size": PATCH, "spatial_merge_size": MERGE, "adapter_merge_size": MERGE, "adapter_in_dim": 32}
    tower |= {"adapter_out_dim": 64, "mlp_layer_types": ["dense", "dense"], "initializer_range": 0.2}
    hearing = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    hearing |= {"feature_size": 16, "downsample_hidden_size": 8, "adapter_input_size": 32, "adapter_out_dim": 64}
    config = Dots3NoteConfig(text_config=text, vision_config=tower, audio_config=hearing, **ids(NAMES, tokenizer()))
    return Dots3NoteForConditionalGeneration(config)


def blind(model):
    """Take the attention out of the vision tower, and let tokens follow their pixels in proportion."""
    tower = model.model.vision_tower
    silence(block.attn for block in tower.blocks)
    in_proportion(tower.patch_embed)


CASES = (Case("dots3_note", build, processor, sizes=SIZES, blind=blind, video=True),)
