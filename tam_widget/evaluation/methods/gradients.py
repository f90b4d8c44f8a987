"""Gradients of a token's own score with respect to the vision tokens' embeddings, through captum."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from tam_widget.errors import MissingDependencyError
from tam_widget.evaluation.methods.registry import on_grid, scale_each
from tam_widget.evaluation.methods.scores import Scores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from tam_widget.replay.explained import Explained

__all__ = ["gradient_x_input", "integrated_gradients", "signed_gradient_x_input", "signed_integrated"]

_TOGETHER = 8  # tokens whose gradients come from one forward pass; each takes the room of the picture's embeddings


def gradient_x_input(
    explained: Explained, tokens: Sequence[int], *, batch_size: int | None = None
) -> NDArray[np.float32]:
    """Gradient × input on the vision tokens' embeddings (Shrikumar et al., arXiv 1605.01713).

    For a token of class c with read position p, ``x_v · ∂(w_c · h_p) / ∂x_v``, summed over the width, where x_v is what
    the text decoder is given for vision token v. Of it the absolute value: the sign is that of a step away from an
    embedding of zero, which no picture has, so it does not tell for from against; the size tells how sensitive the
    word is to the place. Scaled to [0, 1] by each map's own minimum and maximum.

    It costs one forward and backward pass of the text decoder a token, `batch_size` of them at once, and before them
    one pass of the whole model with `batch_size` copies. (The first time also those of
    :func:`~tam_widget.replay.passes.can_batch`.)

    Parameters
    ----------
    explained, tokens
        As for :class:`~tam_widget.evaluation.methods.Method`, and so are the maps.
    batch_size : int, optional
        How many tokens are differentiated at once; memory grows with it. 4 by default, and 1 on a CPU.

    Raises
    ------
    MissingDependencyError
        captum is not installed.
    """
    signed = signed_gradient_x_input(explained, tokens, batch_size=batch_size)
    return _scaled(explained, np.abs(signed), tokens)


def integrated_gradients(
    explained: Explained, tokens: Sequence[int], *, steps: int = 16, batch_size: int | None = None
) -> NDArray[np.float32]:
    """Integrated gradients on the vision tokens' embeddings (Sundararajan et al., arXiv 1703.01365).

    As :func:`gradient_x_input`, but with the mean gradient on the straight way from the embeddings b of a picture of
    one colour, the mean of this one, to those of the picture: ``(x_v − b_v) · ∫ ∂(w_c · h_p) / ∂x_v dα`` at
    ``b + α (x − b)``, by Gauss-Legendre quadrature. The signed values add up to the difference of the score between
    the two, all else equal. Zero would be no baseline here: the decoder normalises each embedding, so that nearly all
    of the way from zero looks the same to it. Of the sum over the width the positive part: against this baseline the
    sign does tell what speaks for the word, and what speaks against it is left out, as by the ReLU of Token Activation
    Map and Grad-CAM. Scaled as there.

    What some models feed into later layers besides (DeepStack) stays as it is for the picture. Where the score jumps on
    the way, because another expert is chosen, the values do not quite add up.

    It costs `steps` backward passes of the text decoder a token and as many forward passes for every eight tokens,
    `batch_size` of them at once, and before them what :func:`gradient_x_input` costs and one pass for the baseline.

    Parameters
    ----------
    explained, tokens
        As for :class:`~tam_widget.evaluation.methods.Method`, and so are the maps.
    steps : int
        Points on the way.
    batch_size : int, optional
        How many points are differentiated at once; memory grows with it. 4 by default, and 1 on a CPU.

    Raises
    ------
    MissingDependencyError
        captum is not installed.
    """
    signed = signed_integrated(explained, tokens, steps=steps, batch_size=batch_size)
    return _scaled(explained, np.maximum(signed, 0), tokens)


def signed_gradient_x_input(
    explained: Explained, tokens: Sequence[int], *, batch_size: int | None = None
) -> NDArray[np.float32]:
    """Return gradient × input with its sign, summed over the width, of all vision tokens: (Q, V), in logits."""
    attribute = _captum().InputXGradient
    with Scores(explained, tokens, batch_size) as scores:
        found = []
        for start in range(0, len(tokens), scores.batch_size):
            rows, positions = (part[start : start + scores.batch_size] for part in scores.queries)
            given = scores.embeddings.expand(len(rows), -1, -1).clone().requires_grad_()
            grown = attribute(scores).attribute(given, additional_forward_args=(rows, positions))
            found.append(grown.detach().sum(dim=-1).cpu().numpy())
    return _stacked(found, explained)


def signed_integrated(
    explained: Explained, tokens: Sequence[int], *, steps: int = 16, batch_size: int | None = None
) -> NDArray[np.float32]:
    """Return integrated gradients with their sign, summed over the width, of all vision tokens: (Q, V), in logits."""
    attribution = _captum().IntegratedGradients
    with Scores(explained, tokens, batch_size) as scores:
        baseline = scores.embeddings_of_mean_colour()
        found = []
        for start in range(0, len(tokens), _TOGETHER):
            rows, positions = (part[start : start + _TOGETHER] for part in scores.queries)
            integrated = attribution(scores)
            integrated.gradient_func = _from_one_pass(scores, rows, positions)
            grown = integrated.attribute(
                scores.embeddings.expand(len(rows), -1, -1),
                baselines=baseline,
                n_steps=steps,
                internal_batch_size=len(rows) * scores.batch_size,
            )
            found.append(grown.detach().sum(dim=-1).cpu().numpy())
    return _stacked(found, explained)


def _from_one_pass(scores: Scores, rows: Tensor, positions: Tensor) -> Callable[..., tuple[Tensor, ...]]:
    """Return what captum shall take gradients by: tokens share their points on the way, so also the passes there."""

    def gradients(inputs: tuple[Tensor, ...], **_: object) -> tuple[Tensor, ...]:
        (points,) = inputs  # of every point a copy for each token
        return (scores.gradients(points[:: len(rows)], rows, positions).flatten(0, 1),)

    return gradients


def _captum() -> Any:
    try:
        return import_module("captum.attr")
    except ImportError as error:
        raise MissingDependencyError("gradients are taken by captum: pip install 'tam-widget[eval]'") from error


def _stacked(found: list[NDArray[np.floating]], explained: Explained) -> NDArray[np.float32]:
    vision = len(explained.reading.vision)
    return np.concatenate([*found, np.empty((0, vision))]).astype(np.float32)


def _scaled(explained: Explained, values: NDArray[np.float32], tokens: Sequence[int]) -> NDArray[np.float32]:
    """Lay values on the stitched grid, whose cells come first, and scale each map."""
    return scale_each(on_grid(explained, values[:, : len(explained.reading.cells)], tokens))
