"""LLaVA with CLIP's tower, and with SigLIP's, whose pictures are not cropped; ViP-LLaVA and Video-LLaVA."""

from functools import cache, partial

from transformers import (
    CLIPImageProcessor,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaImageProcessor,
    LlavaProcessor,
    SiglipImageProcessor,
    VideoLlavaConfig,
    VideoLlavaForConditionalGeneration,
    VideoLlavaImageProcessor,
    VideoLlavaProcessor,
    VideoLlavaVideoProcessor,
    VipLlavaConfig,
    VipLlavaForConditionalGeneration,
)

from tiny.case import Case, decoder, in_proportion, silence, template, tower, words

PATCH, SIDE = 4, 6
SQUARE = {"height": PATCH * SIDE, "width": PATCH * SIDE}
SHORT = {"shortest_edge": PATCH * SIDE}


@cache
def tokenizer():
    return words(named={"image_token": "<image>", "video_token": "<video>"})


def processor(images, strategy="default", extra=1):
    return LlavaProcessor(
        images,
        tokenizer(),
        patch_size=PATCH,
        vision_feature_select_strategy=strategy,
        num_additional_image_tokens=extra,
        chat_template=template(),
    )


def build(strategy="default", vision="clip_vision_model"):
    tokens = tokenizer()
    config = LlavaConfig(
        text_config=decoder(tokens, model_type="llama"),
        vision_config=tower(
            model_type=vision, image_size=PATCH * SIDE, patch_size=PATCH, projection_dim=32, initializer_range=0.2
        ),
        image_token_index=tokens.image_token_id,
        vision_feature_select_strategy=strategy,
    )
    return LlavaForConditionalGeneration(config)


def parts():
    tokens = tokenizer()
    vision = tower(
        model_type="clip_vision_model",
        image_size=PATCH * SIDE,
        patch_size=PATCH,
        projection_dim=32,
        initializer_range=0.2,
    )
    return {
        "text_config": decoder(tokens, model_type="llama"),
        "vision_config": vision,
        "image_token_index": tokens.image_token_id,
    }


def vip_build():
    return VipLlavaForConditionalGeneration(VipLlavaConfig(**parts(), vision_feature_layers=[-2, -1]))


def video_processor():
    sides = {"size": SHORT, "crop_size": SQUARE}
    return VideoLlavaProcessor(
        VideoLlavaImageProcessor(**sides),
        VideoLlavaVideoProcessor(**sides),
        tokenizer(),
        patch_size=PATCH,
        chat_template=template(),
    )


def video_build():
    config = VideoLlavaConfig(**parts(), video_token_index=tokenizer().video_token_id)
    return VideoLlavaForConditionalGeneration(config)


def blind(model):
    """Take the attention out of the vision tower."""
    silence(layer.self_attn for layer in model.model.vision_tower.encoder.layers)
    in_proportion(model.model.vision_tower.embeddings)


def video_blind(model):
    """Take the attention out of both vision towers."""
    for inner in (model.model.image_tower, model.model.video_tower):
        silence(layer.self_attn for layer in inner.encoder.layers)
        in_proportion(inner.embeddings)


SIZES = ((64, 48), (48, 103), (250, 130))

CASES = (
    Case(
        "llava",
        build,
        lambda: processor(CLIPImageProcessor(size=SHORT, crop_size=SQUARE)),
        sizes=SIZES,
        blind=blind,
    ),
    Case(
        "llava",
        partial(build, "full"),
        lambda: processor(CLIPImageProcessor(size=SHORT, crop_size=SQUARE), "full"),
        sizes=SIZES[:2],
        blind=blind,
        name="llava (full)",
    ),
    Case(
        "llava",
        build,
        lambda: processor(LlavaImageProcessor(size=SHORT, crop_size=SQUARE, do_pad=True)),
        sizes=SIZES[:2],
        blind=blind,
        name="llava (padded)",
    ),
    Case(
        "llava",
        partial(build, "full", "siglip_vision_model"),
        lambda: processor(SiglipImageProcessor(size=SQUARE), "full", 0),
        sizes=SIZES[:2],
        blind=blind,
        name="llava (siglip)",
    ),
    Case(
        "vipllava",
        vip_build,
        lambda: processor(CLIPImageProcessor(size=SHORT, crop_size=SQUARE)),
        sizes=(*SIZES[:2], (63, 60)),  # the last one is cut by less than half a cell
        blind=blind,
    ),
    Case("video_llava", video_build, video_processor, sizes=SIZES[:2], blind=video_blind, video=True),
)
