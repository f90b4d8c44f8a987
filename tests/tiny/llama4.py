"""Llama 4."""

from functools import cache, partial

from transformers import Llama4Config, Llama4ForConditionalGeneration, Llama4ImageProcessor, Llama4Processor

from tiny.case import Case, decoder, silence, template, tower, words

PATCH, PATCHES = 4, 8  # a tile of 32 pixels makes 4×4 tokens


@cache
def tokenizer():
    return words(
        "<|image|>",
        "<|patch|>",
        "<|image_start|>",
        "<|image_end|>",
        "<|tile_x_separator|>",
        "<|tile_y_separator|>",
    )


def processor(fill):
    images = Llama4ImageProcessor(
        size={"height": PATCH * PATCHES, "width": PATCH * PATCHES}, max_patches=12, resize_to_max_canvas=fill
    )
    return Llama4Processor(images, tokenizer(), patch_size=PATCH, chat_template=template("<|image|>"))


def build():
    tokens = tokenizer()
    text = decoder(
        tokens,
        intermediate_size=32,
        intermediate_size_mlp=96,
        head_dim=16,
        num_local_experts=4,
        moe_layers=[1],
        no_rope_layers=[1, 0],
        attention_chunk_size=32,
    )
    vision = tower(
        intermediate_size=4 * 32,
        image_size=PATCH * PATCHES,
        patch_size=PATCH,
        vision_output_dim=48,
        projector_input_dim=48,
        projector_output_dim=48,
        initializer_range=0.2,
    )
    config = Llama4Config(
        text_config=text, vision_config=vision, image_token_index=tokens.convert_tokens_to_ids("<|patch|>")
    )
    return Llama4ForConditionalGeneration(config)


def blind(model):
    """Take the attention out of the vision tower, and let tokens follow their pixels in proportion.

    Beside large positional embeddings, the norms scale all tokens alike; the one whose pixels changed most then
    changes most.
    """
    tower = model.vision_model
    silence(layer.self_attn for layer in tower.model.layers)
    tower.positional_embedding_vlm.data.normal_(std=20)


CASES = (
    Case(
        "llama4",
        build,
        partial(processor, fill=False),
        sizes=((30, 20), (96, 64)),
        tiled=((40, 30), (54, 110), (300, 200)),
        blind=blind,
    ),
    Case(
        "llama4",
        build,
        partial(processor, fill=True),
        sizes=((90, 60), (60, 90)),
        tiled=((60, 134), (100, 45)),
        blind=blind,
        name="llama4-max-canvas",
    ),
)
