"""Muse Glimmer and Muse Spark."""

from functools import cache

from transformers import (
    MuseGlimmerConfig,
    MuseGlimmerForConditionalGeneration,
    MuseGlimmerImageProcessor,
    MuseGlimmerProcessor,
    MuseGlimmerVideoProcessor,
    MuseSparkConfig,
    MuseSparkFeatureExtractor,
    MuseSparkForConditionalGeneration,
    MuseSparkProcessor,
)

from tiny.case import Case, decoder, in_proportion, silence, template, words

PATCH, MERGE = 4, 2
MARKS = ("<|image_start|>", "<|image_end|>", "<|vid_frame_separator|>", "<|vid_start|>", "<|vid_end|>")


@cache
def tokenizer():
    return words("<|patch|>", "<|video|>", "<|audio|>", *MARKS)


def processor(kind=MuseGlimmerProcessor, *audio):
    sides = {"patch_size": PATCH, "merge_size": MERGE}
    return kind(
        MuseGlimmerImageProcessor(**sides, max_image_tokens=64),
        MuseGlimmerVideoProcessor(**sides),
        tokenizer(),
        *audio,
        chat_template=template("<|patch|>", "<|video|>"),
    )


def shared():
    """What both configurations have in common, but for the text decoder."""
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    tower |= {"patch_size": PATCH, "merge_size": MERGE, "pos_emb_height": 8, "pos_emb_width": 8}
    return {
        "vision_config": tower | {"max_position_embeddings": 64},
        "out_hidden_size": 32 * MERGE**2,
        "projector_hidden_size": 64,
        "image_token_id": tokenizer().convert_tokens_to_ids("<|patch|>"),
        "video_token_id": tokenizer().convert_tokens_to_ids("<|video|>"),
    }


def glimmer():
    text = decoder(tokenizer(), head_dim=16, output_multiplier=0.5)
    return MuseGlimmerForConditionalGeneration(MuseGlimmerConfig(text_config=text, **shared()))


def spark():
    experts = {"num_local_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "moe_hidden_size": 32}
    text = decoder(tokenizer(), head_dim=16, output_multiplier=0.5, **experts)
    audio = {"patch_sizes": [4, 4], "hidden_sizes": [16, 16], "depths": [1, 1], "num_hidden_layers": 2}
    audio |= {"out_hidden_size": 64}
    ids = {"audio_token_id": tokenizer().convert_tokens_to_ids("<|audio|>")}
    return MuseSparkForConditionalGeneration(MuseSparkConfig(text_config=text, audio_config=audio, **ids, **shared()))


def blind(model):
    """Take the attention out of the vision tower, and let tokens follow their pixels in proportion."""
    tower = model.model.vision_tower
    silence(module for name, module in tower.named_modules() if name.endswith(".attn"))
    in_proportion(tower.patch_embedder.patch_embedding)


SIZES = ((61, 45), (90, 203))
CASES = (
    Case("muse_glimmer", glimmer, processor, sizes=SIZES, blind=blind, video=True),
    Case(
        "muse_spark",
        spark,
        lambda: processor(MuseSparkProcessor, MuseSparkFeatureExtractor()),
        sizes=SIZES,
        blind=blind,
        video=True,
    ),
)
