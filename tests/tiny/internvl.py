"""InternVL, and Qianfan-OCR, which takes no videos."""

from functools import cache

from transformers import (
    GotOcr2ImageProcessor,
    InternVLConfig,
    InternVLForConditionalGeneration,
    InternVLProcessor,
    InternVLVideoProcessor,
    QianfanOCRConfig,
    QianfanOCRForConditionalGeneration,
    QianfanOCRProcessor,
)

from tiny.case import Case, decoder, silence, template, tower, words

PATCH, PATCHES = 4, 8  # a tile of 32 pixels makes 4×4 tokens
TILE = {"height": PATCH * PATCHES, "width": PATCH * PATCHES}


@cache
def tokenizer():
    named = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    return words(named=named)


def processor():
    return InternVLProcessor(
        GotOcr2ImageProcessor(size=TILE),
        tokenizer(),
        InternVLVideoProcessor(size=TILE),
        image_seq_length=(PATCHES // 2) ** 2,
        chat_template=template("<IMG_CONTEXT>\n", "<video>\n"),
    )


def build():
    tokens = tokenizer()
    vision = tower(
        image_size=[PATCH * PATCHES] * 2, patch_size=[PATCH] * 2, initializer_range=0.2, layer_scale_init_value=1.0
    )
    config = InternVLConfig(
        text_config=decoder(tokens, model_type="qwen2"),
        vision_config=vision,
        image_token_id=tokens.context_image_token_id,
        image_seq_length=(PATCHES // 2) ** 2,
        tie_word_embeddings=False,
    )
    return InternVLForConditionalGeneration(config)


def qianfan_processor():
    return QianfanOCRProcessor(
        GotOcr2ImageProcessor(size=TILE),
        tokenizer(),
        image_seq_length=(PATCHES // 2) ** 2,
        chat_template=template("<image>\n"),
    )


def qianfan():
    names = tokenizer()
    vision = tower(
        image_size=[PATCH * PATCHES] * 2, patch_size=[PATCH] * 2, initializer_range=0.2, layer_scale_init_value=1.0
    )
    config = QianfanOCRConfig(
        text_config=decoder(names, model_type="qwen3", head_dim=16),
        vision_config=vision,
        image_token_id=names.context_image_token_id,
        image_seq_length=(PATCHES // 2) ** 2,
    )
    return QianfanOCRForConditionalGeneration(config)


def blind(model):
    """Take the attention out of the vision tower."""
    inner = model.model.vision_tower
    silence(layer.attention for layer in (inner.encoder.layer if hasattr(inner, "encoder") else inner.layers))


CASES = (
    Case(
        "internvl",
        build,
        processor,
        sizes=((40, 36), (96, 64)),
        tiled=((50, 110), (120, 30)),
        blind=blind,
        video=True,
    ),
    Case("qianfan_ocr", qianfan, qianfan_processor, sizes=((40, 36), (96, 64)), tiled=((120, 30),), blind=blind),
)
