"""Token Activation Maps of all tokens at once, and of any class read in any token's place."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tam_widget.maps.activation import activation, head_rows
from tam_widget.maps.checks import (
    Indices,
    Keys,
    check_length,
    check_states,
    equal_keys,
    index_tensor,
    key_list,
    mask_tensor,
)
from tam_widget.maps.interference import interference, joint_scale

# Scores that one block of queries may have: few enough for its temporaries to stay in the cache, and for torch to do
# without a second thread, whose start would cost more than it saves.
_BLOCK = 2**15


@dataclass(frozen=True, slots=True, eq=False)
class TokenMaps:
    """Maps of Q queries over N vision tokens, and the relevance of T text tokens to them.

    All are float32, on the device of the hidden states.

    Attributes
    ----------
    image
        (Q, N) in [0, 1]: the map on the joint scale, before the rank Gaussian filter.
    text
        (Q, T) in [0, 1]: the relevance of each earlier text token on the same scale, identical ones included; 0 for
        the query's own token and for all later ones.
    raw
        (Q, N) in logits, ≥ 0: the raw activation A.
    interference
        (Q, N) in logits, ≥ 0: what causal inference subtracts from `raw`; 0 where it is switched off.
    """

    image: Tensor
    text: Tensor
    raw: Tensor
    interference: Tensor


def token_activation_maps(  # noqa: PLR0917 - the six things that describe a text, in their order
    hidden: Tensor, weight: Tensor, class_ids: Indices, positions: Indices, keys: Keys, image_positions: Indices
) -> Tensor:
    """Return the Token Activation Map of every text token, on the joint scale, before the rank Gaussian filter.

    Steps 1 to 6 (see `tam_widget.maps`) of Li et al., "Token Activation Map to Visually Explain Multimodal LLMs", ICCV
    2025 (arXiv 2506.23270).  `rank_gaussian_filter` follows, once the maps are laid out on their pictures' grids.

    Parameters
    ----------
    hidden
        (P, d), last hidden state of every position (the input of the output head); any floating-point type, any device.
    weight
        (V, d), the output head; any floating-point type, any device.  The rows of the classes alone do as well, with
        `class_ids` numbered accordingly.
    class_ids
        (T,) int, class that explains each text token, in the order of the text.
    positions
        (T,) int, position where each text token's own scores are read.
    keys
        (T,) str or int, identity of each text token's text: tokens with equal keys are never context of each other.
    image_positions
        (N,) int, positions of the vision tokens.

    Returns
    -------
    Tensor
        (T, N) float32 in [0, 1], on the device of `hidden`.  Calculated in float64 where the device has it.

    Raises
    ------
    TypeError
        If `hidden` or `weight` is no floating-point tensor, an index no integer, or the keys are neither all str nor
        all int.
    ValueError
        If shapes or lengths do not fit together, or a score is not finite.
    IndexError
        If a class or a position is out of range; negative ones are.

    Examples
    --------
    >>> maps = token_activation_maps(hidden, weight, class_ids, positions, keys, image_positions)
    >>> heatmaps = rank_gaussian_filter(maps.view(-1, h, w))
    """
    return activation_maps(hidden, weight, class_ids, positions, keys, image_positions).image


@torch.no_grad()
def activation_maps(  # noqa: PLR0917 - the same six
    hidden: Tensor,
    weight: Tensor,
    class_ids: Indices,
    positions: Indices,
    keys: Keys,
    image_positions: Indices,
    *,
    tokens: Indices | None = None,
    query_class_ids: Indices | None = None,
    query_keys: Keys | None = None,
    causal_inference: bool = True,
    unseen: npt.NDArray[np.bool_] | Tensor | None = None,
    context_weights: Tensor | None = None,
) -> TokenMaps:
    """Return maps and text relevances of queries: a token's own class, or another (a word it nearly said) in its place.

    A query is a token's place in the text, a class and a key.  Its context are the text tokens before that place whose
    keys differ from the query's; every text token before that place takes part in the joint scale.

    Parameters
    ----------
    hidden, weight, class_ids, positions, keys, image_positions
        As for `token_activation_maps`; they describe the text, in order.
    tokens
        (Q,) int, the place of each query: an index into the text tokens.  All of them, once each, by default.
    query_class_ids
        (Q,) int, the class of each query; the token's own by default.
    query_keys
        (Q,) str or int like `keys`, the key of each query.  Given exactly when `query_class_ids` is.
    causal_inference
        False leaves steps 3 to 5 out: the map is the raw activation on the joint scale.
    unseen
        (Q, N) bool, vision tokens that a query could not see, because their picture comes after it.  They take no part
        in the subtraction and the joint scale, and are NaN in the result.  None by default.
    context_weights
        (Q, T) float, ≥ 0: how much each text token counts as context of each query (step 3).  By default its relevance
        to the query (step 2).  Tokens that are no context of a query do not count, whatever stands here.

    Returns
    -------
    TokenMaps
        With Q maps, in the order of the queries.

    Raises
    ------
    TypeError, ValueError, IndexError
        As for `token_activation_maps`; ValueError also if only one of `query_class_ids` and `query_keys` is given.

    Examples
    --------
    Three candidates for the word at index 7:

    >>> activation_maps(
    ...     *text, tokens=[7, 7, 7], query_class_ids=[50, 81, 12], query_keys=[" cat", " dog", " fox"]
    ... )
    """
    check_states(hidden, weight)
    class_ids = index_tensor(class_ids, "class_ids", len(weight), "rows of weight")
    positions = index_tensor(positions, "positions", len(hidden), "positions of hidden")
    image_positions = index_tensor(image_positions, "image_positions", len(hidden), "positions of hidden")
    keys = key_list(keys, "keys")
    check_length(positions, "positions", len(class_ids), "class_ids")
    check_length(keys, "keys", len(class_ids), "class_ids")

    tokens, query_class_ids, query_keys = _queries(class_ids, keys, len(weight), tokens, query_class_ids, query_keys)
    differs = ~equal_keys(query_keys, keys)
    if context_weights is not None and tuple(context_weights.shape) != (len(tokens), len(class_ids)):
        raise ValueError(
            f"context_weights must have the shape {(len(tokens), len(class_ids))}, not {tuple(context_weights.shape)}"
        )
    hidden_from = None if unseen is None else mask_tensor(unseen, "unseen", (len(tokens), len(image_positions)))

    # Later text plays no part.  Tokens of one class share a row of scores, whether they are queries or context.
    seen = int(tokens.max()) + 1 if len(tokens) else 0
    context_ids = class_ids[:seen] if causal_inference else class_ids[:0]
    classes, row = torch.unique(torch.cat([query_class_ids, context_ids]), return_inverse=True)
    query_row, context_row = row.to(hidden.device).split([len(tokens), len(context_ids)])
    rows = head_rows(weight, classes, hidden.device)
    scores = activation(hidden, rows, torch.cat([image_positions, positions[:seen]]))
    at_image, at_text = scores[:, : len(image_positions)], scores[:, len(image_positions) :]

    result = TokenMaps(
        image=hidden.new_empty(len(tokens), len(image_positions), dtype=torch.float32),
        text=hidden.new_zeros(len(tokens), len(class_ids), dtype=torch.float32),
        raw=hidden.new_empty(len(tokens), len(image_positions), dtype=torch.float32),
        interference=hidden.new_zeros(len(tokens), len(image_positions), dtype=torch.float32),
    )
    step = max(1, _BLOCK // max(1, len(image_positions) + seen))
    for start in range(0, len(tokens), step):
        block = slice(start, start + step)
        earlier = torch.arange(seen) < tokens[block, None]
        context = (earlier & differs[block, :seen]).to(hidden.device)
        raw = at_image.index_select(0, query_row[block])
        later = None if hidden_from is None else hidden_from[block].to(hidden.device)
        if later is not None:
            raw = raw.masked_fill(later, 0)
        relevance = at_text.index_select(0, query_row[block])
        image = raw
        if causal_inference:
            share = relevance if context_weights is None else context_weights[block, :seen].to(relevance)
            weights = relevance.new_zeros(len(raw), len(rows)).index_add_(
                1, context_row, share.masked_fill(~context, 0)
            )
            explained = interference(raw, at_image, weights, later)
            result.interference[block] = explained
            image = (raw - explained).clamp_(min=0)
        result.image[block], result.text[block, :seen] = joint_scale(image, relevance, earlier.to(hidden.device), later)
        result.raw[block] = raw
    if hidden_from is not None:
        for found in (result.image, result.raw, result.interference):
            found.masked_fill_(hidden_from.to(hidden.device), torch.nan)
    return result


def _queries(  # noqa: PLR0917 - called once, above
    class_ids: Tensor,
    keys: list[str] | list[int],
    vocabulary: int,
    tokens: Indices | None,
    query_class_ids: Indices | None,
    query_keys: Keys | None,
) -> tuple[Tensor, Tensor, list[str] | list[int]]:
    """Return the queries' places, classes and keys, checked, with what was left out filled in from the text."""
    if tokens is None:
        tokens = torch.arange(len(class_ids))
    else:
        tokens = index_tensor(tokens, "tokens", len(class_ids), "text tokens")
    if query_class_ids is None and query_keys is None:
        return tokens, class_ids[tokens], key_list([keys[i] for i in tokens.tolist()], "keys")
    if query_class_ids is None or query_keys is None:
        raise ValueError("query_class_ids and query_keys go together: another class is another word, with its own key")
    query_class_ids = index_tensor(query_class_ids, "query_class_ids", vocabulary, "rows of weight")
    query_keys = key_list(query_keys, "query_keys")
    check_length(query_class_ids, "query_class_ids", len(tokens), "tokens")
    check_length(query_keys, "query_keys", len(tokens), "tokens")
    return tokens, query_class_ids, query_keys
