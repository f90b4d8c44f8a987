"""The table of families in README and docs: what the conformance tests ran and found right, and nothing else."""

from pathlib import Path

import pytest
import transformers

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "README.md", ROOT / "docs" / "families.md")
BEGIN, END = "<!-- families: written by `make families` -->", "<!-- end of families -->"

COLUMNS = {
    "image": "picture",
    "tiles": "tiles",
    "images": "several pictures",
    "video": "video",
    "turns": "turns",
}
NAMES = {
    "aya_vision": "Aya Vision",
    "cohere2_vision": "Command A Vision",
    "cosmos3_omni": "Cosmos 3 Omni",
    "exaone4_5": "EXAONE 4.5",
    "gemma3": "Gemma 3",
    "gemma4": "Gemma 4",
    "glm46v": "GLM-4.6V",
    "glm4v": "GLM-4.1V",
    "glm4v_moe": "GLM-4.5V",
    "glm5_next": "GLM-5-Next",
    "glm_ocr": "GLM-OCR",
    "glmga": "Glmga",
    "hyperclovax_vision_v2": "HyperCLOVA X Vision 2",
    "idefics3": "Idefics3",
    "internvl": "InternVL3",
    "lfm2_vl": "LFM2-VL",
    "lfm3_vl": "LFM3-VL",
    "llama4": "Llama 4",
    "llava": "LLaVA",
    "llava_next": "LLaVA-NeXT",
    "llava_onevision": "LLaVA-OneVision",
    "mistral3": "Mistral Small 3.1",
    "ovis2": "Ovis2",
    "paligemma": "PaliGemma",
    "pixtral": "Pixtral",
    "qwen2_5_vl": "Qwen2.5-VL",
    "qwen2_vl": "Qwen2-VL",
    "qwen3_5": "Qwen3.5",
    "qwen3_5_moe": "Qwen3.5 MoE",
    "qwen3_vl": "Qwen3-VL",
    "qwen3_vl_moe": "Qwen3-VL MoE",
    "smolvlm": "SmolVLM",
}

TYPES = {"pixtral": "`llava`, tower `pixtral`"}

RESULTS = pytest.StashKey()


def remember(config, item, report):
    """Note how a test that shows a column went; one that fails takes the whole cell with it."""
    if report.when == "teardown" or (report.when == "setup" and report.passed):
        return
    for mark in item.iter_markers("shows"):
        cell = (item.callspec.params["case"].family, mark.args[0])
        results = config.stash.setdefault(RESULTS, {})
        results[cell] = results.get(cell, True) and report.passed


def is_complete(session):
    """Whether every test that shows something has run."""
    from tiny.cases import CASES

    expected = {(case.family, "image") for case in CASES}
    return expected <= session.config.stash.get(RESULTS, {}).keys()


def table(results):
    """Return the table as Markdown."""
    families = list(dict.fromkeys(family for family, _ in results))
    rows = [
        ["family", "`model_type`", *COLUMNS.values(), "tested with"],
        ["---"] * 2 + [":-:"] * len(COLUMNS) + ["---"],
    ]
    for family in families:
        cells = ["✓" if results.get((family, column)) else "" for column in COLUMNS]
        model_type = TYPES.get(family, f"`{family}`")
        rows.append([NAMES[family], model_type, *cells, f"transformers {transformers.__version__}"])
    return "\n".join([BEGIN, *("| " + " | ".join(row) + " |" for row in rows), END])


def page_with(page, results):
    """Return a page's text with the table in its place."""
    before, found, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    assert found, f"{page} has no place for the table"
    return before + table(results) + rest.partition(END)[2]
