"""LFM2-VL."""

from functools import partial

from transformers import Lfm2VlConfig, Lfm2VlForConditionalGeneration, Lfm2VlImageProcessor, Lfm2VlProcessor

from tiny.case import Case, decoder, silence, template, tower, words

TILE, PATCH, FACTOR = 32, 4, 2


def tokenizer():
    names = [f"<|img_row_{row + 1}_col_{column + 1}|>" for row in range(4) for column in range(4)]
    named = {
        "image_token": "<image>",
        "image_start_token": "<|image_start|>",
        "image_end_token": "<|image_end|>",
        "image_thumbnail_token": "<|img_thumbnail|>",
    }
    return words(*names, named=named)


def processor(**options):
    images = Lfm2VlImageProcessor(
        tile_size=TILE,
        encoder_patch_size=PATCH,
        downsample_factor=FACTOR,
        min_image_tokens=6,
        max_image_tokens=24,
        max_tiles=6,
        **options,
    )
    return Lfm2VlProcessor(images, tokenizer(), chat_template=template())


def build():
    names = tokenizer()
    text = decoder(names, model_type="lfm2", block_multiple_of=32, layer_types=["conv", "full_attention"])
    vision = tower(model_type="siglip2_vision_model", patch_size=PATCH, num_patches=64, vision_use_head=False)
    return Lfm2VlForConditionalGeneration(
        Lfm2VlConfig(
            text_config=text,
            vision_config=vision,
            image_token_id=names.convert_tokens_to_ids("<image>"),
            downsample_factor=FACTOR,
            projector_hidden_size=64,
            tie_word_embeddings=False,
        )
    )


def blind(model):
    """Take the attention out of the vision tower."""
    silence(layer.self_attn for layer in model.model.vision_tower.encoder.layers)


SMALL, LARGE = ((40, 32), (24, 56)), ((104, 64), (48, 104), (250, 130))
CASES = (
    Case("lfm2_vl", build, processor, sizes=(*SMALL, *LARGE), blind=blind, tiled=LARGE),
    Case(
        "lfm2_vl",
        build,
        partial(processor, do_image_splitting=False),
        sizes=LARGE[:2],
        blind=blind,
        name="lfm2_vl (not split)",
    ),
)
