"""A processor for models of real sizes that needs no download: the demo's own, with a vocabulary as large as theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

import tam_widget.demo
from tam_widget.models.own.demo_processors import DemoProcessor

__all__ = ["CELL", "WORDS", "build_processor"]

CELL = 28  # pixels that a vision token covers each way
WORDS = 151_643  # ids below the special tokens

_SPECIAL = [
    f"<|{name}|>"
    for name in (
        "endoftext",
        "im_start",
        "im_end",
        *(f"{kind}_{end}" for kind in ("object_ref", "box", "quad", "vision") for end in ("start", "end")),
        *(f"{kind}_pad" for kind in ("vision", "image", "video")),
    )
]


def build_processor() -> DemoProcessor:
    """Return a processor whose tokenizer has the ids of Qwen2's vocabulary, and made-up words in their place."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {text: number for number, text in enumerate([*letters, *_made_up(WORDS - len(letters))])}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in _SPECIAL])
    template = Path(tam_widget.demo.__file__).parent / "models" / "qwen" / "chat_template.jinja"
    settings: dict[str, Any] = {"patch_size": CELL // 2, "merge_size": 2, "temporal_patch_size": 2}
    size = {"shortest_edge": 56 * 56, "longest_edge": 4096 * CELL**2}  # pictures here stay as they are
    return DemoProcessor(
        Qwen2VLImageProcessorPil(**settings, size=size),
        PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=_SPECIAL[2], pad_token=_SPECIAL[0]),
        template.read_text(encoding="utf-8"),
    )


def _made_up(count: int) -> list[str]:
    """Words with a space before them, as a byte-level vocabulary writes it."""
    return [f"Ġword{number}" for number in range(count)]
