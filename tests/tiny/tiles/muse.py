"""Muse Glimmer."""

from functools import cache

from transformers import (
    MuseGlimmerConfig,
    MuseGlimmerForConditionalGeneration,
    MuseGlimmerImageProcessor,
    MuseGlimmerProcessor,
    MuseGlimmerVideoProcessor,
)

from tiny.case import Case, decoder, in_proportion, silence, template, words

PATCH, MERGE = 4, 2
MARKS = ("<|image_start|>", "<|image_end|>", "<|vid_frame_separator|>", "<|vid_start|>", "<|vid_end|>")


@cache
def tokenizer():
    return words("<|patch|>", "<|video|>", *MARKS)


def processor():
    sides = {"patch_size": PATCH, "merge_size": MERGE}
    return MuseGlimmerProcessor(
        MuseGlimmerImageProcessor(**sides, max_image_tokens=64),
        MuseGlimmerVideoProcessor(**sides),
        tokenizer(),
        chat_template=template("<|patch|>", "<|video|>"),
    )


def build():
    tokens = tokenizer()
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    tower |= {"patch_size": PATCH, "merge_size": MERGE, "pos_emb_height": 8, "pos_emb_width": 8}
    return MuseGlimmerForConditionalGeneration(
        MuseGlimmerConfig(
            text_config=decoder(tokens, head_dim=16, output_multiplier=0.5),
            vision_config=tower | {"max_position_embeddings": 64},
            out_hidden_size=32 * MERGE**2,
            projector_hidden_size=64,
            image_token_id=tokens.convert_tokens_to_ids("<|patch|>"),
            video_token_id=tokens.convert_tokens_to_ids("<|video|>"),
        )
    )


def blind(model):
    """Take the attention out of the vision tower, and let tokens follow their pixels in proportion."""
    tower = model.model.vision_tower
    silence(module for name, module in tower.named_modules() if name.endswith(".attn"))
    in_proportion(tower.patch_embedder.patch_embedding)


CASES = (Case("muse_glimmer", build, processor, sizes=((61, 45), (90, 203)), blind=blind, video=True),)
