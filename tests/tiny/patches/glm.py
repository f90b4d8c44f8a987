"""GLM-4V, what came after it, and GLM-5-Next, which pads pictures."""

from functools import cache, partial

from transformers import (
    Glm4vConfig,
    Glm4vForConditionalGeneration,
    Glm4vMoeConfig,
    Glm4vMoeForConditionalGeneration,
    Glm4vProcessor,
    Glm4vVideoProcessor,
    Glm5NextConfig,
    Glm5NextForConditionalGeneration,
    Glm5NextProcessor,
    Glm5NextVideoProcessor,
    Glm46VConfig,
    Glm46VForConditionalGeneration,
    Glm46VProcessor,
    Glm46VVideoProcessor,
    GlmgaConfig,
    GlmgaVideoProcessor,
    GlmOcrConfig,
    GlmOcrForConditionalGeneration,
)
from transformers.models.glm4v.image_processing_pil_glm4v import Glm4vImageProcessorPil
from transformers.models.glm5_next.image_processing_pil_glm5_next import Glm5NextImageProcessorPil
from transformers.models.glm46v.image_processing_pil_glm46v import Glm46VImageProcessorPil
from transformers.models.glmga.image_processing_pil_glmga import GlmgaImageProcessorPil

from tiny.case import Case, decoder, template, words
from tiny.patches.parts import LIMITS, PATCH, ROPE, SIDES, SIZES, blind, ids, vision

NAMES = {
    "image": "<|image|>",
    "video": "<|video|>",
    "image_start": "<|begin_of_image|>",
    "image_end": "<|end_of_image|>",
    "video_start": "<|begin_of_video|>",
    "video_end": "<|end_of_video|>",
}


@cache
def tokenizer():
    return words(*NAMES.values())


def processor(kind, images, videos, limits):
    return kind(
        images(**SIDES, **limits),
        tokenizer(),
        videos(**SIDES, **limits),
        chat_template=template(
            "<|begin_of_image|><|image|><|end_of_image|>", "<|begin_of_video|><|video|><|end_of_video|>"
        ),
    )


def parts(**options):
    """Both parts' settings and the tokens, as all of these models have them."""
    text = decoder(tokenizer(), rope_parameters=dict(ROPE), **options)
    del text["bos_token_id"]  # which these do not know
    return {
        "text_config": text,
        "vision_config": vision(image_size=8 * PATCH),
        "tie_word_embeddings": False,
        **ids(NAMES, tokenizer()),
    }


def glm4v():
    return Glm4vForConditionalGeneration(Glm4vConfig(**parts()))


def glm4v_moe():
    experts = {"n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "head_dim": 32}
    return Glm4vMoeForConditionalGeneration(Glm4vMoeConfig(**parts(**experts)))


def glm46v(config=Glm46VConfig):
    return Glm46VForConditionalGeneration(config(**parts()))


def glm_ocr():
    return GlmOcrForConditionalGeneration(GlmOcrConfig(**parts(head_dim=16)))


def glm5_next():
    low = {"q_lora_rank": 16, "kv_lora_rank": 16, "v_head_dim": 16, "qk_nope_head_dim": 16, "num_key_value_heads": 4}
    indexer = {"index_topk": 64, "index_head_dim": 16, "index_n_heads": 2, "index_kpool": 4}
    experts = {"n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
    made = parts(
        **low,
        **indexer,
        **experts,
        linear_head_dim=16,
        linear_num_heads=4,
        hc_mult=2,
        layer_types=["linear_attention", "indexed_attention"],
        mlp_layer_types=["dense", "sparse"],
    )
    del made["text_config"]["rope_parameters"]
    made["vision_config"]["projection_intermediate_size"] = 64
    return Glm5NextForConditionalGeneration(Glm5NextConfig(**made))


TOKENS = {"min_image_tokens": 16, "max_image_tokens": 128}
OF_4V = (Glm4vProcessor, Glm4vImageProcessorPil, Glm4vVideoProcessor, {"size": LIMITS})
OF_46V = (Glm46VProcessor, Glm46VImageProcessorPil, Glm46VVideoProcessor, {"size": LIMITS})
OF_GLMGA = (Glm46VProcessor, GlmgaImageProcessorPil, GlmgaVideoProcessor, {"size": LIMITS})
OF_5 = (Glm5NextProcessor, Glm5NextImageProcessorPil, Glm5NextVideoProcessor, TOKENS)

CASES = (
    Case("glm4v", glm4v, partial(processor, *OF_4V), sizes=(*SIZES, (64, 48)), blind=blind, video=True),
    Case("glm4v_moe", glm4v_moe, partial(processor, *OF_4V), sizes=SIZES, blind=blind, video=True),
    Case("glm46v", glm46v, partial(processor, *OF_46V), sizes=SIZES, blind=blind, video=True),
    Case("glm_ocr", glm_ocr, partial(processor, *OF_46V), sizes=SIZES, blind=blind, video=True),
    Case("glmga", partial(glm46v, GlmgaConfig), partial(processor, *OF_GLMGA), sizes=SIZES, blind=blind, video=True),
    Case(
        "glm5_next",
        glm5_next,
        partial(processor, *OF_5),
        sizes=((34, 34), (61, 45), (20, 15), (190, 75), (90, 203)),
        blind=blind,
        video=True,
    ),
)
