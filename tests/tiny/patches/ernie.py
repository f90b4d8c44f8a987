"""PaddleOCR-VL, and ERNIE 4.5 VL, whose experts are told vision and text by an input of their own."""

from functools import cache

from transformers import (
    Ernie4_5_VLMoeConfig,
    Ernie4_5_VLMoeForConditionalGeneration,
    Ernie4_5_VLMoeProcessor,
    Ernie4_5_VLMoeVideoProcessor,
    PaddleOCRVLConfig,
    PaddleOCRVLForConditionalGeneration,
    PaddleOCRVLProcessor,
)
from transformers.models.ernie4_5_vl_moe.image_processing_pil_ernie4_5_vl_moe import Ernie4_5_VLMoeImageProcessorPil
from transformers.models.paddleocr_vl.image_processing_pil_paddleocr_vl import PaddleOCRVLImageProcessorPil

from tiny.case import Case, in_proportion, silence, template, words
from tiny.patches.parts import LIMITS, MERGE, PATCH, SIDES, SIZES, ids, text, vision

MARKS = {
    "image": "<|IMAGE_PLACEHOLDER|>",
    "image_start": "<|IMAGE_START|>",
    "image_end": "<|IMAGE_END|>",
    "video": "<|VIDEO_PLACEHOLDER|>",
    "video_start": "<|VIDEO_START|>",
    "video_end": "<|VIDEO_END|>",
}
SHOWN = [f"{MARKS[f'{kind}_start']}{MARKS[kind]}{MARKS[f'{kind}_end']}" for kind in ("image", "video")]


@cache
def tokenizer():
    return words(named={f"{name}_token": token for name, token in MARKS.items()})


def ernie_processor():
    return Ernie4_5_VLMoeProcessor(
        Ernie4_5_VLMoeImageProcessorPil(**SIDES, size=LIMITS),
        tokenizer(),
        # The times that it draws on frames would need a font, and are no part of what is painted here.
        Ernie4_5_VLMoeVideoProcessor(**SIDES, size=LIMITS, draw_on_frames=False),
        chat_template=template(*SHOWN),
    )


def ernie4_5_vl_moe():
    settings = text(tokenizer(), moe_num_experts=4, moe_k=2, moe_num_shared_experts=1, moe_intermediate_size=[32, 32])
    del settings["head_dim"]
    settings["rope_parameters"]["mrope_section"] = [3, 3, 2]  # its order is height, width, time
    tower = vision()
    del tower["out_hidden_size"], tower["temporal_patch_size"]
    return Ernie4_5_VLMoeForConditionalGeneration(
        Ernie4_5_VLMoeConfig(
            text_config=settings, vision_config=tower, tie_word_embeddings=False, **ids(MARKS, tokenizer())
        )
    )


def ernie_blind(model):
    """Take the attention out of the vision tower, and let tokens follow their pixels in proportion."""
    tower = model.model.vision_tower
    silence(block.attn for block in tower.blocks)
    in_proportion(tower.patch_embed)


def paddle_processor():
    images = PaddleOCRVLImageProcessorPil(**SIDES, size=LIMITS)
    return PaddleOCRVLProcessor(images, tokenizer(), chat_template=template(SHOWN[0]))


def paddleocr_vl():
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    return PaddleOCRVLForConditionalGeneration(
        PaddleOCRVLConfig(
            text_config=text(tokenizer()),
            vision_config=tower | {"image_size": 8 * PATCH, "patch_size": PATCH, "spatial_merge_size": MERGE},
            tie_word_embeddings=False,
            **ids({name: MARKS[name] for name in ("image", "video")}, tokenizer()),
        )
    )


def paddle_blind(model):
    """Take the attention out of the vision tower, and let tokens follow their pixels in proportion."""
    tower = model.model.visual.vision_model
    silence(layer.self_attn for layer in tower.encoder.layers)
    in_proportion(tower.embeddings)


CASES = (
    Case("paddleocr_vl", paddleocr_vl, paddle_processor, sizes=(*SIZES, (5, 30)), blind=paddle_blind),
    Case("ernie4_5_vl_moe", ernie4_5_vl_moe, ernie_processor, sizes=SIZES, blind=ernie_blind, video=True),
)
