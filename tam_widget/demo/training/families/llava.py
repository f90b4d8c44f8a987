"""LLaVA: transformers' own class, CLIP's tower before Llama's decoder, 1.6 million parameters. Single pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from transformers import (
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from tam_widget.demo.training.families.batch import Opening
from tam_widget.demo.training.families.byte_pairs import learn_byte_pairs
from tam_widget.demo.training.families.llava_forward import LlavaForward

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import torch

    from tam_widget.demo.training.families.batch import Forward

__all__ = ["Llava"]

SIDE = 224
_CELL = 14
_HIDDEN = 128
_LAYERS = 4
_HEADS = 4

# Words with the space before them, runs of digits, runs of signs: a colon is no part of the word behind it, so that an
# answer has the same tokens whether it is generated after "ASSISTANT:" or read there in a later turn.
_WORDS = r" ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


class Llava:
    """A :class:`~tam_widget.demo.training.families.family.Family`."""

    name = "llava"
    special_tokens: tuple[str, ...] = ("<unk>", "<pad>", "</s>", "<image>")
    end = "</s>"
    cell = _CELL

    def tokenizer(self, corpus: Iterable[str], vocabulary_size: int) -> PreTrainedTokenizerBase:
        """Learn byte-level BPE, as Llama 3 has it, with LLaVA's special tokens and the chat template."""
        made = PreTrainedTokenizerFast(
            tokenizer_object=learn_byte_pairs(corpus, vocabulary_size, _WORDS, self.special_tokens),
            unk_token="<unk>",  # noqa: S106
            pad_token="<pad>",  # noqa: S106
            eos_token="</s>",  # noqa: S106
            extra_special_tokens={"image_token": "<image>"},
        )
        made.model_max_length = 2048
        made.chat_template = (Path(__file__).parent / "chat_template_llava.jinja").read_text(encoding="utf-8")
        return made

    def model(self, tokenizer: PreTrainedTokenizerBase) -> LlavaForConditionalGeneration:
        """Make the model with random weights; seed torch before."""
        vision = CLIPVisionConfig(
            hidden_size=_HIDDEN,
            intermediate_size=4 * _HIDDEN,
            num_hidden_layers=_LAYERS,
            num_attention_heads=_HEADS,
            image_size=SIDE,
            patch_size=_CELL,
        )
        text = LlamaConfig(
            vocab_size=-(-len(tokenizer) // 16) * 16,
            hidden_size=_HIDDEN,
            intermediate_size=3 * _HIDDEN,
            num_hidden_layers=_LAYERS,
            num_attention_heads=_HEADS,
            num_key_value_heads=2,
            max_position_embeddings=2048,
            rms_norm_eps=1e-6,
            bos_token_id=None,
            eos_token_id=tokenizer.convert_tokens_to_ids(self.end),
            pad_token_id=tokenizer.convert_tokens_to_ids("<pad>"),
            tie_word_embeddings=True,
        )
        config = LlavaConfig(
            vision_config=vision,
            text_config=text,
            image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
            image_seq_length=(SIDE // _CELL) ** 2,
            vision_feature_layer=-1,  # LLaVA's own −2 would leave a layer of four without use
            vision_feature_select_strategy="default",
            tie_word_embeddings=True,
        )
        return LlavaForConditionalGeneration(config)

    def save_processor(self, tokenizer: PreTrainedTokenizerBase, folder: Path, *, side: int | None = None) -> None:
        """Write tokenizer, chat template and the settings for pictures.

        Raises
        ------
        ValueError
            The side is another one than the tower's.
        """
        if side not in {None, SIDE}:
            raise ValueError(f"LLaVA is shown pictures of {SIDE}×{SIDE} pixels, not of {side}×{side}")
        images = CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})
        LlavaProcessor(
            images,
            tokenizer,
            patch_size=_CELL,
            vision_feature_select_strategy="default",
            num_additional_image_tokens=1,  # the class token
            chat_template=tokenizer.chat_template,
        ).save_pretrained(folder)

    def opening(
        self,
        encode: Callable[[str], list[int]],
        *,
        pictures: int,
        video: bool,
        grid: tuple[int, int],
        system: str | None,
    ) -> Opening:
        """Write what stands before the first question: one picture of as many vision tokens as the tower makes.

        Raises
        ------
        ValueError
            It is anything else.
        """
        whole = SIDE // self.cell
        if video or pictures != 1 or grid != (whole, whole):
            raise ValueError(f"LLaVA is shown one picture of {whole}×{whole} vision tokens")
        before = encode("USER: " if system is None else f"{system} USER: ")
        ids = before + encode("<image>") * whole**2
        places = np.tile(np.arange(len(ids)), (3, 1))
        return Opening(ids, places, np.arange(len(before), len(ids)), len(ids))

    def asked(self, prompt: str, *, first: bool) -> str:
        """Return the text from where the last part ended to where the answer begins."""
        before = "\n" if first else "USER: "
        return f"{before}{prompt} ASSISTANT:"

    def forward(self, model: LlavaForConditionalGeneration, dtype: torch.dtype) -> Forward:
        """Return the batched forward pass."""
        return LlavaForward(model, dtype)
