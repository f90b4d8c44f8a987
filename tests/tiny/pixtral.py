"""LLaVA with Pixtral's tower, Mistral 3 and Large 4, and LightOnOCR, which writes no break tokens."""

from functools import cache, partial

from transformers import (
    LightOnOcrConfig,
    LightOnOcrForConditionalGeneration,
    LightOnOcrProcessor,
    LlavaConfig,
    LlavaForConditionalGeneration,
    Mistral3Config,
    Mistral3ForConditionalGeneration,
    PixtralImageProcessor,
    PixtralProcessor,
)

from tiny.case import Case, decoder, silence, template, tower, words

PATCH = 4


@cache
def tokenizer():
    return words(named={"image_token": "[IMG]", "image_break_token": "[IMG_BREAK]", "image_end_token": "[IMG_END]"})


def processor(merge=1, longest=48, kind=PixtralProcessor):
    images = PixtralImageProcessor(patch_size=PATCH * merge, size={"longest_edge": longest})
    return kind(images, tokenizer(), patch_size=PATCH, spatial_merge_size=merge, chat_template=template("[IMG]"))


def vision():
    return tower(model_type="pixtral", image_size=6 * PATCH, patch_size=PATCH, projection_dim=32, initializer_range=0.2)


def build(family):
    tokens = tokenizer()
    parts = {
        "text_config": decoder(tokens, model_type="mistral", head_dim=16),
        "vision_config": vision(),
        "image_token_index": tokens.convert_tokens_to_ids("[IMG]"),
        "tie_word_embeddings": False,
        "vision_feature_layer": -1,
    }
    if family == "mistral3":
        return Mistral3ForConditionalGeneration(Mistral3Config(**parts, spatial_merge_size=2))
    return LlavaForConditionalGeneration(LlavaConfig(**parts, vision_feature_select_strategy="full"))


def large_build():
    from transformers import MistralLarge4Config, MistralLarge4ForConditionalGeneration

    tokens = tokenizer()
    text = decoder(
        tokens,
        num_key_value_heads=4,
        kv_lora_rank=16,
        qk_rope_head_dim=8,
        qk_nope_head_dim=8,
        v_head_dim=16,
        index_topk=4096,
        index_head_dim=8,
        index_n_heads=2,
        n_routed_experts=4,
        num_experts_per_tok=2,
        moe_intermediate_size=32,
        max_position_embeddings=4096,
        rope_parameters={"rope_type": "default", "rope_theta": 1e4},
    )
    return MistralLarge4ForConditionalGeneration(
        MistralLarge4Config(text_config=text, vision_config=vision(), image_token_index=tokens.image_token_id)
    )


def lighton_build():
    tokens = tokenizer()
    return LightOnOcrForConditionalGeneration(
        LightOnOcrConfig(
            text_config=decoder(tokens, model_type="qwen3", head_dim=16),
            vision_config=vision(),
            image_token_id=tokens.image_token_id,
            tie_word_embeddings=False,
        )
    )


def blind(model):
    """Take the attention out of the vision tower."""
    inner = model.model
    seeing = inner.vision_encoder if hasattr(inner, "vision_encoder") else inner.vision_tower
    silence(layer.attention for layer in seeing.transformer.layers)


SIZES = ((40, 29), (48, 104), (250, 130))

CASES = (
    Case("llava", partial(build, "llava"), processor, sizes=SIZES, blind=blind, name="pixtral", tower="pixtral"),
    Case(
        "mistral3",
        partial(build, "mistral3"),
        partial(processor, 2, 64),
        sizes=SIZES,
        blind=blind,
    ),
    Case("mistral_large4", large_build, partial(processor, 2, 64), sizes=SIZES[:2], blind=blind),
    Case("lighton_ocr", lighton_build, partial(processor, 2, 64, LightOnOcrProcessor), sizes=SIZES, blind=blind),
)
