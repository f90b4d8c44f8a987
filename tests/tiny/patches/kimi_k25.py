"""Kimi K2.5."""

from functools import cache

from transformers import (
    Kimi_K25Config,
    Kimi_K25ForConditionalGeneration,
    Kimi_K25ImageProcessor,
    Kimi_K25Processor,
    Kimi_K25VideoProcessor,
)

from tiny.case import Case, decoder, in_proportion, silence, template, words
from tiny.patches.parts import MERGE, PATCH, SIDES, ids

NAMES = {"image": "<|media_pad|>", "video": "<|kimi_k25_video_placeholder|>"}
MARKS = ("<|media_begin|>", "<|media_content|>", "<|media_end|>")
LIMIT = {"size": {"max_height": 24, "max_width": 24}}  # in patches


@cache
def tokenizer():
    return words(*NAMES.values(), *MARKS)


def processor():
    begin, content, end = MARKS
    return Kimi_K25Processor(
        Kimi_K25ImageProcessor(**SIDES, **LIMIT, max_patches=400),
        tokenizer(),
        Kimi_K25VideoProcessor(**SIDES, **LIMIT, max_patches=200, temporal_patch_size=1),
        chat_template=template(f"{begin}image{content}{NAMES['image']}{end}", NAMES["video"]),
    )


def build():
    low = {"q_lora_rank": 16, "kv_lora_rank": 16, "v_head_dim": 16, "qk_nope_head_dim": 16, "qk_rope_head_dim": 8}
    experts = {"n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "n_group": 1}
    experts |= {"topk_group": 1, "first_k_dense_replace": 1}
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    tower |= {"patch_size": PATCH, "pos_emb_height": 8, "pos_emb_width": 8, "merge_kernel_size": [MERGE, MERGE]}
    return Kimi_K25ForConditionalGeneration(
        Kimi_K25Config(
            text_config=decoder(tokenizer(), model_type="deepseek_v3", **low, **experts) | {"num_key_value_heads": 4},
            vision_config=tower,
            projection_hidden_size=32,
            tie_word_embeddings=False,
            **ids(NAMES, tokenizer()),
        )
    )


def blind(model):
    """Take the attention out of the vision tower, and let tokens follow their pixels in proportion."""
    tower = model.model.vision_tower
    silence(layer.attn for layer in tower.layers)
    in_proportion(tower.patch_embed)


CASES = (
    Case(
        "kimi_k25",
        build,
        processor,
        sizes=((34, 34), (61, 45), (90, 203), (130, 11)),
        blind=blind,
        video=True,
    ),
)
