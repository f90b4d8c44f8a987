"""Granite Docling, with coarse and with fine cells."""

from functools import partial

from transformers import (
    GraniteDoclingConfig,
    GraniteDoclingForConditionalGeneration,
    GraniteDoclingImageProcessor,
    GraniteDoclingProcessor,
)

from tiny.case import Case, decoder, in_proportion, silence, template, tower, words

PATCH, SCALE, SIDE = 2, 4, 3
TILE = PATCH * SCALE * SIDE


def tokenizer():
    names = [f"<row_{row + 1}_col_{column + 1}>" for row in range(4) for column in range(4)]
    return words("<fake_token_around_image>", "<image>", "<global-img>", *names)


def processor(**options):
    images = GraniteDoclingImageProcessor(size={"height": TILE, "width": TILE}, max_patches=4, **options)
    return GraniteDoclingProcessor(images, tokenizer(), image_seq_len=SIDE**2, chat_template=template())


def build():
    names = tokenizer()
    vision = tower(
        image_size=TILE,
        patch_size=PATCH,
        scale_factor=SCALE,
        out_hidden_size=64,
        deepstack_visual_indexes=[0],
        initializer_range=0.2,
    )
    config = GraniteDoclingConfig(
        text_config=decoder(names, logits_scaling=1.0, attention_multiplier=0.25),
        vision_config=vision,
        image_token_id=names.convert_tokens_to_ids("<image>"),
        pad_token_id=names.pad_token_id,
        tie_word_embeddings=False,
    )
    return GraniteDoclingForConditionalGeneration(config)


def blind(model):
    """Take the attention out of the vision tower."""
    inner = model.model.vision_model
    silence(layer.self_attn for layer in inner.encoder.layers)
    in_proportion(inner.embeddings)


CASES = (
    Case("granite_docling", build, processor, sizes=((40, 37), (30, 29)), tiled=((40, 90), (101, 40)), blind=blind),
    Case(
        "granite_docling",
        build,
        partial(processor, fine_route=True),
        sizes=((40, 90),),
        tiled=((40, 90),),
        several=False,
        blind=blind,
        name="granite_docling (fine)",
    ),
)
