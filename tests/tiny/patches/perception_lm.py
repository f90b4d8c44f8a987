"""PerceptionLM.

Its own tower comes from timm, which nothing else here needs: SigLIP's stands in its place, whose patches lie as well.
"""

from functools import cache

from transformers import (
    PerceptionLMConfig,
    PerceptionLMForConditionalGeneration,
    PerceptionLMImageProcessor,
    PerceptionLMProcessor,
    PerceptionLMVideoProcessor,
)

from tiny.case import Case, decoder, silence, template, tower, words

PATCH, POOLED, TILE = 4, 2, 32  # a tile makes 4×4 tokens


@cache
def tokenizer():
    return words(named={"image_token": "<|image|>", "video_token": "<|video|>"})


def processor():
    return PerceptionLMProcessor(
        PerceptionLMVideoProcessor(size={"height": TILE, "width": TILE}),
        PerceptionLMImageProcessor(tile_size=TILE, max_num_tiles=6),
        tokenizer(),
        patch_size=PATCH,
        pooling_ratio=POOLED,
        chat_template=template("<|image|>", "<|video|>"),
    )


def build():
    tokens = tokenizer()
    vision = tower(image_size=TILE, patch_size=PATCH, vision_use_head=False, initializer_range=0.2)
    return PerceptionLMForConditionalGeneration(
        PerceptionLMConfig(
            text_config=decoder(tokens, model_type="llama"),
            vision_config=vision | {"model_type": "siglip_vision_model", "model_args": {"embed_dim": 32}},
            vision_use_cls_token=False,
            projector_pooling_ratio=POOLED,
            image_token_id=tokens.image_token_id,
            video_token_id=tokens.video_token_id,
            tie_word_embeddings=False,
        )
    )


def blind(model):
    """Take the attention out of the vision tower."""
    silence(layer.self_attn for layer in model.model.vision_tower.encoder.layers)


CASES = (
    Case(
        "perception_lm",
        build,
        processor,
        sizes=((30, 25), (40, 33)),
        tiled=((61, 45), (40, 170), (230, 90)),
        blind=blind,
        video=True,
    ),
)
