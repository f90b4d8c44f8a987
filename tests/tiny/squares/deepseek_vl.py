"""DeepSeek-VL, its larger models with a second tower, and Janus: padded to a square."""

from functools import cache

from transformers import (
    DeepseekVLConfig,
    DeepseekVLForConditionalGeneration,
    DeepseekVLHybridConfig,
    DeepseekVLHybridForConditionalGeneration,
    DeepseekVLHybridImageProcessor,
    DeepseekVLHybridProcessor,
    DeepseekVLImageProcessor,
    DeepseekVLProcessor,
    JanusConfig,
    JanusForConditionalGeneration,
    JanusImageProcessor,
    JanusProcessor,
)

from tiny.case import Case, decoder, in_proportion, silence, template, tower, words

PATCH, SIDE = 4, 6
SQUARE = {"height": PATCH * SIDE, "width": PATCH * SIDE}
FINE = 16 * SIDE  # pixels of the second tower's side
BOTH = {"min_size": 3}  # fewer than a cell, as 14 of 16 pixels


@cache
def tokenizer():
    return words(named={"image_token": "<image>", "boi_token": "<begin_of_image>", "eoi_token": "<end_of_image>"})


def deepseek_processor():
    return DeepseekVLProcessor(
        DeepseekVLImageProcessor(size=SQUARE, **BOTH),
        tokenizer(),
        chat_template=template(),
        num_image_tokens=SIDE**2,
    )


def hybrid_processor():
    images = DeepseekVLHybridImageProcessor(size=SQUARE, high_res_size={"height": FINE, "width": FINE}, **BOTH)
    return DeepseekVLHybridProcessor(images, tokenizer(), chat_template=template(), num_image_tokens=SIDE**2)


def janus_processor():
    return JanusProcessor(
        JanusImageProcessor(size=SQUARE, **BOTH),
        tokenizer(),
        chat_template=template(),
        num_image_tokens=SIDE**2,
    )


def parts():
    names = tokenizer()
    vision = tower(
        model_type="siglip_vision_model",
        image_size=PATCH * SIDE,
        patch_size=PATCH,
        vision_use_head=False,
        initializer_range=0.2,
    )
    text = decoder(names, model_type="llama")
    return {
        "text_config": text,
        "vision_config": vision,
        "image_token_id": names.image_token_id,
        "tie_word_embeddings": False,
    }


def deepseek():
    return DeepseekVLForConditionalGeneration(DeepseekVLConfig(**parts()))


def hybrid():
    fine = {
        "model_type": "sam_vision_model",
        "hidden_size": 32,
        "output_channels": 8,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": FINE,
        "patch_size": PATCH,
        "global_attn_indexes": [1],
        "window_size": 0,
        "mlp_dim": 64,
        "initializer_range": 0.2,
    }
    model = DeepseekVLHybridForConditionalGeneration(DeepseekVLHybridConfig(**parts(), high_res_vision_config=fine))
    model.model.high_res_vision_alpha.data.fill_(1)  # zero in a new model
    return model


def janus():
    made = parts()
    vision = tower(
        image_size=PATCH * SIDE, patch_size=PATCH, mlp_ratio=2.0, projection_dim=64, initializer_range=0.2
    ) | {"num_image_tokens": SIDE**2}
    del vision["intermediate_size"]
    codes = {  # it can also paint, which nothing here asks for
        "embed_dim": 4,
        "num_embeddings": 16,
        "latent_channels": 8,
        "base_channels": 32,
        "channel_multiplier": [1, 1],
        "num_res_blocks": 1,
        "projection_dim": 64,
        "image_token_embed_dim": 64,
    }
    return JanusForConditionalGeneration(JanusConfig(**made | {"vision_config": vision, "vq_config": codes}))


def blind(model):
    """Take the attention out of the vision tower."""
    inner = model.model.vision_model
    silence(layer.self_attn for layer in (inner.encoder if hasattr(inner, "encoder") else inner).layers)
    in_proportion(inner.embeddings)


def blind_both(model):
    """Take the attention out of both towers, and of the second one's convolutions what reaches into other cells."""
    blind(model)
    inner = model.model
    fine = inner.high_res_vision_model.vision_encoder
    silence(layer.attn for layer in fine.layers)
    in_proportion(fine.patch_embed)
    for neck in (fine.neck, inner.high_res_vision_neck):
        only_middle(neck.conv2)
    for convolution in (inner.high_res_vision_proj.conv1, inner.high_res_vision_proj.conv2):
        only_own(convolution)


def only_middle(convolution):
    """Leave of a convolution of 3×3 its middle."""
    kept = convolution.weight.data[:, :, 1:2, 1:2].clone()
    convolution.weight.data.zero_()[:, :, 1:2, 1:2] = kept


def only_own(convolution):
    """Leave of a convolution of 3×3 that halves a grid the 2×2 that it makes one of."""
    convolution.weight.data[:, :, 0] = 0
    convolution.weight.data[:, :, :, 0] = 0


SIZES = ((64, 48), (47, 103), (250, 31))

CASES = (
    Case("deepseek_vl", deepseek, deepseek_processor, sizes=SIZES, blind=blind),
    Case("deepseek_vl_hybrid", hybrid, hybrid_processor, sizes=SIZES[:2], blind=blind_both),
    Case("janus", janus, janus_processor, sizes=SIZES[:2], blind=blind),
)
