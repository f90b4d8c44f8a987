"""All kinds of model that the conformance tests run, in the order of the table in the docs.

A kind that the installed transformers does not know yet is left out; `test_every_type.py` says which of those that it
knows have no case.
"""

from importlib import import_module

from transformers.models.auto.configuration_auto import CONFIG_MAPPING

MODULES = (
    "qwen",
    "llava",
    "pixtral",
    "any_resolution",
    "internvl",
    "cohere",
    "ovis2",
    "llama4",
    "patches.glm",
    "idefics3",
    "gemma",
    "lfm2_vl",
    "patches.qwen_like",
    "patches.qwen4_exp",
    "patches.omni",
    "patches.ernie",
    "patches.kimi_k25",
    "squares.deepseek_vl",
    "squares.feature_map",
    "squares.got_ocr2",
    "tiles.phi4_multimodal",
    "tiles.molmo2",
    "patches.minicpmv",
    "tiles.minicpm_ocr",
    "patches.hunyuan_vl",
    "patches.perception_lm",
    "tiles.granite_docling",
    "tiles.step3p7",
    "tiles.inkling",
    "tiles.inkling2",
    "tiles.muse",
    "patches.cosmos3_edge",
    "patches.minimax_m3_vl",
    "patches.dots3_note",
    "patches.video_llama_3",
)


def _cases(module):
    try:
        return import_module(f"tiny.{module}").CASES
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "transformers":
            raise
        return ()


CASES = tuple(case for module in MODULES for case in _cases(module) if case.family in CONFIG_MAPPING)
