"""MiniCPM-V 4.6 and 4.7."""

from functools import cache, partial

from transformers import (
    MiniCPMV4_6Config,
    MiniCPMV4_6ForConditionalGeneration,
    MiniCPMV4_6Processor,
    MiniCPMV4_6VideoProcessor,
    MiniCPMV4_7Config,
    MiniCPMV4_7ForConditionalGeneration,
    MiniCPMV4_7Processor,
)
from transformers.models.minicpmv4_6.image_processing_pil_minicpmv4_6 import MiniCPMV4_6ImageProcessorPil

from tiny.case import Case, in_proportion, silence, template, words
from tiny.patches.parts import text

PATCH, SLICE = 2, 32  # a slice makes 4×4 tokens of 4×4 patches
NAMED = {
    "image_token": "<|image_pad|>",
    "video_token": "<|video_pad|>",
    "image_start_token": "<image>",
    "image_end_token": "</image>",
    "slice_start_token": "<slice>",
    "slice_end_token": "</slice>",
    "image_id_start_token": "<image_id>",
    "image_id_end_token": "</image_id>",
}


@cache
def tokenizer():
    return words(named=NAMED)


def processor(kind, **options):
    sides = {"patch_size": PATCH, "scale_resolution": SLICE, **options}
    return kind(
        MiniCPMV4_6ImageProcessorPil(**sides, max_slice_nums=6),
        MiniCPMV4_6VideoProcessor(**sides, max_slice_nums=1),
        tokenizer(),
        chat_template=template(NAMED["image_token"], NAMED["video_token"]),
    )


def settings():
    """A small decoder with linear attention."""
    linear = {"linear_num_key_heads": 2, "linear_num_value_heads": 2}
    linear |= {"linear_key_head_dim": 16, "linear_value_head_dim": 16}
    made = text(tokenizer(), layer_types=["linear_attention", "full_attention"], **linear)
    made["rope_parameters"] |= {"mrope_interleaved": True}
    return made


def tower():
    """A small vision tower."""
    sides = {"image_size": SLICE, "patch_size": PATCH}
    return {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, **sides}


def build(version, **options):
    kind, config = {
        "4.6": (MiniCPMV4_6ForConditionalGeneration, MiniCPMV4_6Config),
        "4.7": (MiniCPMV4_7ForConditionalGeneration, MiniCPMV4_7Config),
    }[version]
    tokens = tokenizer()
    if version == "4.7":
        names = ("image_start", "image_end", "slice_start", "slice_end")
        options |= {f"{name}_id": tokens.convert_tokens_to_ids(NAMED[f"{name}_token"]) for name in names}
        options |= {"newline_id": tokens("\n")["input_ids"][0]}
    return kind(
        config(
            text_config=settings(),
            vision_config=tower(),
            insert_layer_id=0,
            image_token_id=tokens.convert_tokens_to_ids(NAMED["image_token"]),
            video_token_id=tokens.convert_tokens_to_ids(NAMED["video_token"]),
            **options,
        )
    )


def blind(model):
    """Take the attention out of the vision tower, and let tokens follow their pixels in proportion."""
    tower = model.model.vision_tower
    silence([*(layer.self_attn for layer in tower.encoder.layers), tower.vit_merger.self_attn])
    in_proportion(tower.embeddings)


SMALL, LARGE = ((30, 25), (21, 41)), ((61, 45), (75, 110), (190, 33))
CASES = (
    Case(
        "minicpmv4_6",
        partial(build, "4.6"),
        partial(processor, MiniCPMV4_6Processor),
        sizes=SMALL,
        tiled=LARGE,
        blind=blind,
        video=True,
    ),
    Case(
        "minicpmv4_6",
        partial(build, "4.6", downsample_mode="4x"),
        partial(processor, MiniCPMV4_6Processor, downsample_mode="4x"),
        sizes=SMALL[:1],
        tiled=LARGE[:1],
        several=False,
        blind=blind,
        name="minicpmv4_6 (4x)",
    ),
    Case(
        "minicpmv4_7",
        partial(build, "4.7"),
        partial(processor, MiniCPMV4_7Processor),
        sizes=SMALL,
        tiled=LARGE[:2],
        blind=blind,
        video=True,
    ),
)
