"""Token Activation Map with another weight of the context: how much two positions predict the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from tam_widget.explanation.map_bank import MapBank

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from tam_widget.replay.explained import Explained

__all__ = ["tam_overlap"]

TOP = 50
"""How many predictions of two positions are compared, as published."""

_CHUNK = 2**24  # logits made at a time


@torch.no_grad()
def tam_overlap(explained: Explained, tokens: Sequence[int], *, top: int = TOP) -> NDArray[np.float32]:
    """Token Activation Map whose context is weighted by how much two positions predict the same.

    Where Token Activation Map weights an earlier token k by its relevance, here its weight is the share of the `top`
    most probable tokens at k's read position that are also among those at the read position of the token i itself:
    ``|top(i) ∩ top(k)| / top``. All else is as in Token Activation Map, the joint scale of picture and earlier text
    too. After Liang et al., "Explaining multimodal LLMs via intra-modal token interactions" (arXiv 2509.22415), who
    compare rankings; here the sets are compared.

    It costs one forward pass, shared with the other methods that read the conversation again.

    Parameters
    ----------
    explained, tokens
        As for :class:`~tam_widget.evaluation.methods.Method`, and so are the maps.
    top : int
        How many predictions are compared.
    """
    have = explained.activations(explained.reading, explained.run)
    states = have.states[len(explained.reading.vision) :]
    return MapBank(have).weighted(_overlap(explained, states, top)).images[0][list(tokens)]


def _overlap(explained: Explained, states: Tensor, top: int) -> Tensor:
    """Return for T states which share of the `top` best classes of one are those of another, (T, T)."""
    head = explained.model.get_output_embeddings()
    vocabulary = head(states[:1]).shape[-1]
    top = min(top, vocabulary)
    step = max(1, _CHUNK // vocabulary)
    best = torch.cat(
        [head(states[start : start + step]).topk(top, dim=-1).indices for start in range(0, len(states), step)]
    )
    return torch.stack([torch.isin(best, one).sum(dim=1) for one in best]).float() / top
