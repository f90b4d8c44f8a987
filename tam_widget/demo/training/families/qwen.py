"""Qwen2-VL: transformers' own class, from a configuration of 1.8 million parameters. Pictures, pairs and videos."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from transformers import PreTrainedTokenizerBase, Qwen2VLConfig, Qwen2VLForConditionalGeneration
from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX, Qwen2Tokenizer
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from tam_widget.demo.scenery.staging import FRAMES_IN_A_GRID
from tam_widget.demo.training.families.batch import Opening
from tam_widget.demo.training.families.byte_pairs import learn_byte_pairs, vocabulary_and_merges
from tam_widget.demo.training.families.qwen_forward import QwenForward

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import torch
    from numpy.typing import NDArray

    from tam_widget.demo.training.families.batch import Forward

__all__ = ["Qwen2VL"]

# As many vision tokens as patches of 7 merged 2×2 would give, and a sixteenth of the attention between patches: more
# than half of the time of a training step on a CPU.
PATCH = 14
MERGE = 1
_CELL = PATCH * MERGE
_PICTURE_PIXELS = {"shortest_edge": 224 * 224 * 3 // 4, "longest_edge": 224 * 224}
_FRAME_PIXELS = {"shortest_edge": 98 * 98, "longest_edge": 140 * 140}

_HIDDEN = 128
_HEADS = 4


class Qwen2VL:
    """A :class:`~tam_widget.demo.training.families.family.Family`."""

    name = "qwen"
    special_tokens: tuple[str, ...] = (
        "<|endoftext|>",
        "<|im_start|>",
        "<|im_end|>",
        "<|vision_start|>",
        "<|vision_end|>",
        "<|vision_pad|>",
        "<|image_pad|>",
        "<|video_pad|>",
    )
    end = "<|im_end|>"
    cell = _CELL

    def tokenizer(self, corpus: Iterable[str], vocabulary_size: int) -> PreTrainedTokenizerBase:
        """Learn byte-level BPE as Qwen2's tokenizer has it, with Qwen2-VL's special tokens and the chat template."""
        learned = learn_byte_pairs(corpus, vocabulary_size, PRETOKENIZE_REGEX, self.special_tokens)
        vocabulary, merges = vocabulary_and_merges(learned)
        made = Qwen2Tokenizer(
            vocab=vocabulary,
            merges=merges,
            unk_token="<|endoftext|>",  # noqa: S106
            eos_token="<|im_end|>",  # noqa: S106
            pad_token="<|endoftext|>",  # noqa: S106
            additional_special_tokens=list(self.special_tokens[1:]),
        )
        made.model_max_length = 2048
        made.chat_template = (Path(__file__).parent / "chat_template.jinja").read_text(encoding="utf-8")
        return made

    def model(self, tokenizer: PreTrainedTokenizerBase) -> Qwen2VLForConditionalGeneration:
        """Make the model with random weights; seed torch before."""

        def token_id(token: str) -> int:
            return int(tokenizer.convert_tokens_to_ids(token))

        config = Qwen2VLConfig(
            text_config={
                "vocab_size": -(-len(tokenizer) // 16) * 16,
                "hidden_size": _HIDDEN,
                "intermediate_size": 3 * _HIDDEN,
                "num_hidden_layers": 4,
                "num_attention_heads": _HEADS,
                "num_key_value_heads": 2,
                "max_position_embeddings": 2048,
                "rms_norm_eps": 1e-6,
                "hidden_act": "silu",
                # M-RoPE hands the lowest frequencies to the width. With the usual theta of 1e4 and heads of 32 they
                # turn by less than a degree across the picture, and the decoder is nearly blind to columns.
                "rope_parameters": {"rope_type": "default", "rope_theta": 25.0, "mrope_section": [4, 6, 6]},
                "bos_token_id": None,
                "eos_token_id": token_id("<|im_end|>"),
                "pad_token_id": token_id("<|endoftext|>"),
            },
            vision_config={
                "depth": 4,
                "embed_dim": 128,
                "hidden_size": _HIDDEN,
                "num_heads": 4,
                "mlp_ratio": 4,
                "in_channels": 3,
                "patch_size": PATCH,
                "spatial_merge_size": MERGE,
                "temporal_patch_size": FRAMES_IN_A_GRID,
            },
            image_token_id=token_id("<|image_pad|>"),
            video_token_id=token_id("<|video_pad|>"),
            vision_start_token_id=token_id("<|vision_start|>"),
            vision_end_token_id=token_id("<|vision_end|>"),
            tie_word_embeddings=True,
        )
        return Qwen2VLForConditionalGeneration(config)

    def save_processor(self, tokenizer: PreTrainedTokenizerBase, folder: Path, *, side: int | None = None) -> None:
        """Write tokenizer, chat template and the settings for pictures and for videos."""
        tokenizer.save_pretrained(folder)
        sides = {"patch_size": PATCH, "merge_size": MERGE, "temporal_patch_size": FRAMES_IN_A_GRID}
        pixels = _PICTURE_PIXELS if side is None else dict.fromkeys(_PICTURE_PIXELS, side**2)
        images = Qwen2VLImageProcessorPil(**sides, size=pixels)
        images.save_pretrained(folder)
        # transformers' video processor needs torchvision even to be made, so its settings are written here.
        videos = {
            "video_processor_type": "Qwen2VLVideoProcessor",
            "do_sample_frames": False,
            "cap_pixels_per_frame": False,
            "size": _FRAME_PIXELS,
            **sides,
        }
        text = json.dumps(videos, indent=2, sort_keys=True) + "\n"
        (folder / "video_preprocessor_config.json").write_text(text, encoding="utf-8")

    def opening(
        self,
        encode: Callable[[str], list[int]],
        *,
        pictures: int,
        video: bool,
        grid: tuple[int, int],
        system: str | None,
    ) -> Opening:
        """Write what stands before the first question: pictures one after the other, or one video."""
        written = _Written()
        before = "" if system is None else f"<|im_start|>system\n{system}<|im_end|>\n"
        written.text(encode(before + "<|im_start|>user\n"))
        token = encode("<|video_pad|>" if video else "<|image_pad|>")
        groups = pictures if video else 1
        for _ in range(pictures // groups):
            written.text(encode("<|vision_start|>"))
            written.vision(token, groups, grid)
            written.text(encode("<|vision_end|>"))
        return written.opening()

    def asked(self, prompt: str, *, first: bool) -> str:
        """Return the text from where the last part ended to where the answer begins."""
        before = "" if first else "\n<|im_start|>user\n"
        return f"{before}{prompt}<|im_end|>\n<|im_start|>assistant\n"

    def forward(self, model: Qwen2VLForConditionalGeneration, dtype: torch.dtype) -> Forward:
        """Return the batched forward pass."""
        return QwenForward(model, dtype)


class _Written:
    """What has been written of an opening, with its positions."""

    def __init__(self) -> None:
        self._ids: list[int] = []
        self._places: list[NDArray[np.int64]] = []
        self._image_at: list[int] = []
        self._next = 0

    def text(self, tokens: list[int]) -> None:
        """Write text, whose position is the same in time, row and column."""
        self._ids += tokens
        self._places.append(np.tile(self._next + np.arange(len(tokens)), (3, 1)))
        self._next += len(tokens)

    def vision(self, token: list[int], groups: int, grid: tuple[int, int]) -> None:
        """Write the vision tokens of one picture or video; what follows counts on from its longer side."""
        tokens = token * (groups * grid[0] * grid[1])
        self._image_at += range(len(self._ids), len(self._ids) + len(tokens))
        self._ids += tokens
        self._places.append(self._next + np.indices((groups, *grid)).reshape(3, -1))
        self._next += max(grid)

    def opening(self) -> Opening:
        """Return it all."""
        return Opening(self._ids, np.concatenate(self._places, axis=1), np.array(self._image_at), self._next)
