"""Inkling 2."""

from functools import cache

from transformers import Inkling2Config, Inkling2ForConditionalGeneration, Inkling2ImageProcessor, Inkling2Processor

from tiny.case import Case, decoder, in_proportion, silence, template, words

PATCH, MERGE = 4, 2
IMAGE = "<|unused_200054|>"


@cache
def tokenizer():
    return words(IMAGE)


def processor():
    side = PATCH * MERGE
    return Inkling2Processor(
        Inkling2ImageProcessor(size={"height": side, "width": side}), tokenizer(), chat_template=template(IMAGE)
    )


def build():
    tokens = tokenizer()
    text = decoder(tokens, head_dim=16, swa_num_attention_heads=4, swa_num_key_value_heads=2, swa_head_dim=16)
    text |= {"layer_types": ["hybrid_sliding", "hybrid"], "sliding_window_size": 64, "unpadded_vocab_size": len(tokens)}
    text |= {"d_rel": 4, "rel_extent": 64, "n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
    del text["intermediate_size"]
    vision = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    vision |= {"patch_size": PATCH, "spatial_merge_size": MERGE, "posemb_grid_size": 8, "projection_hidden_dim": 64}
    return Inkling2ForConditionalGeneration(
        Inkling2Config(
            text_config=text,
            vision_config=vision | {"text_hidden_size": 64, "initializer_range": 0.2},
            image_token_id=tokens.convert_tokens_to_ids(IMAGE),
        )
    )


def blind(model):
    """Take the attention out of the vision tower, and let tokens follow their pixels in proportion."""
    tower = model.model.vision_tower
    silence(module for name, module in tower.named_modules() if name.endswith("self_attn"))
    in_proportion(tower.embeddings.patch_embedding)


CASES = (Case("inkling2", build, processor, sizes=((61, 45), (34, 79)), blind=blind),)
