"""MiniMax M3 VL."""

from functools import cache

from transformers import (
    MiniMaxM3SparseForConditionalGeneration,
    MiniMaxM3VLConfig,
    MiniMaxM3VLImageProcessor,
    MiniMaxM3VLProcessor,
    MiniMaxM3VLVideoProcessor,
)

from tiny.case import Case, decoder, in_proportion, silence, template, words
from tiny.patches.parts import LIMITS, MERGE, PATCH, SIDES, SIZES

IMAGE, VIDEO = MiniMaxM3VLProcessor.IMAGE_TOKEN, MiniMaxM3VLProcessor.VIDEO_TOKEN


@cache
def tokenizer():
    return words(IMAGE, VIDEO, MiniMaxM3VLProcessor.VISION_START_TOKEN, MiniMaxM3VLProcessor.VISION_END_TOKEN)


def processor():
    return MiniMaxM3VLProcessor(
        MiniMaxM3VLImageProcessor(**SIDES, size=LIMITS),
        tokenizer(),
        MiniMaxM3VLVideoProcessor(**SIDES, vision_segment_max_frames=2),
        chat_template=template(IMAGE, VIDEO),
    )


def build():
    tokens = tokenizer()
    experts = {"num_local_experts": 4, "num_experts_per_tok": 2, "mlp_layer_types": ["dense", "sparse"]}
    experts |= {"dense_intermediate_size": 96, "shared_intermediate_size": 32, "rotary_dim": 8, "head_dim": 16}
    tower = {"hidden_size": 48, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    tower |= {"image_size": 16 * PATCH, "patch_size": PATCH, "spatial_merge_size": MERGE, "initializer_range": 0.2}
    return MiniMaxM3SparseForConditionalGeneration(
        MiniMaxM3VLConfig(
            text_config=decoder(tokens, **experts),
            vision_config=tower,
            projector_hidden_size=64,
            image_token_index=tokens.convert_tokens_to_ids(IMAGE),
            video_token_index=tokens.convert_tokens_to_ids(VIDEO),
        )
    )


def blind(model):
    """Take the attention out of the vision tower, and let tokens follow their pixels in proportion."""
    tower = model.model.vision_tower
    silence(layer.self_attn for layer in tower.layers)
    in_proportion(tower.embeddings)


CASES = (Case("minimax_m3_vl", build, processor, sizes=SIZES, blind=blind, video=True),)
