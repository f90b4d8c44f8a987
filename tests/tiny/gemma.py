"""Gemma 3, PaliGemma and Gemma 4, with a vision tower and without."""

from functools import partial
from inspect import signature

from torch.nn import Identity
from transformers import (
    Gemma3Config,
    Gemma3ForConditionalGeneration,
    Gemma3Processor,
    Gemma4AudioFeatureExtractor,
    Gemma4Config,
    Gemma4ForConditionalGeneration,
    Gemma4Processor,
    Gemma4UnifiedAudioFeatureExtractor,
    Gemma4UnifiedConfig,
    Gemma4UnifiedForConditionalGeneration,
    Gemma4UnifiedImageProcessor,
    Gemma4UnifiedModel,
    Gemma4UnifiedProcessor,
    Gemma4UnifiedVideoProcessor,
    Gemma4VideoProcessor,
    PaliGemmaConfig,
    PaliGemmaForConditionalGeneration,
    PaliGemmaProcessor,
)
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil
from transformers.models.gemma4.image_processing_pil_gemma4 import Gemma4ImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from tiny.case import Case, decoder, silence, template, tower, words

PATCH, SIDE, POOL = 4, 4, 2
SLIDING = {"layer_types": ["sliding_attention", "full_attention"], "sliding_window": 64}
GEMMA3 = {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": "<image_soft_token>"}
GEMMA4 = {
    "boi_token": "<|image>",
    "eoi_token": "<image|>",
    "image_token": "<|image|>",
    "boa_token": "<|audio>",
    "eoa_token": "<audio|>",
    "audio_token": "<|audio|>",
}
SIZES = ((64, 48), (48, 104), (250, 130))


def siglip(cells):
    return tower(image_size=cells * PATCH, patch_size=PATCH, vision_use_head=False)


def gemma3_processor(**options):
    side = SIDE * POOL * PATCH
    images = Gemma3ImageProcessorPil(size={"height": side, "width": side})
    made = Gemma3Processor(
        images,
        words(named=GEMMA3, bos="<bos>"),
        chat_template="<bos>" + template("<start_of_image>"),
        image_seq_length=SIDE**2,
    )
    if options:
        made.images_kwargs = made.images_kwargs | options
    return made


def gemma3():
    names = words(named=GEMMA3, bos="<bos>")
    model = Gemma3ForConditionalGeneration(
        Gemma3Config(
            text_config=decoder(names, head_dim=16, query_pre_attn_scalar=16, **SLIDING),
            vision_config=siglip(SIDE * POOL),
            mm_tokens_per_image=SIDE**2,
            boi_token_index=names.boi_token_id,
            eoi_token_index=names.eoi_token_id,
            image_token_index=names.image_token_id,
            tie_word_embeddings=False,
        )
    )
    model.model.multi_modal_projector.mm_input_projection_weight.data.normal_()  # zero in a new model
    return model


def paligemma_processor():
    side = SIDE * PATCH
    images = SiglipImageProcessorPil(size={"height": side, "width": side})
    images.image_seq_length = SIDE**2
    return PaliGemmaProcessor(images, words("<image>", bos="<bos>"))


def paligemma(**options):
    names = paligemma_processor().tokenizer
    return PaliGemmaForConditionalGeneration(
        PaliGemmaConfig(
            text_config=decoder(names, head_dim=16, **options),
            vision_config=siglip(SIDE),
            projection_dim=64,
            hidden_size=64,
            image_token_index=names.convert_tokens_to_ids("<image>"),
            tie_word_embeddings=False,
        )
    )


def gemma4_processor():
    sides = {"patch_size": PATCH, "pooling_kernel_size": POOL, "max_soft_tokens": 70}
    return Gemma4Processor(
        Gemma4AudioFeatureExtractor(),
        Gemma4ImageProcessorPil(**sides),
        words(named=GEMMA4, bos="<bos>"),
        Gemma4VideoProcessor(**sides),
        chat_template="<bos>" + template("<|image|>", "<|video|>"),
    )


def gemma4(**options):
    names = gemma4_processor().tokenizer
    text = decoder(
        names,
        head_dim=16,
        hidden_size_per_layer_input=8,
        vocab_size_per_layer_input=len(names) + 13,
        global_head_dim=16,
        final_logit_softcapping=30.0,
        **(SLIDING | options),
    )
    vision = tower(
        num_key_value_heads=2,
        head_dim=16,
        patch_size=PATCH,
        pooling_kernel_size=POOL,
        position_embedding_size=256,
        initializer_range=0.2,
    )
    return Gemma4ForConditionalGeneration(Gemma4Config(text_config=text, vision_config=vision, **gemma4_ids(names)))


def gemma4_ids(names):
    ids = {name: names.convert_tokens_to_ids(token) for name, token in GEMMA4.items()}
    return {
        "boi_token_id": ids["boi_token"],
        "eoi_token_id": ids["eoi_token"],
        "image_token_id": ids["image_token"],
        "video_token_id": names.convert_tokens_to_ids("<|video|>"),
        "boa_token_id": ids["boa_token"],
        "eoa_token_index": ids["eoa_token"],
        "audio_token_id": ids["audio_token"],
        "tie_word_embeddings": False,
    }


def unified_processor():
    sides = {"patch_size": PATCH, "pooling_kernel_size": POOL, "max_soft_tokens": 70}
    return Gemma4UnifiedProcessor(
        Gemma4UnifiedAudioFeatureExtractor(),
        Gemma4UnifiedImageProcessor(**sides),
        words(named=GEMMA4, bos="<bos>"),
        Gemma4UnifiedVideoProcessor(**sides),
        chat_template="<bos>" + template("<|image|>", "<|video|>"),
    )


def unified():
    names = unified_processor().tokenizer
    vision = {"patch_size": PATCH, "pooling_kernel_size": POOL, "mm_embed_dim": 32, "mm_posemb_size": 80}
    config = Gemma4UnifiedConfig(
        text_config=decoder(names, head_dim=16, global_head_dim=16, **SLIDING),
        vision_config=vision | {"output_proj_dims": 32},
        audio_config={"audio_embed_dim": 16},
        **gemma4_ids(names),
    )
    return Gemma4UnifiedForConditionalGeneration(config)


def unified_blind(model):
    """Take out the norm of the pixels, which makes as much of a faint change as of a strong one.

    Beside a large bias, the later norms scale all tokens alike; the one whose pixels changed most then changes most.
    """
    seeing = model.model.embed_vision
    seeing.patch_ln1 = Identity()
    seeing.patch_dense.bias.data.normal_(std=20)


def blind(model):
    """Take the attention out of the vision tower."""
    silence(layer.self_attn for layer in model.model.vision_tower.encoder.layers)


CROPS = {"do_pan_and_scan": True, "pan_and_scan_min_crop_size": 32}
# An older one takes this in the call alone.
PANNED = (
    Case(
        "gemma3",
        gemma3,
        partial(gemma3_processor, **CROPS),
        sizes=((50, 48), (97, 40), (36, 110)),
        blind=blind,
        tiled=((97, 40), (36, 110), (250, 80)),
        name="gemma3 (pan and scan)",
    ),
)
CASES = (
    Case("gemma3", gemma3, gemma3_processor, sizes=SIZES, blind=blind),
    *(PANNED if hasattr(Gemma3Processor, "images_kwargs") else ()),
    Case(
        "paligemma", partial(paligemma, model_type="gemma"), paligemma_processor, sizes=SIZES, blind=blind, turns=False
    ),
    Case(
        "paligemma",
        partial(paligemma, model_type="gemma2", query_pre_attn_scalar=16, final_logit_softcapping=30.0, **SLIDING),
        paligemma_processor,
        sizes=SIZES[:2],
        blind=blind,
        turns=False,
        name="paligemma (2)",
    ),
    Case("gemma4", gemma4, gemma4_processor, sizes=SIZES, blind=blind, video=True),
    Case(
        "gemma4",
        partial(gemma4, use_bidirectional_attention="vision"),
        gemma4_processor,
        sizes=SIZES[:2],
        blind=blind,
        name="gemma4 (vision tokens see each other)",
    ),
    Case(
        "gemma4_unified",
        unified,
        unified_processor,
        sizes=SIZES[:2],
        blind=unified_blind,
        # An older one does not hand on how many frames there are, and fails without that.
        video="num_frames_per_video" in signature(Gemma4UnifiedModel.forward).parameters,
    ),
    Case(
        "gemma4",
        partial(gemma4, num_hidden_layers=4, num_kv_shared_layers=2, layer_types=SLIDING["layer_types"] * 2),
        gemma4_processor,
        sizes=SIZES[:2],
        blind=blind,
        name="gemma4 (layers that share keys)",
    ),
)
