"""The lenses of an explanation as methods: what a user sees is what is measured.

Each takes and returns what :class:`~tam_widget.evaluation.methods.Method` says. A lens that the explanation's run did
not take costs one forward pass, the first of them for all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tam_widget.errors import LensError
from tam_widget.evaluation.methods.registry import MethodError, scale_each
from tam_widget.lenses.interface import Method as Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from tam_widget.lenses.interface import LensName
    from tam_widget.replay.explained import Explained

__all__ = ["attention", "attention_mean", "contribution"]


def contribution(explained: Explained, tokens: Sequence[int]) -> NDArray[np.float32]:
    """Direct contribution of each vision token to the word's logit, its positive part (after arXiv 2604.04500).

    On the scale of :meth:`tam_widget.Explanation.heatmap`, one for all tokens.

    Raises
    ------
    MethodError
        The model does not allow it; the message says why.
    """
    return _maps(explained, "contribution", tokens)


def attention(explained: Explained, tokens: Sequence[int]) -> NDArray[np.float32]:
    """Attention of the text decoder's last layer, the mean over its heads.

    From each token's read position to the vision tokens, scaled to [0, 1] by each map's own minimum and maximum.

    Raises
    ------
    MethodError
        The last layer has no attention weights, a linear attention or a convolution, or none that can be read.
    """
    return scale_each(_maps(explained, "attention", tokens))


def attention_mean(explained: Explained, tokens: Sequence[int]) -> NDArray[np.float32]:
    """Attention of all layers of the text decoder that have it, the mean over all heads; else as :func:`attention`.

    Raises
    ------
    MethodError
        No layer has attention weights that can be read.
    """
    return scale_each(_maps(explained, "attention_mean", tokens))


def _maps(explained: Explained, lens: LensName, tokens: Sequence[int]) -> NDArray[np.float32]:
    explanation = explained.explanation
    try:
        if lens in explanation.lenses:
            return explanation.maps(lens=lens).images[0][list(tokens)]
        return explained.lenses.every(Reading(lens=lens)).images[0][list(tokens)]
    except LensError as error:
        raise MethodError(str(error)) from error
