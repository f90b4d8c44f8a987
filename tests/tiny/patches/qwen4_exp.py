"""Qwen4-Exp, whose text decoder ends with a mixer of several streams in the place of a norm."""

from functools import partial

from transformers import Qwen3VLProcessor, Qwen4ExpConfig, Qwen4ExpForConditionalGeneration

from tiny.case import Case
from tiny.patches.parts import SIZES, blind, ids, processor, text, vision


def qwen4_exp():
    linear = {"linear_num_key_heads": 2, "linear_num_value_heads": 2}
    linear |= {"linear_key_head_dim": 16, "linear_value_head_dim": 16}
    experts = {"num_experts": 4, "num_experts_per_tok": 2}
    experts |= {"moe_intermediate_size": 32, "shared_expert_intermediate_size": 32}
    indexed = {"indexer_n_heads": 2, "indexer_kv_heads": 1, "indexer_head_dim": 16}
    indexed |= {"indexer_budget": 512, "indexer_compress_ratio": 4}
    mixed = {"layer_types": ["linear_attention", "indexed_attention"], "hc_count": 2, "hc_lowrank": 8}
    settings = text(**mixed, **linear, **experts, **indexed)
    settings["rope_parameters"] |= {"mrope_interleaved": True}
    config = Qwen4ExpConfig(text_config=settings, vision_config=vision(num_position_embeddings=64), **ids())
    return Qwen4ExpForConditionalGeneration(config)


CASES = (Case("qwen4_exp", qwen4_exp, partial(processor, Qwen3VLProcessor), sizes=SIZES, blind=blind, video=True),)
