"""Further models that are fed as Qwen's are, with processors of their own."""

from functools import cache, partial

from transformers import (
    CohereCompassConfig,
    CohereCompassForConditionalGeneration,
    CohereCompassProcessor,
    CohereCompassVideoProcessor,
    Cosmos3EdgeConfig,
    Cosmos3EdgeForConditionalGeneration,
    Cosmos3EdgeProcessor,
    Cosmos3EdgeVideoProcessor,
    Qwen3VLProcessor,
    Qwen4ExpConfig,
    Qwen4ExpForConditionalGeneration,
)
from transformers.models.cohere_compass.image_processing_pil_cohere_compass import CohereCompassImageProcessorPil
from transformers.models.cosmos3_edge.image_processing_pil_cosmos3_edge import Cosmos3EdgeImageProcessorPil

from tiny.case import Case, in_proportion, silence, template, words
from tiny.patches.parts import LIMITS, QWEN, SIDES, SIZES, blind, ids, processor, text, tokenizer, vision

INTERLEAVED = {"mrope_interleaved": True}
COMPASS = {name: token.upper() for name, token in QWEN.items()}


@cache
def compass_tokenizer():
    return words(*COMPASS.values())


def compass_processor():
    shown = [f"{COMPASS['vision_start']}{COMPASS[medium]}{COMPASS['vision_end']}" for medium in ("image", "video")]
    return CohereCompassProcessor(
        CohereCompassImageProcessorPil(**SIDES, size=LIMITS),
        compass_tokenizer(),
        CohereCompassVideoProcessor(**SIDES, size=LIMITS, cap_pixels_per_frame=False),
        chat_template=template(*shown),
    )


def cohere_compass():
    settings = text(compass_tokenizer(), layer_types=["full_attention"] * 2)
    settings["rope_parameters"] = {"full_attention": settings["rope_parameters"] | INTERLEAVED}
    tower = vision(num_position_embeddings=64, deepstack_visual_indexes=[0, 1])
    names = ids(COMPASS, compass_tokenizer())
    return CohereCompassForConditionalGeneration(
        CohereCompassConfig(text_config=settings, vision_config=tower, tie_word_embeddings=False, **names)
    )


def cosmos3_edge_processor():
    shown = [f"{QWEN['vision_start']}{QWEN[medium]}{QWEN['vision_end']}" for medium in ("image", "video")]
    return Cosmos3EdgeProcessor(
        Cosmos3EdgeImageProcessorPil(**SIDES, size=LIMITS),
        tokenizer(),
        Cosmos3EdgeVideoProcessor(**SIDES, size=LIMITS),
        chat_template=template(*shown),
    )


def cosmos3_edge():
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    tower |= {"patch_size": SIDES["patch_size"], "spatial_merge_size": SIDES["merge_size"], "num_patches": 64}
    return Cosmos3EdgeForConditionalGeneration(
        Cosmos3EdgeConfig(
            text_config=text(),
            vision_config=tower,
            projector_hidden_size=64,
            tie_word_embeddings=False,
            **ids(),
        )
    )


def qwen4_exp():
    linear = {"linear_num_key_heads": 2, "linear_num_value_heads": 2}
    linear |= {"linear_key_head_dim": 16, "linear_value_head_dim": 16}
    experts = {"num_experts": 4, "num_experts_per_tok": 2}
    experts |= {"moe_intermediate_size": 32, "shared_expert_intermediate_size": 32}
    indexed = {"indexer_n_heads": 2, "indexer_kv_heads": 1, "indexer_head_dim": 16}
    indexed |= {"indexer_budget": 512, "indexer_compress_ratio": 4}
    mixed = {"layer_types": ["linear_attention", "indexed_attention"], "hc_count": 2, "hc_lowrank": 8}
    settings = text(**mixed, **linear, **experts, **indexed)
    settings["rope_parameters"] |= INTERLEAVED
    config = Qwen4ExpConfig(text_config=settings, vision_config=vision(num_position_embeddings=64), **ids())
    return Qwen4ExpForConditionalGeneration(config)


def blind_edge(model):
    """Take the attention out of the vision tower."""
    tower = model.model.visual
    silence(layer.self_attn for layer in tower.encoder.layers)
    in_proportion(tower.embeddings.patch_embedding)


CASES = (
    Case("cohere_compass", cohere_compass, compass_processor, sizes=SIZES, blind=blind, video=True),
    Case("cosmos3_edge", cosmos3_edge, cosmos3_edge_processor, sizes=SIZES, blind=blind_edge, video=True),
    Case("qwen4_exp", qwen4_exp, partial(processor, Qwen3VLProcessor), sizes=SIZES, blind=blind, video=True),
)
