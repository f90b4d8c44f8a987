"""Step 3.7."""

from functools import cache

from transformers import Step3p7Config, Step3p7ForConditionalGeneration, Step3p7ImageProcessor, Step3p7Processor

from tiny.case import Case, decoder, in_proportion, silence, template, tower, words
from tiny.squares.deepseek_vl import only_own

PATCH = 2
CELL = 4 * PATCH


@cache
def tokenizer():
    return words("<im_patch>", "<im_start>", "<im_end>", "<patch_start>", "<patch_end>", "<patch_newline>")


def processor():
    images = Step3p7ImageProcessor(
        size={"height": 5 * CELL, "width": 5 * CELL}, patch_size=3 * CELL, vision_patch_size=PATCH, max_image_size=120
    )
    return Step3p7Processor(images, tokenizer(), chat_template=template("<im_patch>"))


def build():
    names = tokenizer()
    text = decoder(
        names,
        head_dim=16,
        mlp_layer_types=["dense", "sparse"],
        n_routed_experts=4,
        num_experts_per_tok=2,
        moe_intermediate_size=32,
        share_expert_dim=32,
        sliding_window=64,
    )
    vision = tower(image_size=5 * CELL, patch_size=PATCH, mlp_ratio=2.0, layer_scale_init_value=1.0)
    config = Step3p7Config(
        text_config=text,
        vision_config=vision,
        image_token_id=names.convert_tokens_to_ids("<im_patch>"),
    )
    return Step3p7ForConditionalGeneration(config)


def blind(model):
    """Take the attention out of the vision tower, and of its convolutions what reaches into other cells."""
    inner = model.model.vision_model
    silence(layer.self_attn for layer in inner.layers)
    in_proportion(inner.embeddings)
    only_own(inner.downsampler1)
    only_own(inner.downsampler2)


CASES = (
    Case(
        "step3p7",
        build,
        processor,
        sizes=((33, 29), (20, 101)),
        tiled=((90, 61), (37, 20), (130, 110)),
        blind=blind,
    ),
)
