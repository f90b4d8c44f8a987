"""What counts as a token's context, how much, and what is taken out of its map for it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from made_texts import make_text, texts

from tam_widget.maps import activation_maps
from tam_widget.maps.interference import interference


@given(texts, st.integers(0, 2**32 - 1))
def test_later_text_plays_no_part(text, seed):
    token = len(text.keys) // 2
    rng = np.random.default_rng(seed)
    tail = len(text.keys) - token - 1
    class_ids, positions = text.class_ids.copy(), text.positions.copy()
    class_ids[token + 1 :] = rng.integers(0, 9, tail)
    positions[token + 1 :] = rng.integers(0, len(text.hidden), tail)
    keys = text.keys[: token + 1] + ["later"] * tail
    changed = replace(text, class_ids=class_ids, positions=positions, keys=keys)
    one, other = (activation_maps(*each.arguments) for each in (text, changed))
    torch.testing.assert_close(one.image[: token + 1], other.image[: token + 1], rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(one.text[: token + 1], other.text[: token + 1], rtol=1e-6, atol=1e-7)
    assert (one.text.triu() == 0).all()


@given(texts, st.sampled_from([2.0**-60, 2.0**-7, 3.0, 2.0**60]))
def test_causal_inference_commutes_with_a_positive_scale(text, factor):
    text = text.cast(np.float64)
    maps = activation_maps(*text.arguments)
    scaled = activation_maps(*replace(text, hidden=text.hidden * factor).arguments)
    torch.testing.assert_close(scaled.image, maps.image, rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(scaled.text, maps.text, rtol=1e-6, atol=1e-7)
    lengths = np.linalg.norm(text.hidden, axis=1).max() * np.linalg.norm(text.weight, axis=1).max() * factor
    for name in ("raw", "interference"):
        one, other = getattr(scaled, name), getattr(maps, name) * factor
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-9 * lengths)


@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-9, 0.5, 7.0, 1e9]), st.sampled_from([1e-9, 0.5, 7.0, 1e9]))
def test_interference_knows_no_scale_of_context_or_relevance(seed, context_factor, relevance_factor):
    rng = np.random.default_rng(seed)
    raw, context, weights = (torch.from_numpy(rng.random(shape)) for shape in ((3, 8), (5, 8), (3, 5)))
    weights[1] = 0
    plain = interference(raw, weights @ context)
    torch.testing.assert_close(interference(raw, (weights * relevance_factor) @ (context * context_factor)), plain)
    torch.testing.assert_close(interference(raw * 7, weights @ context), plain * 7)
    assert (plain[1] == 0).all()
    # The scale is the best one: what is left has nothing of E in it.
    torch.testing.assert_close(((raw - plain) * plain).sum(1), torch.zeros(3, dtype=torch.float64))


@given(texts, st.data())
def test_an_equal_key_never_counts_as_context(text, data):
    token = len(text.keys) - 1
    equal = [k for k in range(token) if text.keys[k] == text.keys[token]]
    assume(equal)
    changed_ids = text.class_ids.copy()
    changed_ids[equal] = data.draw(st.lists(st.integers(0, 8), min_size=len(equal), max_size=len(equal)))
    maps = activation_maps(*text.arguments, tokens=[token])
    changed = activation_maps(*replace(text, class_ids=changed_ids).arguments, tokens=[token])
    torch.testing.assert_close(changed.interference, maps.interference, rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(changed.image, maps.image, rtol=1e-6, atol=1e-7)

    everywhere = replace(text, keys=[text.keys[token]] * len(text.keys))
    alone = activation_maps(*everywhere.arguments, tokens=[token])
    assert (alone.interference == 0).all()


def test_a_different_key_counts_as_context_and_an_equal_one_still_sets_the_scale():
    # One direction a class: the picture shows both classes, the earlier token is read where class 0 is strong.
    hidden = torch.tensor([[1.0, 3.0], [2.0, 1.0], [4.0, 0.0]])
    text = (hidden, torch.eye(2), [1, 0], [2, 2], ["a", "b"], [0, 1])
    different = activation_maps(*text, tokens=[1])
    raw, context = hidden[:2, 0], hidden[:2, 1]
    explained = (raw @ context) / (context @ context) * context
    torch.testing.assert_close(different.interference[0], explained)
    torch.testing.assert_close(different.image[0], (raw - explained).clamp(min=0) / 4)

    equal = activation_maps(*text[:4], ["a", "a"], text[5], tokens=[1])
    assert equal.interference.tolist() == [[0, 0]]
    # Joint scores 1, 2 of the picture and 4 of the earlier text: 1 becomes 0, 4 becomes 1.
    torch.testing.assert_close(equal.image, torch.tensor([[0.0, 1 / 3]]))
    assert equal.text.tolist() == [[1, 0]]


def test_space_and_case_make_a_key():
    def maps(keys):
        return activation_maps(
            torch.eye(3).add(0.5), torch.eye(3), [0, 1], [1, 2], keys, [0, 1], tokens=[1]
        ).interference

    assert not maps(["a", "a"]).any()
    assert maps(["a", " a"]).any()
    assert maps(["a", "A"]).any()


def test_the_contexts_weights_can_be_given():
    text = make_text(3)
    own = activation_maps(*text.arguments)
    hidden, weight = text.hidden.astype(np.float64), text.weight.astype(np.float64)
    relevance = torch.from_numpy((weight[text.class_ids] @ hidden[text.positions].T).clip(0))
    # Later text, and text of the same key, is no context whatever its weight is.
    for weights in (relevance, relevance + 9 * torch.triu(torch.ones_like(relevance))):
        torch.testing.assert_close(activation_maps(*text.arguments, context_weights=weights).image, own.image)
    assert not torch.equal(activation_maps(*text.arguments, context_weights=torch.ones(7, 7)).image, own.image)
    with pytest.raises(ValueError, match=r"context_weights must have the shape \(7, 7\), not \(6, 7\)"):
        activation_maps(*text.arguments, context_weights=relevance[:-1])
