"""Raw activation, causal inference and joint scale against the equations, token by token."""

from dataclasses import replace

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from made_texts import make_text, texts
from slow_maps import assert_close, slow_map

from tam_widget.maps import activation_maps, token_activation_maps


@given(texts, st.booleans())
def test_equals_the_equations(text, causal_inference):
    maps = activation_maps(*text.arguments, causal_inference=causal_inference)
    for token in range(len(text.keys)):
        assert_close(maps, slow_map(text, token, causal_inference=causal_inference), token)
    if causal_inference:
        assert torch.equal(token_activation_maps(*text.arguments), maps.image)


@given(texts)
def test_a_batch_equals_one_by_one(text):
    batch = activation_maps(*text.arguments)
    for token in range(len(text.keys)):
        one = activation_maps(*text.arguments, tokens=[token])
        for name in ("image", "text", "raw", "interference"):
            torch.testing.assert_close(getattr(one, name)[0], getattr(batch, name)[token], rtol=1e-6, atol=1e-7)


@given(texts, st.data())
def test_a_candidate_is_explained_as_if_it_had_been_said(text, data):
    token = data.draw(st.integers(0, len(text.keys) - 1))
    class_id = data.draw(st.integers(0, 8))
    key = data.draw(st.sampled_from([*text.keys, "new"]))
    candidate = activation_maps(*text.arguments, tokens=[token], query_class_ids=[class_id], query_keys=[key])
    class_ids, keys = text.class_ids.copy(), list(text.keys)
    class_ids[token], keys[token] = class_id, key
    assert_close(candidate, slow_map(replace(text, class_ids=class_ids, keys=keys), token))


def test_queries_come_back_in_their_order():
    text = make_text(1)
    batch = activation_maps(*text.arguments)
    some = activation_maps(*text.arguments, tokens=torch.tensor([4, 0, 4]))
    torch.testing.assert_close(some.image, batch.image[[4, 0, 4]], rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(some.text, batch.text[[4, 0, 4]], rtol=1e-6, atol=1e-7)
    own = activation_maps(
        *text.arguments, tokens=[4, 0], query_class_ids=text.class_ids[[4, 0]], query_keys=[text.keys[4], text.keys[0]]
    )
    torch.testing.assert_close(own.image, some.image[:2], rtol=1e-6, atol=1e-7)


def test_all_equal_joint_scores_give_zero():
    # Every vision token and every earlier text token scores 2, and equal keys leave no context to take anything out.
    hidden, weight = torch.full((6, 2), 1.0), torch.ones(1, 2)
    maps = activation_maps(hidden, weight, [0, 0], [4, 5], ["a", "a"], [0, 1, 2, 3])
    assert maps.raw.unique().tolist() == [2]
    assert not maps.image.any()
    assert not maps.text.any()
    # One that differs brings the scale back.
    hidden[4] = 0
    maps = activation_maps(hidden, weight, [0, 0], [4, 5], ["a", "a"], [0, 1, 2, 3])
    assert maps.image[1].tolist() == [1, 1, 1, 1]


def test_no_activation_at_all_gives_zero():
    maps = activation_maps(-torch.ones(6, 2), torch.ones(1, 2), [0, 0], [4, 5], ["a", "b"], [0, 1, 2, 3])
    for name in ("image", "text", "raw", "interference"):
        assert not getattr(maps, name).any()


def test_a_token_before_any_picture_has_relevances_on_their_own_scale():
    text = make_text(3, tokens=4, cells=5)
    maps = activation_maps(*text.arguments[:5], [])
    assert maps.image.shape == (4, 0)
    assert maps.text[0].tolist() == [0, 0, 0, 0]
    assert maps.text[3].max() == 1


def test_no_text_and_no_queries():
    text = make_text(4)
    hidden, weight, *_, image_positions = text.arguments
    assert token_activation_maps(hidden, weight, [], [], [], image_positions).shape == (0, 12)
    nothing = activation_maps(*text.arguments, tokens=[])
    assert (nothing.image.shape, nothing.text.shape) == ((0, 12), (0, 7))


@given(texts, st.integers(0, 12))
def test_unseen_cells_count_as_if_they_were_not_there(text, hidden):
    hidden = min(hidden, len(text.image_positions))
    seen = len(text.image_positions) - hidden
    unseen = np.zeros((len(text.keys), len(text.image_positions)), bool)
    unseen[:, seen:] = True
    found = activation_maps(*text.arguments, unseen=unseen)
    without = activation_maps(*replace(text, image_positions=text.image_positions[:seen]).arguments)
    for name in ("image", "raw", "interference"):
        torch.testing.assert_close(getattr(found, name)[:, :seen], getattr(without, name))
        assert getattr(found, name)[:, seen:].isnan().all()
    torch.testing.assert_close(found.text, without.text)
