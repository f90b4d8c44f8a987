"""Training batches: media with several questions about them, packed so that they are encoded once."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from tam_widget.demo.scenery.held_out import TRAINING
from tam_widget.demo.scenery.language import SYSTEM_PROMPT
from tam_widget.demo.scenery.painting import paint
from tam_widget.demo.scenery.staging import FILMS, FRAMES_IN_A_GRID
from tam_widget.demo.training.families.batch import IGNORED, Batch
from tam_widget.demo.training.talk import talk_about

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from transformers import PreTrainedTokenizerBase

    from tam_widget.demo.scenery.question import Question
    from tam_widget.demo.scenery.staging import Staging
    from tam_widget.demo.training.curriculum import Curriculum
    from tam_widget.demo.training.families.family import Family
    from tam_widget.demo.training.features import FeatureCache
    from tam_widget.demo.training.grounding import Grounding
    from tam_widget.demo.training.kept_scenes import KeptScenes

_CHAINED, _SYSTEM = 0.3, 0.2


@dataclass(frozen=True, eq=False)
class Maker:
    """What every batch of a run is made with.

    Attributes
    ----------
    family : Family
    encode : callable
        From a text to its tokens.
    grounding : Grounding
        Says which tokens are true of a picture.
    cache : FeatureCache, optional
        Where a frozen tower has looked at the scenes already.
    """

    family: Family
    encode: Callable[[str], list[int]]
    grounding: Grounding
    cache: FeatureCache | None = None


def encoder(tokenizer: PreTrainedTokenizerBase) -> Callable[[str], list[int]]:
    """Return the function from a text to its tokens; it remembers."""

    @functools.cache
    def encode(text: str) -> list[int]:
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])

    return encode


def training_batch(  # noqa: PLR0917 - all that a batch depends on
    maker: Maker, curriculum: Curriculum | KeptScenes, seed: int, step: int, progress: float, size: int
) -> Batch:
    """Make the batch of a step: a function of its arguments alone, so that a run can be resumed."""
    rng = np.random.default_rng([TRAINING, seed, step])
    stagings = curriculum.draw(rng, progress, size)
    chained, system, adjectives = rng.random(3) < (_CHAINED, _SYSTEM, curriculum.adjectives)
    talks = [talk_about(staging, rng, chained=bool(chained), adjectives=bool(adjectives)) for staging in stagings]
    return make_batch(maker, stagings, talks, rng, chained=bool(chained), system=bool(system))


def make_batch(
    maker: Maker,
    stagings: Sequence[Staging],
    talks: Sequence[Sequence[Question]],
    rng: np.random.Generator,
    *,
    chained: bool = False,
    system: bool = False,
) -> Batch:
    """Draw scenes of one kind and size and pack what is said about each.

    Parameters
    ----------
    maker : Maker
    stagings : sequence of Staging
        B scenes.
    talks : sequence of sequence of Question
        What is said about each.
    rng : numpy.random.Generator
        Of the drawing.
    chained : bool
        Whether questions follow each other as turns of one conversation, instead of standing each for itself.
    system : bool
        Whether the system prompt comes first.
    """
    video = stagings[0].kind in FILMS
    groups = _grids(len(stagings[0].placements), video=video)
    features, cell = None, maker.family.cell
    if maker.cache is None:
        painted = np.stack([paint(staging, rng)[0] for staging in stagings])
        pictures = torch.from_numpy(painted.reshape(len(stagings), len(groups), len(groups[0]), *painted.shape[2:]))
    else:
        pictures, features = maker.cache.of(stagings)
        cell = 1
    grid = (pictures.shape[3] // cell, pictures.shape[4] // cell)
    opening = maker.family.opening(
        maker.encode, pictures=len(groups), video=video, grid=grid, system=SYSTEM_PROMPT if system else None
    )
    packed = [_pack(maker, talk, chained=chained) for talk in talks]
    start = len(opening.ids)
    total = start + -(-max(len(ids) for ids, *_ in packed) // 8) * 8  # few different lengths: memory is used again
    ids = np.zeros((len(packed), total), np.int64)
    labels = np.full((len(packed), total), IGNORED)
    segments = np.full((len(packed), total), -1)
    places = np.zeros((3, len(packed), total), np.int64)
    ids[:, :start] = opening.ids
    segments[:, :start] = 0
    places[:, :, :start] = opening.places[:, None]
    for row, (text_ids, text_labels, text_segments, offsets) in enumerate(packed):
        span = slice(start, start + len(text_ids))
        ids[row, span], labels[row, span], segments[row, span] = text_ids, text_labels, text_segments
        places[:, row, span] = opening.next_place + np.array(offsets)
    present = [[maker.grounding.present(s, at, frames) for at, frames in enumerate(groups)] for s in stagings]
    return Batch(
        pictures=pictures,
        grid=grid,
        ids=torch.from_numpy(ids),
        labels=torch.from_numpy(labels),
        segments=torch.from_numpy(segments),
        places=torch.from_numpy(places),
        image_at=torch.from_numpy(opening.image_at),
        present=torch.from_numpy(np.array(present, np.float32)),
        features=features,
    )


def _grids(pictures: int, *, video: bool) -> list[tuple[int, ...]]:
    """Return which pictures stand in each grid: a still picture alone, a video's frames in twos."""
    size = FRAMES_IN_A_GRID if video else 1
    return [tuple(range(at, at + size)) for at in range(0, pictures, size)]


def _pack(
    maker: Maker, talk: Sequence[Question], *, chained: bool
) -> tuple[list[int], list[int], list[int], list[int]]:
    """Ids, labels, segments and positions (from 0) of all that is said about one scene."""
    ids: list[int] = []
    labels: list[int] = []
    segments: list[int] = []
    offsets: list[int] = []
    encode, family = maker.encode, maker.family
    for number, question in enumerate(talk):
        asked = encode(family.asked(question.text, first=not (chained and number)))
        told = encode(question.answer + family.end)
        offset = len(ids) if chained else 0
        ids += asked + told
        labels += [IGNORED] * len(asked) + told
        segments += [1 if chained else number + 1] * (len(asked) + len(told))
        offsets += range(offset, offset + len(asked) + len(told))
    return ids, labels, segments, offsets
