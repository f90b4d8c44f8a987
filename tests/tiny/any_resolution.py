"""LLaVA-NeXT and LLaVA-OneVision."""

from functools import cache, partial

from transformers import (
    LlavaNextConfig,
    LlavaNextForConditionalGeneration,
    LlavaNextImageProcessor,
    LlavaNextProcessor,
    LlavaOnevisionConfig,
    LlavaOnevisionForConditionalGeneration,
    LlavaOnevisionImageProcessor,
    LlavaOnevisionProcessor,
    LlavaOnevisionVideoProcessor,
)

from tiny.case import Case, decoder, silence, template, tower, words

PATCH, SIDE = 4, 4
TILE = PATCH * SIDE
CANVASES = ((1, 2), (2, 1), (2, 2), (1, 3), (3, 1))  # LLaVA-NeXT's own, rows and columns of tiles


def pinpoints(tile, most=None):
    """Canvases in pixels: those of LLaVA-NeXT, or all up to some tiles a side, as LLaVA-OneVision has them."""
    shapes = CANVASES if most is None else [(r, c) for r in range(1, most + 1) for c in range(1, most + 1)]
    return [[rows * tile, columns * tile] for rows, columns in shapes]


@cache
def tokenizer():
    return words(named={"image_token": "<image>", "video_token": "<video>"})


def next_processor():
    images = LlavaNextImageProcessor(
        size={"shortest_edge": TILE},
        crop_size={"height": TILE, "width": TILE},
        image_grid_pinpoints=pinpoints(TILE),
    )
    return LlavaNextProcessor(
        images,
        tokenizer(),
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=template(),
    )


def next_build():
    tokens = tokenizer()
    config = LlavaNextConfig(
        text_config=decoder(tokens, model_type="llama"),
        vision_config=tower(
            model_type="clip_vision_model", image_size=TILE, patch_size=PATCH, projection_dim=32, initializer_range=0.2
        ),
        image_token_index=tokens.image_token_id,
        image_grid_pinpoints=pinpoints(TILE),
    )
    return LlavaNextForConditionalGeneration(config)


class Together(LlavaOnevisionProcessor):
    """Takes the pictures of a conversation as one group, which it then does not cut into tiles."""

    def _process_images(self, images, **kwargs):
        return super()._process_images([images], **kwargs)


def processor(tile=TILE, patch=PATCH, limit=9, kind=LlavaOnevisionProcessor):
    square = {"height": tile, "width": tile}
    return kind(
        LlavaOnevisionImageProcessor(size=square, image_grid_pinpoints=pinpoints(tile, 3)),
        tokenizer(),
        LlavaOnevisionVideoProcessor(size=square),
        num_image_tokens=(tile // patch) ** 2,
        vision_feature_select_strategy="full",
        vision_aspect_ratio=f"anyres_max_{limit}",
        chat_template=template(),
    )


def build(tile=TILE, patch=PATCH, limit=9):
    tokens = tokenizer()
    config = LlavaOnevisionConfig(
        text_config=decoder(tokens, model_type="qwen2", head_dim=16),
        vision_config=tower(
            model_type="siglip_vision_model",
            image_size=tile,
            patch_size=patch,
            projection_dim=32,
            initializer_range=0.2,
            vision_use_head=False,
        ),
        image_token_index=tokens.image_token_id,
        video_token_index=tokens.video_token_id,
        image_grid_pinpoints=pinpoints(tile, 3),
        vision_aspect_ratio=f"anyres_max_{limit}",
    )
    return LlavaOnevisionForConditionalGeneration(config)


def blind(model):
    """Take the attention out of the vision tower."""
    silence(layer.self_attn for layer in model.model.vision_tower.encoder.layers)


SIZES = ((64, 96), (48, 104))
TILED = ((30, 61), (81, 60), (100, 30), (127, 130))

CASES = (
    Case("llava_next", next_build, next_processor, sizes=SIZES, tiled=TILED, blind=blind),
    Case("llava_onevision", build, processor, sizes=SIZES, tiled=TILED, blind=blind, video=True),
    Case(
        "llava_onevision",
        partial(build, limit=4),
        partial(processor, limit=4),
        sizes=SIZES,
        tiled=((127, 130), (150, 100)),
        blind=blind,
        overlapping=True,
        name="llava_onevision (shrunk)",
    ),
    Case(  # tiles a little larger than their cells, as 27 · 14 of 384 pixels
        "llava_onevision",
        partial(build, 29, 7),
        partial(processor, 29, 7),
        sizes=SIZES,
        tiled=TILED,
        blind=blind,
        video=True,
        name="llava_onevision (uneven)",
    ),
    Case(
        "llava_onevision",
        build,
        partial(processor, kind=Together),
        sizes=SIZES,
        blind=blind,
        name="llava_onevision (together)",
    ),
)
