"""Aya Vision and Cohere2 Vision."""

from functools import cache, partial

from transformers import (
    AyaVisionConfig,
    AyaVisionForConditionalGeneration,
    AyaVisionProcessor,
    Cohere2VisionConfig,
    Cohere2VisionForConditionalGeneration,
    Cohere2VisionImageProcessor,
    Cohere2VisionProcessor,
    GotOcr2ImageProcessor,
)

from tiny.case import Case, decoder, silence, template, tower, words

PATCH, PATCHES = 4, 8  # a tile of 32 pixels makes 4×4 tokens
TILE = {"height": PATCH * PATCHES, "width": PATCH * PATCHES}


@cache
def tokenizer(family):
    if family == "aya_vision":
        return words("<image>", "<|START_OF_IMG|>", "<|END_OF_IMG|>", "<|IMG_PATCH|>", "TILE_GLOBAL")
    named = {
        "image_token": "<|IMG_PATCH|>",
        "boi_token": "<|START_OF_IMG|>",
        "eoi_token": "<|END_OF_IMG|>",
        "img_line_break_token": "<|IMG_LINE_BREAK|>",
    }
    return words(named=named)


def processor(family):
    if family == "aya_vision":
        return AyaVisionProcessor(
            GotOcr2ImageProcessor(size=TILE),
            tokenizer(family),
            patch_size=PATCH,
            img_size=PATCH * PATCHES,
            downsample_factor=2,
            chat_template=template(),
        )
    # What the image processor calls a patch is a tile, whose cells it counts.
    images = Cohere2VisionImageProcessor(size=TILE, patch_size=PATCHES // 2)
    return Cohere2VisionProcessor(images, tokenizer(family), chat_template=template("<|IMG_PATCH|>"))


def build(family):
    tokens = tokenizer(family)
    text = decoder(
        tokens,
        model_type="cohere2",
        layer_types=["sliding_attention", "full_attention"],
        sliding_window=24,
        logit_scale=1.0,  # neither of them scales its logits, whatever is written here
    )
    vision = tower(
        model_type="siglip_vision_model", image_size=PATCH * PATCHES, patch_size=PATCH, vision_use_head=False
    )
    kind, model, options = {
        "aya_vision": (AyaVisionConfig, AyaVisionForConditionalGeneration, {}),
        "cohere2_vision": (
            Cohere2VisionConfig,
            Cohere2VisionForConditionalGeneration,
            {"alignment_intermediate_size": 96},
        ),
    }[family]
    return model(
        kind(
            text_config=text,
            vision_config=vision,
            image_token_id=tokens.convert_tokens_to_ids("<|IMG_PATCH|>"),
            downsample_factor=2,
            tie_word_embeddings=False,
            **options,
        )
    )


def blind(model):
    """Take the attention out of the vision tower, and let tokens follow their pixels in proportion.

    Beside a large bias, the norms scale all tokens alike; the one whose pixels changed most then changes most.
    """
    tower = model.model.vision_tower
    silence(layer.self_attn for layer in tower.encoder.layers)
    tower.embeddings.patch_embedding.bias.data.normal_(std=20)


CASES = (
    Case(
        "aya_vision",
        partial(build, "aya_vision"),
        partial(processor, "aya_vision"),
        sizes=((40, 36), (96, 64)),
        tiled=((50, 110), (120, 30)),
        blind=blind,
    ),
    Case(
        "cohere2_vision",
        partial(build, "cohere2_vision"),
        partial(processor, "cohere2_vision"),
        sizes=((32, 24), (90, 60)),
        tiled=((50, 110), (120, 30), (300, 200)),
        blind=blind,
    ),
)
