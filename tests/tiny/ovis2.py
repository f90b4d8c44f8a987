"""Ovis2."""

from functools import cache

from transformers import Ovis2Config, Ovis2ForConditionalGeneration, Ovis2ImageProcessor, Ovis2Processor

from tiny.case import Case, decoder, silence, template, tower, words

PATCH, PATCHES = 4, 8  # a tile of 32 pixels makes 4×4 tokens
INDICATORS = ("<IMG_START>", "<IMG_GRID>", "<IMG_COL>", "<IMG_ROW>", "<IMG_END>")


@cache
def tokenizer():
    return words("<image>", "<IMG_ATOM>", *INDICATORS)


def processor():
    images = Ovis2ImageProcessor(size={"height": PATCH * PATCHES, "width": PATCH * PATCHES}, crop_to_patches=True)
    return Ovis2Processor(
        images, tokenizer(), image_seq_length=(PATCHES // 2) ** 2, chat_template=template("<image>\n")
    )


def build():
    tokens = tokenizer()
    vision = tower(image_size=PATCH * PATCHES, patch_size=PATCH, hidden_stride=2, vocab_size=128, initializer_range=0.2)
    config = Ovis2Config(
        text_config=decoder(tokens, model_type="qwen2"),
        vision_config=vision,
        vocab_size=len(tokens) + 13,
        hidden_size=64,
        image_token_id=tokens.convert_tokens_to_ids("<IMG_ATOM>"),
        visual_indicator_token_ids=tokens.convert_tokens_to_ids([*INDICATORS]),
        tie_word_embeddings=False,
    )
    return Ovis2ForConditionalGeneration(config)


def blind(model):
    """Take the attention out of the vision tower."""
    silence(layer.attention for layer in model.model.vision_tower.transformer.encoder.layers)


CASES = (
    Case(
        "ovis2",
        build,
        processor,
        sizes=((32, 30), (96, 64)),
        tiled=((50, 110), (120, 30)),
        blind=blind,
    ),
)
