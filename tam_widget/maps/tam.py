"""Token Activation Maps of all tokens at once, and of any class read in any token's place."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

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
from tam_widget.maps.scores import Scores

# Scores that one block of queries may have: few enough for its temporaries to stay in the cache, and for torch to do
# without a second thread, whose start would cost more than it saves.  An accelerator wants its kernels worth a start.
_BLOCK = 2**15
_DEVICE_BLOCK = 2**22
# The same for the queries whose estimates are made by one matrix product: many where the context's scores have to be
# calculated for it, else enough for the product to be quick.
_GROUP = 2**20
_GROUP_WITHOUT_SCORES = 2**24


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


class TextActivations:
    """A text beside pictures: what its maps are made of, and what was computed for earlier ones.

    Any thread may ask for maps.

    Parameters
    ----------
    hidden, weight, class_ids, positions, keys, image_positions
        As for `token_activation_maps`.

    Raises
    ------
    TypeError, ValueError, IndexError
        As for `token_activation_maps`.
    """

    def __init__(  # noqa: PLR0917 - the same six
        self,
        hidden: Tensor,
        weight: Tensor,
        class_ids: Indices,
        positions: Indices,
        keys: Keys,
        image_positions: Indices,
    ) -> None:
        check_states(hidden, weight)
        self._class_ids = index_tensor(class_ids, "class_ids", len(weight), "rows of weight")
        positions = index_tensor(positions, "positions", len(hidden), "positions of hidden")
        self._cells = index_tensor(image_positions, "image_positions", len(hidden), "positions of hidden")
        self._keys = key_list(keys, "keys")
        check_length(positions, "positions", len(self._class_ids), "class_ids")
        check_length(self._keys, "keys", len(self._class_ids), "class_ids")
        self._device, self._vocabulary = hidden.device, len(weight)
        # In the order of the text, so that the context of a token is the first classes.
        numbers: dict[int, int] = {}
        self._class_of = torch.tensor([numbers.setdefault(c, len(numbers)) for c in self._class_ids.tolist()]).long()
        classes = torch.tensor(list(numbers)).long()
        # The scores of a class at the pictures, and at the text: its raw activation and the text's relevance to it.
        self._at_image = Scores(hidden, weight, classes, self._cells)
        self._at_text = Scores(hidden, weight, classes, positions)

    @property
    def step(self) -> int:
        """How many queries are best computed together."""
        on_cpu_with_scores = self._device.type == "cpu" and self._at_image.are_kept
        return max(1, (_GROUP if on_cpu_with_scores else _GROUP_WITHOUT_SCORES) // max(1, len(self._cells)))

    @torch.no_grad()
    def maps(
        self,
        *,
        tokens: Indices | None = None,
        query_class_ids: Indices | None = None,
        query_keys: Keys | None = None,
        causal_inference: bool = True,
        unseen: npt.NDArray[np.bool_] | Tensor | None = None,
        context_weights: Tensor | None = None,
    ) -> TokenMaps:
        """Return maps and text relevances of queries; see `activation_maps`."""
        tokens, query_class_ids, query_keys = _queries(
            self._class_ids, self._keys, self._vocabulary, tokens, query_class_ids, query_keys
        )
        if context_weights is not None and tuple(context_weights.shape) != (len(tokens), len(self._class_ids)):
            raise ValueError(
                f"context_weights must have the shape {(len(tokens), len(self._class_ids))}, "
                f"not {tuple(context_weights.shape)}"
            )
        later = None if unseen is None else mask_tensor(unseen, "unseen", (len(tokens), len(self._cells)))

        def made(*shape: int) -> Tensor:
            return torch.zeros(shape, dtype=torch.float32, device=self._device)

        cells = (len(tokens), len(self._cells))
        result = TokenMaps(made(*cells), made(len(tokens), len(self._class_ids)), made(*cells), made(*cells))
        for start in range(0, len(tokens), self.step):
            group = slice(start, start + self.step)
            self._make(
                TokenMaps(*(found[group] for found in (result.image, result.text, result.raw, result.interference))),
                tokens[group],
                query_class_ids[group],
                query_keys[group],
                causal_inference=causal_inference,
                later=None if later is None else later[group].to(self._device),
                context_weights=None if context_weights is None else context_weights[group],
            )
        return result

    def _make(
        self,
        result: TokenMaps,
        tokens: Tensor,
        class_ids: Tensor,
        keys: list[str] | list[int],
        *,
        causal_inference: bool,
        later: Tensor | None,
        context_weights: Tensor | None,
    ) -> None:
        """Write the maps of a group of queries into `result`."""
        seen = int(tokens.max()) + 1  # later text plays no part
        earlier = (torch.arange(seen) < tokens[:, None]).to(self._device)
        raw = self._at_image.of(class_ids)
        if later is not None:
            raw.masked_fill_(later, 0)
        relevance = self._at_text.of(class_ids)[:, :seen]
        estimate = None
        if causal_inference:
            context = earlier & ~equal_keys(keys, self._keys[:seen]).to(self._device)
            share = relevance if context_weights is None else context_weights[:, :seen].to(relevance)
            estimate = self._at_image.weighted(self._by_class(share.masked_fill(~context, 0)))
        block = _BLOCK if self._device.type == "cpu" else _DEVICE_BLOCK
        step = max(1, block // max(1, len(self._cells) + seen))
        for start in range(0, len(tokens), step):
            here = slice(start, start + step)
            hidden_from = None if later is None else later[here]
            image = raw[here]
            if estimate is not None:
                explained = interference(raw[here], estimate[here], hidden_from)
                result.interference[here] = explained
                image = (raw[here] - explained).clamp_(min=0)
            result.image[here], result.text[here, :seen] = joint_scale(
                image, relevance[here], earlier[here], hidden_from
            )
        result.raw[:] = raw
        if later is not None:
            for found in (result.image, result.raw, result.interference):
                found.masked_fill_(later, torch.nan)

    def _by_class(self, weights: Tensor) -> Tensor:
        """Sum weights of the first text tokens, (Q, n), over those of one class, and make each query's sum 1.

        The released code divides by ``Σ r + 1e-8``.  A factor on E cancels in ``s E``, so the sum alone is used here,
        and relevances of any size count.
        """
        class_of = self._class_of[: weights.shape[1]]
        count = int(class_of.max()) + 1
        total = weights.sum(dim=1, keepdim=True)
        summed = weights.new_zeros(len(weights), count).index_add_(1, class_of.to(weights.device), weights)
        return summed.div_(torch.where(total > 0, total, 1))


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
    text = TextActivations(hidden, weight, class_ids, positions, keys, image_positions)
    return text.maps(
        tokens=tokens,
        query_class_ids=query_class_ids,
        query_keys=query_keys,
        causal_inference=causal_inference,
        unseen=unseen,
        context_weights=context_weights,
    )


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
