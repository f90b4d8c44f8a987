"""MiniCPM-OCR, a MiniCPM-V with slices that it enlarges."""

from transformers import (
    MiniCPMOcrConfig,
    MiniCPMOcrForConditionalGeneration,
    MiniCPMOcrImageProcessor,
    MiniCPMOcrProcessor,
    MiniCPMOcrVideoProcessor,
)

from tiny.case import Case, template
from tiny.patches.minicpmv import NAMED, PATCH, SLICE, blind, settings, tokenizer, tower


def processor(**options):
    sides = {"patch_size": PATCH, "scale_resolution": SLICE, "downsample_mode": "16x", **options}
    return MiniCPMOcrProcessor(
        MiniCPMOcrImageProcessor(**sides, max_slice_nums=6),
        MiniCPMOcrVideoProcessor(**sides, max_slice_nums=1),
        tokenizer(),
        chat_template=template(NAMED["image_token"], NAMED["video_token"]),
    )


def build():
    return MiniCPMOcrForConditionalGeneration(
        MiniCPMOcrConfig(
            text_config=settings(),
            vision_config=tower(),
            insert_layer_id=0,
            image_token_id=tokenizer().convert_tokens_to_ids(NAMED["image_token"]),
            video_token_id=tokenizer().convert_tokens_to_ids(NAMED["video_token"]),
            downsample_mode="16x",
        )
    )


SMALL, LARGE = ((30, 25), (21, 41)), ((61, 45), (75, 110))
CASES = (Case("minicpm_ocr", build, processor, sizes=SMALL, tiled=LARGE, blind=blind, video=True),)
