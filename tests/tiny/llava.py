"""LLaVA with CLIP's tower, and with SigLIP's, whose pictures are not cropped."""

from functools import cache, partial

from transformers import (
    CLIPImageProcessor,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaImageProcessor,
    LlavaProcessor,
    SiglipImageProcessor,
)

from tiny.case import Case, silence, template, words

PATCH, SIDE = 4, 6
SQUARE = {"height": PATCH * SIDE, "width": PATCH * SIDE}
SHORT = {"shortest_edge": PATCH * SIDE}


@cache
def tokenizer():
    return words(named={"image_token": "<image>"})


def decoder(tokens, model_type="llama"):
    """A small text decoder's configuration."""
    return {
        "model_type": model_type,
        "vocab_size": len(tokens) + 13,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "initializer_range": 0.3,
        "bos_token_id": None,
        "eos_token_id": tokens.eos_token_id,
        "pad_token_id": tokens.pad_token_id,
    }


def tower(model_type="clip_vision_model", side=PATCH * SIDE, patch=PATCH):
    """A small vision tower's configuration."""
    return {
        "model_type": model_type,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": side,
        "patch_size": patch,
        "projection_dim": 32,
        "initializer_range": 0.2,
    }


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
        text_config=decoder(tokens),
        vision_config=tower(vision),
        image_token_index=tokens.image_token_id,
        vision_feature_select_strategy=strategy,
    )
    return LlavaForConditionalGeneration(config)


def blind(model):
    """Take the attention out of the vision tower."""
    silence(layer.self_attn for layer in model.model.vision_tower.encoder.layers)


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
)
