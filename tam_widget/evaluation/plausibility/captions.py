"""How close a caption is to its references: ROUGE-L and METEOR, computed by their libraries."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CaptionScores", "score_caption"]


@dataclass(frozen=True)
class CaptionScores:
    """What :func:`score_caption` found.

    Attributes
    ----------
    rouge_l, meteor : float or None
        In [0, 1]; None where it was not computed.
    reasons : dict of str to str
        For each measure that was not computed, why.
    """

    rouge_l: float | None = None
    meteor: float | None = None
    reasons: dict[str, str] = field(default_factory=dict)


def score_caption(caption: str, references: Sequence[str]) -> CaptionScores:
    """Score a caption against the best of its references.

    ROUGE-L is the F measure of the longest common subsequence of words (Lin, 2004) by the package rouge-score, without
    stemming; the released evaluation uses the package rouge, whose words keep their punctuation. METEOR (Banerjee and
    Lavie, 2005) is NLTK's, on lower-case words between white space as the released evaluation has it; it needs
    WordNet, which is never downloaded here.

    Parameters
    ----------
    caption : str
        What the model said.
    references : sequence of str
        Right captions.
    """
    references = [reference for reference in references if reference.strip()]
    if not references:
        return CaptionScores(reasons=dict.fromkeys(("rouge_l", "meteor"), "the sample has no reference"))
    scores: dict[str, float] = {}
    reasons: dict[str, str] = {}
    for name, measure in (("rouge_l", _rouge_l), ("meteor", _meteor)):
        found = measure(caption, references)
        if isinstance(found, str):
            reasons[name] = found
        else:
            scores[name] = found
    return CaptionScores(**scores, reasons=reasons)


def _rouge_l(caption: str, references: Sequence[str]) -> float | str:
    try:
        scorer = _rouge_scorer()
    except ImportError:
        return "the package rouge-score is not installed: pip install 'tam-widget[eval]'"
    return max(float(scorer.score(reference, caption)["rougeL"].fmeasure) for reference in references)


def _meteor(caption: str, references: Sequence[str]) -> float | str:
    try:
        # Asked for first: without WordNet, NLTK would score the captions whose words all match and fail on the others.
        import_module("nltk.corpus").wordnet.ensure_loaded()
        measure = import_module("nltk.translate.meteor_score").meteor_score
    except ImportError:
        return "the package nltk is not installed: pip install 'tam-widget[eval]'"
    except LookupError:
        return "WordNet is not installed: python -m nltk.downloader wordnet"
    words = [reference.lower().split() for reference in references]
    return float(measure(references=words, hypothesis=caption.lower().split()))


@functools.cache
def _rouge_scorer() -> Any:
    return import_module("rouge_score.rouge_scorer").RougeScorer(["rougeL"])
