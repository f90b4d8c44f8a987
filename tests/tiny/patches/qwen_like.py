"""Other models' towers that are fed as Qwen's are."""

from functools import cache, partial

import transformers
from transformers import (
    CohereCompassConfig,
    CohereCompassForConditionalGeneration,
    CohereCompassProcessor,
    CohereCompassVideoProcessor,
    Cosmos3OmniConfig,
    Cosmos3OmniForConditionalGeneration,
    Exaone4_5_Config,
    Exaone4_5_ForConditionalGeneration,
    Exaone4_5_Processor,
    HyperCLOVAXVisionV2Config,
    HyperCLOVAXVisionV2ForConditionalGeneration,
    HyperCLOVAXVisionV2Processor,
    Qwen2VLVideoProcessor,
    Qwen3_5MoeConfig,
    Qwen3_5MoeForConditionalGeneration,
    Qwen3VLProcessor,
)
from transformers.models.cohere_compass.image_processing_pil_cohere_compass import CohereCompassImageProcessorPil

from tiny.case import Case, decoder, in_proportion, silence, template, words
from tiny.patches.parts import LIMITS, MERGE, PATCH, ROPE, SIDES, SIZES, blind, ids, processor, text, tokenizer, vision

INTERLEAVED = {"mrope_interleaved": True}
COMPASS = {"image": "<|IMAGE_PAD|>", "video": "<|VIDEO_PAD|>"}
COMPASS |= {"vision_start": "<|VISION_START|>", "vision_end": "<|VISION_END|>"}
WINDOWS = {"window_size": 4 * PATCH, "fullatt_block_indexes": [1]}


@cache
def compass():
    return words(*COMPASS.values())


def qwen3_5_moe():
    linear = {"linear_num_key_heads": 2, "linear_num_value_heads": 2}
    linear |= {"linear_key_head_dim": 16, "linear_value_head_dim": 16}
    experts = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
    settings = text(layer_types=["linear_attention", "full_attention"], **linear, **experts)
    settings["rope_parameters"] |= INTERLEAVED
    config = Qwen3_5MoeConfig(text_config=settings, vision_config=vision(num_position_embeddings=64), **ids())
    return Qwen3_5MoeForConditionalGeneration(config)


def cosmos3_omni():
    settings = text()
    settings["rope_parameters"] |= INTERLEAVED
    tower = vision(num_position_embeddings=64, deepstack_visual_indexes=[0, 1])
    return Cosmos3OmniForConditionalGeneration(
        Cosmos3OmniConfig(text_config=settings, vision_config=tower, tie_word_embeddings=False, **ids())
    )


def cohere_compass():
    settings = decoder(compass(), rope_parameters={"full_attention": ROPE | INTERLEAVED})
    tower = vision(num_position_embeddings=64, deepstack_visual_indexes=[0, 1])
    config = CohereCompassConfig(
        text_config=settings, vision_config=tower, tie_word_embeddings=False, **ids(COMPASS, compass())
    )
    return CohereCompassForConditionalGeneration(config)


def cohere_compass_processor():
    limits = {**SIDES, "size": LIMITS}
    shown = (f"<|VISION_START|>{COMPASS[medium]}<|VISION_END|>" for medium in ("image", "video"))
    return CohereCompassProcessor(
        CohereCompassImageProcessorPil(**limits),
        compass(),
        CohereCompassVideoProcessor(**limits),
        chat_template=template(*shown),
    )


def exaone4_5():
    return Exaone4_5_ForConditionalGeneration(
        Exaone4_5_Config(
            text_config=decoder(tokenizer(), model_type="exaone4", layer_types=["full_attention"] * 2),
            vision_config=vision(num_key_value_heads=1, **WINDOWS),
            **ids(),
        )
    )


def hyperclovax_vision_v2():
    return HyperCLOVAXVisionV2ForConditionalGeneration(
        HyperCLOVAXVisionV2Config(
            text_config=decoder(tokenizer(), model_type="hyperclovax"),
            vision_config=vision(model_type="qwen2_5_vl_vision", **WINDOWS),
            tie_word_embeddings=False,
            **ids(),
        )
    )


def lfm3_vl():
    from transformers import Lfm3VlConfig, Lfm3VlForConditionalGeneration

    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    tower |= {"num_key_value_heads": 1, "layer_types": ["conv", "full_attention"], "initializer_range": 0.2}
    return Lfm3VlForConditionalGeneration(
        Lfm3VlConfig(
            text_config=decoder(tokenizer(), model_type="lfm3", layer_types=["conv", "full_attention"]),
            vision_config=tower | {"patch_size": PATCH, "spatial_merge_size": MERGE},
            projector_hidden_size=64,
            tie_word_embeddings=False,
            **ids(),
        )
    )


def without_neighbours(model):
    """Take the convolution and the attention out of the vision tower."""
    tower = model.model.vision_tower
    silence(layer.conv if hasattr(layer, "conv") else layer.self_attn for layer in tower.layers)
    in_proportion(tower.patch_embed)


def in_windows(model):
    """Take the attention out of the vision tower."""
    tower = model.model.vision_model
    silence(block.attn for block in tower.blocks)
    in_proportion(tower.patch_embed)


OF_QWEN = (
    (qwen3_5_moe, (Qwen3VLProcessor,), blind),
    (exaone4_5, (Exaone4_5_Processor, Qwen2VLVideoProcessor), blind),
    (lfm3_vl, (getattr(transformers, "Lfm3VlProcessor", None),), without_neighbours),
    (cosmos3_omni, (Qwen3VLProcessor,), blind),
    (hyperclovax_vision_v2, (HyperCLOVAXVisionV2Processor, Qwen2VLVideoProcessor), in_windows),
)
CASES = (
    *(
        Case(build.__name__, build, partial(processor, *kinds), sizes=SIZES, blind=blind, video=True)
        for build, kinds, blind in OF_QWEN
    ),
    Case("cohere_compass", cohere_compass, cohere_compass_processor, sizes=SIZES, blind=blind, video=True),
)
