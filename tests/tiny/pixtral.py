"""LLaVA with Pixtral's tower, and Mistral 3."""

from functools import cache, partial

from transformers import (
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
    return words("[IMG]", "[IMG_BREAK]", "[IMG_END]")


def processor(merge=1, longest=48):
    images = PixtralImageProcessor(patch_size=PATCH * merge, size={"longest_edge": longest})
    return PixtralProcessor(
        images, tokenizer(), patch_size=PATCH, spatial_merge_size=merge, chat_template=template("[IMG]")
    )


def build(family):
    tokens = tokenizer()
    parts = {
        "text_config": decoder(tokens, model_type="mistral", head_dim=16),
        "vision_config": tower(
            model_type="pixtral", image_size=6 * PATCH, patch_size=PATCH, projection_dim=32, initializer_range=0.2
        ),
        "image_token_index": tokens.convert_tokens_to_ids("[IMG]"),
        "tie_word_embeddings": False,
        "vision_feature_layer": -1,
    }
    if family == "mistral3":
        return Mistral3ForConditionalGeneration(Mistral3Config(**parts, spatial_merge_size=2))
    return LlavaForConditionalGeneration(LlavaConfig(**parts, vision_feature_select_strategy="full"))


def blind(model):
    """Take the attention out of the vision tower."""
    silence(layer.attention for layer in model.model.vision_tower.transformer.layers)


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
)
