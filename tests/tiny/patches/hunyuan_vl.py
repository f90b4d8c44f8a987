"""HunyuanVL."""

from functools import cache

from transformers import HunYuanVLConfig, HunYuanVLForConditionalGeneration, HunYuanVLProcessor
from transformers.models.hunyuan_vl.image_processing_pil_hunyuan_vl import HunYuanVLImageProcessorPil

from tiny.case import Case, in_proportion, silence, template, words
from tiny.patches.parts import LIMITS, MERGE, PATCH, SIDES, SIZES, text

NAMED = {"image_token": "<image>", "image_start_token": "<im_start>", "image_end_token": "<im_end>"}


@cache
def tokenizer():
    return words(named=NAMED)


def processor():
    return HunYuanVLProcessor(
        HunYuanVLImageProcessorPil(**SIDES, size=LIMITS),
        tokenizer(),
        chat_template=template("<im_start><image><im_end>"),
    )


def build():
    tokens = tokenizer()
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    return HunYuanVLForConditionalGeneration(
        HunYuanVLConfig(
            text_config=text(tokens) | {"tie_word_embeddings": False},
            vision_config=tower | {"patch_size": PATCH, "spatial_merge_size": MERGE, "max_image_size": 32 * PATCH},
            image_token_id=tokens.image_token_id,
            im_start_id=tokens.image_start_token_id,
            im_end_id=tokens.image_end_token_id,
            tie_word_embeddings=False,
        )
    )


def blind(model):
    """Take the attention out of the vision tower, and let tokens follow their pixels in proportion."""
    tower = model.model.vision_tower
    silence(layer.self_attn for layer in tower.layers)
    in_proportion(tower.embeddings)


CASES = (Case("hunyuan_vl", build, processor, sizes=SIZES, blind=blind),)
