"""Cosmos 3 Edge."""

from transformers import (
    Cosmos3EdgeConfig,
    Cosmos3EdgeForConditionalGeneration,
    Cosmos3EdgeProcessor,
    Cosmos3EdgeVideoProcessor,
)
from transformers.models.cosmos3_edge.image_processing_pil_cosmos3_edge import Cosmos3EdgeImageProcessorPil

from tiny.case import Case, in_proportion, silence, template
from tiny.patches.parts import LIMITS, MERGE, PATCH, QWEN, SIDES, SIZES, ids, text, tokenizer


def processor():
    return Cosmos3EdgeProcessor(
        Cosmos3EdgeImageProcessorPil(**SIDES, size=LIMITS),
        tokenizer(),
        Cosmos3EdgeVideoProcessor(**SIDES, size=LIMITS),
        chat_template=template(*(f"<|vision_start|>{QWEN[medium]}<|vision_end|>" for medium in ("image", "video"))),
    )


def build():
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = Cosmos3EdgeConfig(
        text_config=text(),
        vision_config=tower | {"patch_size": PATCH, "spatial_merge_size": MERGE, "num_patches": 64},
        projector_hidden_size=64,
        **ids(),
    )
    return Cosmos3EdgeForConditionalGeneration(config)


def blind(model):
    """Take the attention out of the vision tower, and let tokens follow their pixels in proportion."""
    tower = model.model.visual
    silence(layer.self_attn for layer in tower.encoder.layers)
    in_proportion(tower.embeddings)


CASES = (Case("cosmos3_edge", build, processor, sizes=SIZES, blind=blind, video=True),)
