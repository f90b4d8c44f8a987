"""From an explanation to what the browser holds: text, small pictures, maps as bytes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from tam_widget.explanation.region import Merged
from tam_widget.media.videos import Video
from tam_widget.text.graphemes import whole_texts
from tam_widget.text.leads import leads
from tam_widget.widget.protocol import PEAK_LEVEL, UNSEEN, EmbeddedMaps, PictureState, TokenState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from tam_widget.explanation import Explanation
    from tam_widget.models.layout import Box
    from tam_widget.text.tokens import Word

__all__ = [
    "LONGEST_FRAME",
    "LONGEST_SIDE",
    "embed_maps",
    "embedded_size",
    "encode_map",
    "encode_picture",
    "encode_pictures",
    "encode_tokens",
    "encode_words",
    "greatest",
]

LONGEST_SIDE = 1024
"""Pictures in the state are no larger than this (pixels): the notebook file carries them."""

LONGEST_FRAME = 512
"""The same for frames of a video: there are many, and they are shown smaller."""

_JPEG_QUALITY = 90
_TOGETHER = 32  # maps that are made at a time; an explanation keeps them until they are read


def encode_tokens(explanation: Explanation) -> list[TokenState]:
    """Return the tokens as plain data, in order."""
    before = leads(explanation.tokens, explanation.texts)
    return [
        {
            "text": token.text,
            "whole": whole,
            "lead": lead,
            "role": token.role,
            "turn": token.turn,
            "candidates": [
                {
                    "text": candidate.text,
                    "probability": float(candidate.probability),
                    "rank": candidate.rank,
                    "chosen": candidate.chosen,
                }
                for candidate in token.candidates
            ],
        }
        for token, whole, lead in zip(explanation.tokens, whole_texts(explanation.tokens), before, strict=True)
    ]


def encode_words(words: Iterable[Word]) -> list[tuple[int, int]]:
    """Return each word's first and last + 1 token."""
    return [(word.tokens[0].index, word.tokens[-1].index + 1) for word in words]


def encode_pictures(explanation: Explanation) -> list[PictureState]:
    """Return every picture, and every frame of every video, in the order of a map's cells."""
    states: list[PictureState] = []
    for image, (medium, grid, box) in enumerate(
        zip(explanation.images, explanation.grids, explanation.boxes, strict=True)
    ):
        cells = (grid[-2], grid[-1])
        if isinstance(medium, Video):
            states += [
                encode_picture(picture, cells, box, image=image, frame=frame, time=time, longest=LONGEST_FRAME)
                for frame, (picture, time) in enumerate(zip(medium.frames, medium.times, strict=True))
            ]
        else:
            states.append(encode_picture(medium, cells, box, image=image))
    return states


def encode_picture(
    picture: Image.Image,
    grid: tuple[int, int],
    box: Box,
    *,
    image: int,
    frame: int | None = None,
    time: float | None = None,
    longest: int = LONGEST_SIDE,
) -> PictureState:
    """Shrink a picture and compress it: PNG, or JPEG where that is smaller."""
    small = picture.convert("RGB")
    small.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    png, jpeg = io.BytesIO(), io.BytesIO()
    small.save(png, "PNG", compress_level=3)  # a third of the time of the default
    small.save(jpeg, "JPEG", quality=_JPEG_QUALITY)
    mime, best = min((("image/png", png), ("image/jpeg", jpeg)), key=lambda choice: choice[1].tell())
    left, top, right, bottom = box
    return {
        "data": best.getvalue(),
        "mime": mime,
        "width": small.width,
        "height": small.height,
        "grid": grid,
        "image": image,
        "frame": frame,
        "time": time,
        "box": (
            left / picture.width,
            top / picture.height,
            (right - left) / picture.width,
            (bottom - top) / picture.height,
        ),
    }


def encode_map(
    explanation: Explanation, tokens: Sequence[int], candidate: int | None = None, *, combine: str, **method: Any
) -> tuple[bytes, float, bytes, float]:
    """Return the cells and relevances of tokens, read as one, as bytes, each with its peak.

    Parameters
    ----------
    explanation : Explanation
        Where the map comes from.
    tokens : sequence of int
        Indices of the tokens, at least one.
    candidate : int, optional
        Index of the candidate that is explained instead of what was said; needs one token.
    combine : {"mean", "max"}
        What several maps give in each cell.
    **method
        As for :meth:`Explanation.heatmap`.

    Returns
    -------
    cells : bytes
        Levels of all pictures' and frames' cells, one after the other, row by row.
    peak : float
        The map's maximum; 0 for a map without activation.
    relevances : bytes
        One value for each token before the last of them.
    relevance_peak : float
        Their maximum.
    """
    merged = [Merged(combine) for _ in explanation.images]
    relevance = np.zeros(max(tokens), dtype=np.float32)
    for start in range(0, len(tokens), _TOGETHER):
        some = tokens[start : start + _TOGETHER]
        explanation.prepare(some, candidate, **method)
        explanation.prepare(some, candidate)  # relevance is that of the method as published
        for token in some:
            for k, whole in enumerate(merged):
                whole.add(explanation.heatmap(token, candidate=candidate, image=k, **method))
            own = explanation.relevance(token, candidate=candidate)
            relevance[: len(own)] = np.maximum(relevance[: len(own)], own)
    cells, peak = _levels(np.concatenate([whole.map().ravel() for whole in merged]), PEAK_LEVEL)
    relevances, relevance_peak = _levels(relevance, 255)
    return cells, peak, relevances, relevance_peak


def greatest(explanation: Explanation, tokens: Sequence[int], **method: Any) -> float:
    """Return the greatest value of tokens' maps; 0 where nothing was seen."""
    peak = 0.0
    for start in range(0, len(tokens), _TOGETHER):
        explanation.prepare(tokens[start : start + _TOGETHER], **method)
        for token in tokens[start : start + _TOGETHER]:
            for k in range(len(explanation.images)):
                heatmap = explanation.heatmap(token, image=k, **method)
                peak = max(peak, float(heatmap.max(where=~np.isnan(heatmap), initial=0.0)))
    return peak


def embedded_size(explanation: Explanation) -> int:
    """Return how many bytes the maps of all tokens take together, without making one."""
    count = len(explanation.tokens)
    return count * sum(int(np.prod(grid)) for grid in explanation.grids) + count * (count - 1) // 2


def embed_maps(explanation: Explanation) -> EmbeddedMaps:
    """Return the maps of all tokens, for a page that must do without a kernel."""
    maps = explanation.maps()
    count = len(explanation.tokens)
    cells = [_levels(np.concatenate([one[i].ravel() for one in maps.images]), PEAK_LEVEL) for i in range(count)]
    relevances = [_levels(maps.relevance[i, :i], 255) for i in range(count)]
    return {
        "cells": b"".join(levels for levels, _ in cells),
        "relevances": b"".join(levels for levels, _ in relevances),
        "peaks": [peak for _, peak in cells],
        "relevance_peaks": [peak for _, peak in relevances],
    }


def _levels(values: NDArray[np.float32], top: int) -> tuple[bytes, float]:
    """Quantise values to 0 … top of their own maximum; NaN becomes UNSEEN."""
    seen = ~np.isnan(values)
    peak = float(values.max(where=seen, initial=0.0))
    levels = np.full(values.shape, UNSEEN, dtype=np.uint8)
    # In double precision: divided by the weakest peaks, single precision overflows or loses its digits.
    levels[seen] = np.rint(values[seen].astype(np.float64) / peak * top).astype(np.uint8) if peak > 0 else 0
    return levels.tobytes(), peak
