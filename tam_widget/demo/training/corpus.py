"""The sentences that a demo model's tokenizer is learned from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tam_widget.demo.scenery.held_out import TRAINING
from tam_widget.demo.scenery.language import SYSTEM_PROMPT
from tam_widget.demo.scenery.questions import UNKNOWN_ANSWER
from tam_widget.demo.scenery.staging import FRAME_SIDE, KINDS, PICTURE_SIDE, THINGS_SIDE, stage
from tam_widget.demo.scenery.thing_questions import UNKNOWN_THING_ANSWER
from tam_widget.demo.scenery.things.catalogue import THINGS
from tam_widget.demo.training.talk import talk_about

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from transformers import PreTrainedTokenizerBase

    from tam_widget.demo.scenery.staging import Kind
    from tam_widget.demo.training.families.family import Family

# Words that the merges never see whole, so that they stay words of several tokens, as rare words are in large models.
SPLIT_WORDS = {
    "triangle": ("tri", "angle"),
    "purple": ("pur", "ple"),
    "bottom": ("bot", "tom"),
    "strawberry": ("straw", "berry"),
    "butterfly": ("butter", "fly"),
    "pineapple": ("pine", "apple"),
}
_SCENES = 500  # of each kind
_VOCABULARY = 2000  # more than there is to learn


def build_tokenizer(family: Family, *, things: bool = False) -> PreTrainedTokenizerBase:
    """Learn a family's tokenizer from made sentences, of shapes or of things; the same tokenizer every time."""
    return family.tokenizer(_of_things(family) if things else _of_shapes(family), _VOCABULARY)


def _of_things(family: Family) -> Iterator[str]:
    for thing in THINGS.values():  # each is met, and as a word of its own
        yield from _pieces(family, f" {thing.name} {thing.plural}") * 2
    yield from _of_scenes(family, ("things",), np.random.default_rng([TRAINING, 0]))
    for text in (f"system\n{SYSTEM_PROMPT}", UNKNOWN_THING_ANSWER):
        yield from [text] * 2


def _of_shapes(family: Family) -> Iterator[str]:
    yield from _of_scenes(family, KINDS, np.random.default_rng([TRAINING, 0]))
    for text in (f"system\n{SYSTEM_PROMPT}", UNKNOWN_ANSWER):
        yield from [text] * 2  # a merge is made of what occurs twice


def _of_scenes(family: Family, kinds: Sequence[Kind], rng: np.random.Generator) -> Iterator[str]:
    for kind in kinds:
        side = {"moving": FRAME_SIDE, "things": THINGS_SIDE}.get(kind, PICTURE_SIDE)
        for number in range(_SCENES):
            staging = stage(kind, rng, side, side)
            for question in talk_about(staging, rng, chained=number % 2 == 0):
                # Words that the model does not know reach it as rare words do: in bytes. So no merge comes from them.
                asked = "" if question.kind == "unknown" else question.text
                yield from _pieces(family, family.asked(asked, first=False) + question.answer)


def _pieces(family: Family, text: str) -> list[str]:
    """Cut a text at special tokens and at the seams of the split words: no merge can cross from part to part."""
    for token in family.special_tokens:
        text = text.replace(token, "\0")
    for word, (head, tail) in SPLIT_WORDS.items():
        text = text.replace(word, f"{head}\0{tail}")
    return [piece for piece in text.split("\0") if piece]
