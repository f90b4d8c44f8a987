"""The demo model's tokenizer: byte-level BPE over the sentences of the scenes, with Qwen2-VL's special tokens."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerBase
from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX, Qwen2Tokenizer

from tam_widget.demo.drawing import place
from tam_widget.demo.language import CAPTION_PROMPTS, SYSTEM_PROMPT, UNKNOWN_ANSWER, ask, caption
from tam_widget.demo.scenes import TRAINING

SPECIAL_TOKENS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
# Words that the merges never see whole, so that they stay words of several tokens, as rare words are in large models.
SPLIT_WORDS = {"triangle": ("tri", "angle"), "purple": ("pur", "ple"), "bottom": ("bot", "tom")}
_CORPUS_SCENES = 4000


def chat_template() -> str:
    """Return the template: ChatML with the placeholders of pictures, as Qwen2-VL reads it."""
    return (Path(__file__).parent / "chat_template.jinja").read_text(encoding="utf-8")


def build_tokenizer() -> PreTrainedTokenizerBase:
    """Learn the merges from made sentences; the same tokenizer every time."""
    built = learn_tokenizer(_corpus(), vocabulary_size=2000)
    built.model_max_length = 2048
    built.chat_template = chat_template()
    return built


def learn_tokenizer(corpus: Iterable[str], vocabulary_size: int) -> PreTrainedTokenizerBase:
    """Learn byte-level BPE as Qwen2's tokenizer has it, with Qwen2-VL's special tokens and no chat template.

    Parameters
    ----------
    corpus : iterable of str
        No merge crosses from one text to the next.
    vocabulary_size : int
        At most so many tokens, the special ones not counted.
    """
    bpe = Tokenizer(models.BPE())
    bpe.normalizer = normalizers.NFC()
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), behavior="isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        min_frequency=2,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    bpe.train_from_iterator(corpus, trainer)
    learned = json.loads(bpe.to_str())["model"]
    vocabulary = learned["vocab"]
    for token in SPECIAL_TOKENS:
        vocabulary[token] = len(vocabulary)
    return Qwen2Tokenizer(
        vocab=vocabulary,
        merges=[tuple(merge) for merge in learned["merges"]],
        unk_token="<|endoftext|>",  # noqa: S106
        eos_token="<|im_end|>",  # noqa: S106
        pad_token="<|endoftext|>",  # noqa: S106
        additional_special_tokens=list(SPECIAL_TOKENS[1:]),
    )


def _corpus() -> Iterator[str]:
    rng = np.random.default_rng([TRAINING, 0])
    for _ in range(_CORPUS_SCENES):
        placement = place(rng, 224, 224)
        said = [(str(rng.choice(CAPTION_PROMPTS)), caption(placement))]
        # Words that the model does not know reach it as rare words do: in bytes. So no merge may come from them.
        asked = [question for question in ask(placement, rng, 4) if question.kind != "unknown"]
        said += [(question.text, question.answer) for question in asked]
        said.append(("", UNKNOWN_ANSWER))
        for prompt, answer in said:
            yield from _pieces(f"system\n{SYSTEM_PROMPT}\nuser\n{prompt}\nassistant\n{answer}")


def _pieces(text: str) -> Iterator[str]:
    """Cut a text at the seams of the split words, each part a string of its own that no merge can cross."""
    for word, (head, tail) in SPLIT_WORDS.items():
        text = text.replace(word, f"{head}\0{tail}")
    yield from text.split("\0")
