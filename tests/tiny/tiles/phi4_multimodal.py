"""Phi-4 multimodal."""

from functools import cache

from transformers import (
    Phi4MultimodalConfig,
    Phi4MultimodalFeatureExtractor,
    Phi4MultimodalForCausalLM,
    Phi4MultimodalImageProcessor,
    Phi4MultimodalProcessor,
)

from tiny.case import Case, decoder, in_proportion, silence, template, tower, words

PATCH = 1
TILE = 32 * PATCH  # its processor counts 16×16 cells in each tile, whatever its settings


@cache
def tokenizer():
    return words(named={"image_token": "<|image|>", "audio_token": "<|audio|>"})


def processor():
    images = Phi4MultimodalImageProcessor(size={"height": TILE, "width": TILE}, patch_size=PATCH, dynamic_hd=2)
    return Phi4MultimodalProcessor(
        images, Phi4MultimodalFeatureExtractor(), tokenizer(), chat_template=template("<|image|>")
    )


def build():
    names = tokenizer()
    vision = tower(
        image_size=TILE,
        crop_size=TILE,
        patch_size=PATCH,
        image_token_id=names.image_token_id,
        initializer_range=0.2,
    ) | {"hidden_size": 16, "num_attention_heads": 1}
    audio = {"hidden_size": 16, "intermediate_size": 16, "num_blocks": 1, "num_attention_heads": 2}
    audio |= {"ext_pw_out_channel": 16, "depthwise_separable_out_channel": 16, "nemo_conv_channels": 16}
    config = Phi4MultimodalConfig(
        **decoder(names, rope_parameters={"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 1.0}),
        vision_config=vision,
        audio_config=audio | {"audio_token_id": names.audio_token_id},
    )
    return Phi4MultimodalForCausalLM(config)


def blind(model):
    """Take the attention out of the vision tower."""
    inner = model.model.embed_tokens_extend.image_embed.img_processor
    silence(layer.self_attn for layer in inner.encoder.layers)
    in_proportion(inner.embeddings)


SAID = (
    Case(
        "phi4_multimodal",
        build,
        processor,
        sizes=((110, 75), (60, 131)),  # of so many cells that a smaller picture's have no whole pixels
        tiled=((75, 131),),
        blind=blind,
    ),
)
# An older one does not say where it puts pictures.
CASES = SAID if "replace_image_token" in vars(Phi4MultimodalProcessor) else ()
