"""Molmo 2: a cell may have too few patches, at the right and the bottom, or (with three in each) at both sides."""

from functools import cache, partial

from transformers import (
    Molmo2Config,
    Molmo2ForConditionalGeneration,
    Molmo2ImageProcessor,
    Molmo2Processor,
    Molmo2VideoProcessor,
)

from tiny.case import Case, decoder, silence, template, tower, words

PATCH, SIDE = 4, 7  # patches of a crop's side, of which two at each end are seen with their neighbours only
MARKS = ("<im_patch>", "<im_col>", "<im_start>", "<low_res_im_start>", "<frame_start>", "<im_end>", "<frame_end>")


@cache
def tokenizer():
    return words(*MARKS, "<im_low>", "<|image|>", "<|video|>", bos="<bos>")


def processor(pool=2):
    square = {"height": PATCH * SIDE, "width": PATCH * SIDE}
    sides = {"size": square, "patch_size": PATCH}
    return Molmo2Processor(
        Molmo2ImageProcessor(**sides, pooling_size=[pool, pool], overlap_margins=[2, 2], max_crops=6),
        Molmo2VideoProcessor(**sides, pooling_size=[3, 3]),
        tokenizer(),
        chat_template=template("<|image|>", "<|video|>"),
    )


def build():
    names = tokenizer()
    ids = dict(zip(MARKS, names.convert_tokens_to_ids(list(MARKS)), strict=True))
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 16}
    return Molmo2ForConditionalGeneration(
        Molmo2Config(
            text_config=decoder(names, head_dim=16, additional_vocab_size=4),
            vision_config=tower(**heads, image_size=[PATCH * SIDE] * 2, patch_size=PATCH, initializer_range=0.2),
            adapter_config=heads
            | {"hidden_size": 32, "intermediate_size": 64, "text_hidden_size": 64, "vision_feature_layer": [1, 0]}
            | {"initializer_range": 0.2},
            image_start_token_id=ids["<im_start>"],
            low_res_image_start_token_id=ids["<low_res_im_start>"],
            image_end_token_id=ids["<im_end>"],
            image_patch_id=ids["<im_patch>"],
            frame_start_token_id=ids["<frame_start>"],
            frame_end_token_id=ids["<frame_end>"],
        )
    )


def blind(model):
    """Take the attention out of the vision tower, and let tokens follow their pixels in proportion.

    Beside a large bias, the norms scale all tokens alike; the one whose pixels changed most then changes most. With
    small weights, the patches of a cell are pooled alike, too.
    """
    silence(layer.self_attn for layer in model.model.vision_tower.layers)
    for weight in model.model.multi_modal_projector.parameters():
        weight.data.mul_(0.1)
    model.model.vision_tower.patch_embedding.bias.data.normal_(std=20)


CASES = (
    Case(
        "molmo2",
        build,
        processor,
        sizes=((40, 29), (45, 103)),
        tiled=((40, 29), (45, 103), (150, 61)),
        blind=blind,
        video=True,
    ),
    Case("molmo2", build, partial(processor, 3), sizes=((45, 103),), several=False, blind=blind, name="molmo2 (3×3)"),
)
