"""Estimated causal inference: what the earlier text explains is taken out of a token's map (steps 3 to 6)."""

import torch
from torch import Tensor


def interference(raw: Tensor, estimate: Tensor, unseen: Tensor | None = None) -> Tensor:
    """Return the part ``s E`` of each raw map that the context explains.

    s is the scale that brings E nearest to the map in the sense of least squares (step 4; the released code finds it by
    iteration).

    Parameters
    ----------
    raw
        (Q, N), raw activations A of the queries, in logits.
    estimate
        (Q, N), their E up to a factor, which cancels: the context's raw activations, summed by weight (step 3).
    unseen
        (Q, N) bool, cells that take no part.

    Returns
    -------
    Tensor
        (Q, N) in logits, ≥ 0; 0 for a query without context, or whose context shows nowhere in the picture.
    """
    if unseen is not None:
        estimate = estimate.masked_fill(unseen, 0)
    square = estimate.square().sum(dim=1, keepdim=True)
    scale = (raw * estimate).sum(dim=1, keepdim=True) / torch.where(square > 0, square, 1)
    return estimate * scale


def joint_scale(
    image: Tensor, relevance: Tensor, earlier: Tensor, unseen: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Bring each map and the relevances of its earlier text to [0, 1] by one common minimum and maximum (step 6).

    Parameters
    ----------
    image
        (Q, N), maps after causal inference, in logits.
    relevance
        (Q, n), relevances of the text tokens, in logits.
    earlier
        (Q, n) bool, which text tokens come before the query's token: these take part, those with an identical key
        included.
    unseen
        (Q, N) bool, cells that take no part.

    Returns
    -------
    image, text
        (Q, N) and (Q, n), in [0, 1].  0 for later text, and 0 everywhere where the joint scores are all equal.
    """
    # Later text and pictures must not take part: +inf is never the minimum, -inf never the maximum.  One without any
    # score (the first token, no picture) is left with the span -inf, which counts as flat.
    lowest = image if unseen is None else image.masked_fill(unseen, torch.inf)
    highest = image if unseen is None else image.masked_fill(unseen, -torch.inf)
    low = torch.cat([lowest, relevance.masked_fill(~earlier, torch.inf)], dim=1).amin(dim=1, keepdim=True)
    high = torch.cat([highest, relevance.masked_fill(~earlier, -torch.inf)], dim=1).amax(dim=1, keepdim=True)
    flat = high <= low
    low = torch.where(flat, 0, low)
    span = torch.where(flat, 1, high - low)
    return (
        ((image - low) / span).masked_fill_(flat, 0),
        ((relevance - low) / span).masked_fill_(flat | ~earlier, 0),
    )
