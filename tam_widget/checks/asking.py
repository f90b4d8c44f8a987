"""check(): one word, or all content words of an answer, with the model asked again."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, SupportsIndex

from tam_widget.checks.answer import Verdicts
from tam_widget.checks.checking import Asked, Checking
from tam_widget.errors import CheckError, PictureError, TokenIndexError
from tam_widget.media.pictures import as_picture
from tam_widget.media.videos import Video, as_video
from tam_widget.replay.replay import Replay
from tam_widget.text.content import content_words
from tam_widget.text.tokens import Word

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tam_widget.checks.verdict import Verdict
    from tam_widget.explanation import Explanation
    from tam_widget.models.inputs.parts import Medium
    from tam_widget.replay.passes import Known

__all__ = ["begin", "check_answer", "check_word"]


def begin(
    explanation: Explanation,
    what: SupportsIndex | str | Word | Sequence[SupportsIndex],
    *,
    occurrence: SupportsIndex = 0,
    model: Any = None,
    processor: Any = None,
    batch_size: int | None = None,
    known: Known | None = None,
    **how: Any,
) -> Checking:
    """Begin the check of one word or phrase; see :meth:`tam_widget.Explanation.check`, also for the errors.

    `known` is what an earlier one of the same word had found when it was broken off.
    """
    tokens = _tokens(explanation, what, occurrence)
    asked = _asked(explanation, **how)
    replay = Replay.of(explanation, model, processor)
    return Checking(replay, [tokens], asked, batch_size=batch_size, known=known)


def check_word(
    explanation: Explanation,
    what: SupportsIndex | str | Word | Sequence[SupportsIndex],
    *,
    progress: Callable[[int, int], None] | None = None,
    **how: Any,
) -> Verdict:
    """Check one word or phrase; see :meth:`tam_widget.Explanation.check`."""
    checking = begin(explanation, what, **how)
    total = checking.count(0)
    for left in checking.steps(0):
        if progress is not None:
            progress(total - left, total)
    return checking.verdict(0)


def check_answer(
    explanation: Explanation,
    *,
    model: Any = None,
    processor: Any = None,
    batch_size: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    **how: Any,
) -> Verdicts:
    """Check every content word of the last answer; see :meth:`tam_widget.Explanation.check`, also for the errors."""
    content = content_words(explanation.words, explanation.last_turn)
    words = [[token.index for token in word.tokens] for word in content]
    if not words:
        raise CheckError(f"the answer has no content word to check: {explanation.answer!r}")
    asked = _asked(explanation, **how)
    checking = Checking(Replay.of(explanation, model, processor), words, asked, batch_size=batch_size)
    found: list[Verdict] = []
    try:
        for number in range(len(words)):
            found.append(checking.verdict(number))
            if progress is not None:
                progress(number + 1, len(words))
    except KeyboardInterrupt:
        pass  # what is done is done, and the caller sees how much that is
    spans = [(word.tokens[0].span[0], word.tokens[-1].span[1]) for word in content]
    return Verdicts(found, explanation.answer, spans)


def _tokens(explanation: Explanation, what: Any, occurrence: SupportsIndex) -> list[int]:
    """Return the tokens of a word; of a phrase those of one of its occurrences in answers."""
    if not isinstance(what, str):
        chosen = what.tokens if isinstance(what, Word) else what if hasattr(what, "__len__") else [what]
        tokens = sorted({explanation.index(token) for token in chosen})
        if not tokens:
            raise TokenIndexError("no token was given")
        return tokens
    found = explanation.occurrences(what)
    said = [tokens for tokens in found if explanation.tokens[tokens[0]].role == "answer"]
    if found and not said:
        raise CheckError(f"{what!r} is the prompt's: the model gave it no probability; check a word of an answer")
    if not said:
        raise TokenIndexError(f"{what!r} does not occur in the answer: {explanation.answer!r}")
    return said[_place(occurrence, len(said), "occurrence")]


def _asked(
    explanation: Explanation,
    *,
    image: SupportsIndex | None = None,
    frames: SupportsIndex | None = None,
    swap: Any = None,
    seed: int = 0,
    **method: Any,
) -> Asked:
    """Return how words are checked, with every index in range and the other picture read."""
    media = explanation.images
    which = None if image is None else _place(image, len(media), "picture")
    if which is None and len(media) == 1:
        which = 0
    if which is None and (swap is not None or frames is not None):
        name = "frames" if swap is None else "swap"
        raise PictureError(f"there are {len(media)} pictures; say with image= for which one {name}= is")
    if which is None:
        return Asked(None, None, None, seed, method)
    is_video = isinstance(media[which], Video)
    if frames is not None and not is_video:
        raise TokenIndexError(f"picture {which} is no video: it has no frame {operator.index(frames)}")
    frame = None if frames is None else _place(frames, explanation.grids[which][0], "frame")
    other: Medium | None = None if swap is None else as_video(swap) if is_video else as_picture(swap)
    return Asked(which, frame, other, seed, method)


def _place(index: SupportsIndex, count: int, what: str) -> int:
    try:
        return range(count)[operator.index(index)]
    except IndexError:
        raise TokenIndexError(f"{what} {index} is out of range: there are {count}, counted from 0") from None
