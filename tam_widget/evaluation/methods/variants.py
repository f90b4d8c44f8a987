"""Token Activation Map and its parts alone: what an explanation makes of the states that it keeps.

Each takes and returns what :class:`~tam_widget.evaluation.methods.Method` says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from tam_widget.replay.explained import Explained

__all__ = ["cam", "causal", "filtered", "tam"]


def tam(explained: Explained, tokens: Sequence[int]) -> NDArray[np.float32]:
    """Token Activation Map: causal inference and the rank Gaussian filter (Li et al., arXiv 2506.23270)."""
    return explained.explanation.maps().images[0][list(tokens)]


def causal(explained: Explained, tokens: Sequence[int]) -> NDArray[np.float32]:
    """Causal inference alone, without the filter."""
    return explained.explanation.maps(kernel_size=1).images[0][list(tokens)]


def filtered(explained: Explained, tokens: Sequence[int]) -> NDArray[np.float32]:
    """Apply the rank Gaussian filter alone: nothing that earlier text explains is taken away."""
    return explained.explanation.maps(causal_inference=False).images[0][list(tokens)]


def cam(explained: Explained, tokens: Sequence[int]) -> NDArray[np.float32]:
    """Raw activations on the joint scale: class activation maps, here the same as a logit lens."""
    return explained.explanation.maps(causal_inference=False, kernel_size=1).images[0][list(tokens)]
