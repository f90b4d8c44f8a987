"""All families that the conformance tests run, in the order of the table in the README."""

from tiny import any_resolution, cohere, gemma, idefics3, internvl, lfm2_vl, llama4, llava, ovis2, pixtral, qwen
from tiny.patches import (
    cosmos3_edge,
    dots3_note,
    ernie,
    glm,
    hunyuan_vl,
    kimi_k25,
    minicpmv,
    minimax_m3_vl,
    omni,
    perception_lm,
    qwen_like,
    video_llama_3,
)
from tiny.squares import deepseek_vl, feature_map, got_ocr2
from tiny.tiles import molmo2, phi4_multimodal

CASES = (
    *qwen.CASES,
    *llava.CASES,
    *pixtral.CASES,
    *any_resolution.CASES,
    *internvl.CASES,
    *cohere.CASES,
    *ovis2.CASES,
    *llama4.CASES,
    *glm.CASES,
    *idefics3.CASES,
    *gemma.CASES,
    *lfm2_vl.CASES,
    *qwen_like.CASES,
    *omni.CASES,
    *ernie.CASES,
    *kimi_k25.CASES,
    *deepseek_vl.CASES,
    *feature_map.CASES,
    *got_ocr2.CASES,
    *phi4_multimodal.CASES,
    *molmo2.CASES,
    *minicpmv.CASES,
    *hunyuan_vl.CASES,
    *perception_lm.CASES,
    *cosmos3_edge.CASES,
    *minimax_m3_vl.CASES,
    *dots3_note.CASES,
    *video_llama_3.CASES,
)
