"""Qwen2-VL to Qwen3.5."""

from functools import partial

import tiny_models
from transformers import (
    Qwen2_5_VLProcessor,
    Qwen2VLProcessor,
    Qwen2VLVideoProcessor,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from tiny.case import Case, silence

VIDEO = "<|vision_start|><|video_pad|><|vision_end|>"


def processor(family):
    """The family's processor with its video part."""
    sides = {"patch_size": tiny_models.PATCH, "merge_size": tiny_models.MERGE}
    size = {"shortest_edge": 16 * tiny_models.CELL**2, "longest_edge": 256 * tiny_models.CELL**2}
    images = Qwen2VLImageProcessorPil(**sides, size=size)
    template = tiny_models.TEMPLATE.replace(
        "{% elif 'text' in content %}", "{% elif content['type'] == 'video' %}" + VIDEO + "{% elif 'text' in content %}"
    )
    if family in {"qwen2_vl", "qwen2_5_vl"}:
        kind = {"qwen2_vl": Qwen2VLProcessor, "qwen2_5_vl": Qwen2_5_VLProcessor}[family]
        videos = Qwen2VLVideoProcessor(**sides, size=size, cap_pixels_per_frame=False)
    else:
        kind, videos = Qwen3VLProcessor, Qwen3VLVideoProcessor(**sides, size=size)
    return kind(images, tiny_models.tokenizer(), videos, chat_template=template)


def blind(model):
    """Take the attention out of the vision tower."""
    silence(block.attn for block in model.model.visual.blocks)


CASES = tuple(
    Case(
        family,
        partial(tiny_models.build, family),
        partial(processor, family),
        sizes=((64, 48), (48, 104), (250, 130)),
        blind=blind,
        video=True,
    )
    for family in tiny_models.FAMILIES
)
