"""What these families share: sides and limits, small towers and decoders, and processors of Qwen's kind."""

from functools import cache

from transformers import Qwen2VLVideoProcessor, Qwen3VLVideoProcessor
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from tiny.case import decoder, in_proportion, silence, template, words

PATCH, MERGE = 4, 2
CELL = PATCH * MERGE
SIDES = {"patch_size": PATCH, "merge_size": MERGE}
LIMITS = {"shortest_edge": 16 * CELL**2, "longest_edge": 256 * CELL**2}
SIZES = ((61, 45), (90, 203))  # the second is larger than the limit
ROPE = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3]}

MARKS = {"vision_start": "<|vision_start|>", "vision_end": "<|vision_end|>"}
QWEN = {"image": "<|image_pad|>", "video": "<|video_pad|>", **MARKS}


@cache
def tokenizer():
    """The tokenizer of the demo models has all tokens of Qwen's kind."""
    return words()


def ids(names=QWEN, tokens=None):
    """The configuration's ids of some tokens by their names in it."""
    tokens = tokens or tokenizer()
    return {f"{name}_token_id": tokens.convert_tokens_to_ids(token) for name, token in names.items()}


def processor(kind, videos=Qwen3VLVideoProcessor, tokens=None, **options):
    """A processor of a kind with the image and the video processor of Qwen's."""
    more = {"cap_pixels_per_frame": False} if videos is Qwen2VLVideoProcessor else {}
    shown = [f"{QWEN['vision_start']}{QWEN[medium]}{QWEN['vision_end']}" for medium in ("image", "video")]
    return kind(
        image_processor=Qwen2VLImageProcessorPil(**SIDES, size=LIMITS),
        tokenizer=tokens or tokenizer(),
        video_processor=videos(**SIDES, size=LIMITS, **more),
        chat_template=template(*shown),
        **options,
    )


def text(tokens=None, **options):
    """A small decoder with positions in three directions."""
    return decoder(tokens or tokenizer(), head_dim=16, rope_parameters=dict(ROPE), **options)


def vision(**options):
    """A small tower of Qwen's kind."""
    return {
        "depth": 2,
        "num_heads": 2,
        "hidden_size": 32,
        "intermediate_size": 64,
        "out_hidden_size": 64,
        "patch_size": PATCH,
        "spatial_merge_size": MERGE,
        "temporal_patch_size": 2,
        "initializer_range": 0.2,
        **options,
    }


def blind(model):
    """Take the attention out of the vision tower, and let tokens follow their pixels in proportion."""
    tower = model.model.visual if hasattr(model.model, "visual") else model.visual
    silence(block.attn for block in tower.blocks)
    in_proportion(tower.patch_embed)
