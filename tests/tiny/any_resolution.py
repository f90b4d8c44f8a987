"""LLaVA-NeXT, LLaVA-NeXT-Video, LLaVA-OneVision and Granite 4 Vision."""

from functools import cache, partial

from transformers import (
    Granite4VisionConfig,
    Granite4VisionForConditionalGeneration,
    Granite4VisionProcessor,
    LlavaNextConfig,
    LlavaNextForConditionalGeneration,
    LlavaNextImageProcessor,
    LlavaNextProcessor,
    LlavaNextVideoConfig,
    LlavaNextVideoForConditionalGeneration,
    LlavaNextVideoProcessor,
    LlavaNextVideoVideoProcessor,
    LlavaOnevisionConfig,
    LlavaOnevisionForConditionalGeneration,
    LlavaOnevisionImageProcessor,
    LlavaOnevisionProcessor,
    LlavaOnevisionVideoProcessor,
)

from tiny.case import Case, decoder, in_proportion, silence, template, tower, words

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


def next_images(tile):
    return LlavaNextImageProcessor(
        size={"shortest_edge": tile},
        crop_size={"height": tile, "width": tile},
        image_grid_pinpoints=pinpoints(tile),
    )


def next_processor(tile=TILE, kind=LlavaNextProcessor, **options):
    return kind(
        image_processor=next_images(tile),
        tokenizer=tokenizer(),
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=template(),
        **options,
    )


def video_processor():
    square = {"height": TILE, "width": TILE}
    videos = LlavaNextVideoVideoProcessor(size={"shortest_edge": TILE}, crop_size=square)
    return next_processor(kind=LlavaNextVideoProcessor, video_processor=videos)


def clip(tile, **options):
    return tower(
        model_type="clip_vision_model",
        image_size=tile,
        patch_size=PATCH,
        projection_dim=32,
        initializer_range=0.2,
        **options,
    )


def next_build(kind=LlavaNextForConditionalGeneration, config=LlavaNextConfig, **options):
    tokens = tokenizer()
    made = config(
        text_config=decoder(tokens, model_type="llama"),
        vision_config=clip(TILE),
        image_token_index=tokens.image_token_id,
        image_grid_pinpoints=pinpoints(TILE),
        **options,
    )
    return kind(made)


def video_build():
    return next_build(
        LlavaNextVideoForConditionalGeneration, LlavaNextVideoConfig, video_token_index=tokenizer().video_token_id
    )


def granite_build():
    tokens = tokenizer()
    text = decoder(tokens, num_hidden_layers=5, attention_multiplier=0.25, embedding_multiplier=2.0)
    vision = clip(2 * TILE) | {"hidden_size": 64}  # the heads of what follows have 64 each
    config = Granite4VisionConfig(
        text_config=text,
        vision_config=vision,
        image_token_index=tokens.image_token_id,
        image_grid_pinpoints=pinpoints(2 * TILE),
        downsample_rate="2/4",
        deepstack_layer_map=[[-2, 0]],
        spatial_target_layers=[1, 2, 3, 4],
        qformer_config={"model_type": "blip_2_qformer", "num_hidden_layers": 1, "intermediate_size": 64},
    )
    return Granite4VisionForConditionalGeneration(config)


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
    in_proportion(model.model.vision_tower.embeddings)


def granite_blind(model):
    """Take the attention out of the vision tower, and out of what makes fewer cells of its patches."""
    blind(model)
    for projector in (*model.model.layerwise_projectors, *model.model.spatial_projectors):
        for layer in projector.qformer.encoder.layer:
            silence((layer.attention.attention, layer.crossattention.attention))


SIZES = ((64, 96), (48, 104))
TILED = ((30, 61), (81, 60), (100, 30), (127, 130))

CASES = (
    Case("llava_next", next_build, next_processor, sizes=SIZES, tiled=TILED, blind=blind),
    Case("llava_next_video", video_build, video_processor, sizes=SIZES, tiled=TILED[:2], blind=blind, video=True),
    Case(
        "granite4_vision",
        granite_build,
        partial(next_processor, 2 * TILE, Granite4VisionProcessor, downsample_rate="2/4"),
        sizes=SIZES,
        tiled=((127, 130), (200, 61)),
        blind=granite_blind,
    ),
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
