"""GLM-4V."""

from functools import cache

from transformers import Glm4vConfig, Glm4vForConditionalGeneration, Glm4vProcessor, Glm4vVideoProcessor
from transformers.models.glm4v.image_processing_pil_glm4v import Glm4vImageProcessorPil

from tiny.case import Case, decoder, silence, template, words

PATCH, MERGE = 4, 2
CELL = PATCH * MERGE
MARKS = ("<|begin_of_image|>", "<|end_of_image|>", "<|begin_of_video|>", "<|end_of_video|>")


@cache
def tokenizer():
    return words("<|image|>", "<|video|>", *MARKS)


def processor():
    sides = {"patch_size": PATCH, "merge_size": MERGE}
    size = {"shortest_edge": 16 * CELL**2, "longest_edge": 256 * CELL**2}
    return Glm4vProcessor(
        Glm4vImageProcessorPil(**sides, size=size),
        tokenizer(),
        Glm4vVideoProcessor(**sides, size=size),
        chat_template=template(
            "<|begin_of_image|><|image|><|end_of_image|>", "<|begin_of_video|><|video|><|end_of_video|>"
        ),
    )


def build():
    tokens = tokenizer()
    text = decoder(tokens, rope_parameters={"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3]})
    del text["bos_token_id"]  # which this one does not know
    vision = {
        "depth": 2,
        "num_heads": 2,
        "hidden_size": 32,
        "intermediate_size": 64,
        "out_hidden_size": 64,
        "image_size": 8 * PATCH,
        "patch_size": PATCH,
        "spatial_merge_size": MERGE,
        "initializer_range": 0.2,
    }
    names = ("image_start", "image_end", "video_start", "video_end")
    config = Glm4vConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=tokens.convert_tokens_to_ids("<|image|>"),
        video_token_id=tokens.convert_tokens_to_ids("<|video|>"),
        **{f"{name}_token_id": tokens.convert_tokens_to_ids(mark) for name, mark in zip(names, MARKS, strict=True)},
    )
    return Glm4vForConditionalGeneration(config)


def blind(model):
    """Take the attention out of the vision tower, and let tokens follow their pixels in proportion.

    Beside a large bias, the norms scale all tokens alike; the one whose pixels changed most then changes most.
    """
    tower = model.model.visual
    silence(block.attn for block in tower.blocks)
    tower.patch_embed.proj.bias.data.normal_(std=20)


CASES = (
    Case(
        "glm4v",
        build,
        processor,
        sizes=((64, 48), (48, 104), (250, 130)),
        blind=blind,
        video=True,
    ),
)
