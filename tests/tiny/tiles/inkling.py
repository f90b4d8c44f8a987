"""Inkling, whose vision tower has no attention."""

from functools import cache

from transformers import (
    InklingConfig,
    InklingFeatureExtractor,
    InklingForConditionalGeneration,
    InklingImageProcessor,
    InklingProcessor,
)

from tiny.case import Case, decoder, template, words

SIDE = 8
TOKENS = {
    "image": "<|unused_200054|>",
    "audio": "<|unused_200053|>",
    "image_bos": "<|content_image|>",
    "audio_bos": "<|content_audio_input|>",
}


@cache
def tokenizer():
    return words(*TOKENS.values())


def processor():
    images = InklingImageProcessor(size={"height": SIDE, "width": SIDE})
    return InklingProcessor(
        InklingFeatureExtractor(),
        images,
        tokenizer(),
        chat_template=template(TOKENS["image_bos"] + TOKENS["image"]),
    )


def build():
    tokens = tokenizer()
    text = decoder(tokens, head_dim=16, swa_num_attention_heads=4, swa_num_key_value_heads=2, swa_head_dim=16)
    text |= {"layer_types": ["hybrid_sliding", "hybrid"], "sliding_window_size": 64, "d_rel": 4, "rel_extent": 64}
    text |= {"mlp_layer_types": ["dense", "sparse"], "n_routed_experts": 4, "num_experts_per_tok": 2}
    text |= {"moe_intermediate_size": 32, "n_shared_experts": 1, "logits_mup_width_multiplier": 1.0}
    vision = {"patch_size": SIDE, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2}
    return InklingForConditionalGeneration(
        InklingConfig(
            text_config=text,
            vision_config=vision | {"initializer_range": 0.2},
            audio_config={"n_mel_bins": 8, "mel_vocab_size": 8},
            **{f"{name}_token_id": tokens.convert_tokens_to_ids(token) for name, token in TOKENS.items()},
        )
    )


CASES = (Case("inkling_mm_model", build, processor, sizes=((61, 45), (32, 79)), blind=lambda _: None),)
