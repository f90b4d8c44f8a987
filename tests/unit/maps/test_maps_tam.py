"""Raw activation, causal inference and joint scale against the equations, token by token."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tam_widget.maps import TokenMaps, activation_maps, token_activation_maps
from tam_widget.maps import tam as tam_module
from tam_widget.maps.interference import interference

fixed = settings(derandomize=True, deadline=None, max_examples=100, database=None)


@dataclass(frozen=True)
class Text:
    """The six arguments that describe a text, as numpy arrays and lists."""

    hidden: np.ndarray
    weight: np.ndarray
    class_ids: np.ndarray
    positions: np.ndarray
    keys: list
    image_positions: np.ndarray

    @property
    def arguments(self):
        return (
            torch.from_numpy(self.hidden),
            torch.from_numpy(self.weight),
            self.class_ids,
            self.positions,
            self.keys,
            self.image_positions,
        )

    def cast(self, dtype):
        return replace(self, hidden=self.hidden.astype(dtype), weight=self.weight.astype(dtype))


def make_text(seed, tokens=7, cells=12, width=6, *, coarse=False, spellings=4):
    rng = np.random.default_rng(seed)
    count = 2 + cells + tokens
    # Small integers make ties, zeros and equal scores, without any rounding; normal numbers make none.

    def draw(*shape):
        return rng.integers(-1, 2, shape).astype(np.float32) if coarse else rng.standard_normal(shape, np.float32)

    classes = rng.integers(0, 9, tokens)
    order = rng.permutation(count)
    return Text(
        hidden=draw(count, width),
        weight=draw(9, width),
        class_ids=classes,
        positions=order[cells : cells + tokens],
        keys=[f" {rng.integers(spellings)}" for _ in range(tokens)],
        image_positions=order[:cells],
    )


texts = st.builds(
    make_text,
    seed=st.integers(0, 2**32 - 1),
    tokens=st.integers(1, 9),
    cells=st.integers(0, 12),
    width=st.integers(1, 8),
    coarse=st.booleans(),
    spellings=st.sampled_from([1, 3, 1000]),
)


@dataclass(frozen=True)
class Slow:
    """What the equations give for one token, in float64, and how well conditioned it is."""

    image: np.ndarray
    text: np.ndarray
    raw: np.ndarray
    interference: np.ndarray
    condition: float


def slow_map(text, token, *, causal_inference=True):
    hidden, weight = text.hidden.astype(np.float64), text.weight.astype(np.float64)

    def scores(position, class_id):
        return max(float(hidden[position] @ weight[class_id]), 0.0)

    def raw_map(class_id):
        return np.array([scores(position, class_id) for position in text.image_positions])

    raw = raw_map(text.class_ids[token])
    relevance = np.array([scores(text.positions[k], text.class_ids[token]) for k in range(token)])
    estimate = np.zeros_like(raw)
    for k in range(token):
        if text.keys[k] != text.keys[token]:
            estimate += relevance[k] * raw_map(text.class_ids[k])
    context = sum(relevance[k] for k in range(token) if text.keys[k] != text.keys[token])
    estimate /= context + 1e-8
    scale = raw @ estimate / (estimate @ estimate) if estimate.any() and causal_inference else 0
    image = np.maximum(raw - scale * estimate, 0)

    joint = np.concatenate([image, relevance])
    low, high = (joint.min(), joint.max()) if joint.size else (0, 0)
    flat = high <= low
    later = np.zeros(len(text.keys) - token)
    longest = np.linalg.norm(hidden, axis=1).max() * np.linalg.norm(weight, axis=1).max()
    smallest = min([high - low, *(norm for norm in [np.linalg.norm(estimate)] if norm > 0)])
    return Slow(
        image=np.zeros_like(image) if flat else (image - low) / (high - low),
        text=np.concatenate([np.zeros_like(relevance) if flat else (relevance - low) / (high - low), later]),
        raw=raw,
        interference=scale * estimate,
        condition=np.inf if smallest == 0 else longest / smallest,
    )


def assert_close(maps, slow, row=0, *, rtol=1e-6, atol=1e-6):
    for name in ("image", "text", "raw", "interference"):
        np.testing.assert_allclose(getattr(maps, name)[row], getattr(slow, name), rtol=rtol, atol=atol, err_msg=name)


@fixed
@given(texts, st.booleans())
def test_equals_the_equations(text, causal_inference):
    maps = activation_maps(*text.arguments, causal_inference=causal_inference)
    for token in range(len(text.keys)):
        assert_close(maps, slow_map(text, token, causal_inference=causal_inference), token)
    if causal_inference:
        assert torch.equal(token_activation_maps(*text.arguments), maps.image)


@fixed
@given(texts)
def test_float32_equals_float64(text):
    """To 1e-5, where the question is well conditioned.

    A score is wrong by up to about 1e-7 of the lengths of state and row, however small it is itself, and ``A − s E``
    keeps that error when nearly everything cancels.  Two divisions then magnify it: by the size of E, which turns the
    direction that is taken out, and by the span of the joint scores.  Lengths over the smaller of the two is the
    condition number; this is why the method calculates in float64 wherever there is one.
    """
    slow = [slow_map(text, token) for token in range(len(text.keys))]
    well = [token for token, one in enumerate(slow) if one.condition < 50]
    assume(well)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tam_widget.maps.precision._FLOAT64_DEVICES", frozenset())
        narrow = activation_maps(*text.arguments)
    wide = activation_maps(*text.cast(np.float64).arguments)
    for token in well:
        for name in ("image", "text"):
            one, other = getattr(narrow, name)[token], getattr(wide, name)[token]
            torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


@fixed
@given(texts)
def test_a_batch_equals_one_by_one(text):
    batch = activation_maps(*text.arguments)
    for token in range(len(text.keys)):
        one = activation_maps(*text.arguments, tokens=[token])
        for name in ("image", "text", "raw", "interference"):
            torch.testing.assert_close(getattr(one, name)[0], getattr(batch, name)[token], rtol=1e-6, atol=1e-7)


@fixed
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


@fixed
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


@fixed
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


@fixed
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


@fixed
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


def test_blocks_do_not_show(monkeypatch):
    text = make_text(2, tokens=9, cells=20)
    whole = activation_maps(*text.arguments)
    monkeypatch.setattr(tam_module, "_BLOCK", 1)
    monkeypatch.setattr("tam_widget.maps.activation._BLOCK", 1)
    blocks = activation_maps(*text.arguments)
    for name in ("image", "text", "raw", "interference"):
        torch.testing.assert_close(getattr(blocks, name), getattr(whole, name), rtol=1e-6, atol=1e-7)


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


@pytest.mark.parametrize(
    "spelling", [list, tuple, np.asarray, torch.tensor, lambda values: torch.tensor(values, dtype=torch.int32)]
)
def test_indices_and_keys_in_any_spelling(spelling):
    text = make_text(5)
    hidden, weight, class_ids, positions, keys, image_positions = text.arguments
    numbers = [int(key) for key in keys]
    spelled = [spelling(list(map(int, values))) for values in (class_ids, positions, numbers, image_positions)]
    assert torch.equal(token_activation_maps(hidden, weight, *spelled), token_activation_maps(*text.arguments))


@pytest.mark.parametrize("keys", [np.asarray, tuple])
def test_keys_of_text_in_any_spelling(keys):
    text = make_text(6)
    spelled = (*text.arguments[:4], keys(text.keys), text.image_positions)
    assert torch.equal(token_activation_maps(*spelled), token_activation_maps(*text.arguments))


def test_space_and_case_make_a_key():
    def maps(keys):
        return activation_maps(
            torch.eye(3).add(0.5), torch.eye(3), [0, 1], [1, 2], keys, [0, 1], tokens=[1]
        ).interference

    assert not maps(["a", "a"]).any()
    assert maps(["a", " a"]).any()
    assert maps(["a", "A"]).any()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_scores_of_half_precision_states_are_not_half_precision(dtype):
    hidden, weight, *rest = make_text(7, width=64).arguments
    hidden, weight = hidden.to(dtype), weight.to(dtype)
    maps = activation_maps(hidden, weight, *rest)
    exact = activation_maps(hidden.double(), weight.double(), *rest)
    for name in ("image", "text", "raw", "interference"):
        value = getattr(maps, name)
        assert value.dtype == torch.float32
        assert torch.equal(value, getattr(exact, name))
    mixed = activation_maps(hidden.float(), weight, *rest)
    assert torch.equal(mixed.image, maps.image)


def test_autocast_and_gradients_are_kept_out():
    hidden, weight, *rest = make_text(8, width=64).arguments
    plain = token_activation_maps(hidden, weight, *rest)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(token_activation_maps(hidden, weight, *rest), plain)
    with torch.inference_mode():
        states = hidden.clone()
    maps = token_activation_maps(states, torch.nn.Parameter(weight), *rest)
    assert not maps.requires_grad
    assert torch.equal(maps, plain)


class Largest(TorchDispatchMode):
    """Notes the size of the largest tensor that any operation makes."""

    numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        sizes = [leaf.numel() for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor)]
        self.numbers = max(self.numbers, *sizes, 0) if sizes else self.numbers
        return result


def test_nothing_of_the_size_positions_times_vocabulary_is_made():
    positions, vocabulary, width, tokens = 400, 20_000, 4, 30
    rng = np.random.default_rng(9)
    hidden = torch.from_numpy(rng.standard_normal((positions, width)))
    weight = torch.from_numpy(rng.standard_normal((vocabulary, width)))
    class_ids = rng.integers(0, vocabulary, tokens)
    with Largest() as largest:
        token_activation_maps(hidden, weight, class_ids, range(370, 400), class_ids, range(370))
    assert 0 < largest.numbers <= tokens * positions


def test_the_result_is_frozen():
    maps = activation_maps(*make_text(10).arguments)
    assert isinstance(maps, TokenMaps)
    with pytest.raises(AttributeError):
        maps.image = maps.raw


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_the_maps_are_the_same_and_stay_there():
    hidden, weight, *rest = make_text(11, tokens=40, cells=200, width=64).arguments
    here = activation_maps(hidden, weight, *rest)
    for head in (weight, weight.cuda()):
        there = activation_maps(hidden.cuda(), head, *rest)
        for name in ("image", "text", "raw", "interference"):
            assert getattr(there, name).is_cuda
            torch.testing.assert_close(getattr(there, name).cpu(), getattr(here, name), rtol=1e-6, atol=1e-7)


HIDDEN, WEIGHT = torch.ones(6, 4), torch.ones(5, 4)
GOOD = {
    "hidden": HIDDEN,
    "weight": WEIGHT,
    "class_ids": [0, 1],
    "positions": [4, 5],
    "keys": ["a", "b"],
    "image_positions": [0, 1, 2, 3],
}


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"hidden": HIDDEN.long()}, TypeError, "hidden must hold floating-point numbers, not torch.int64"),
        ({"hidden": HIDDEN.numpy()}, TypeError, "hidden must be a torch tensor, not ndarray"),
        ({"weight": WEIGHT.to(torch.int8)}, TypeError, "weight must hold floating-point numbers.*dequantise"),
        ({"hidden": HIDDEN[None]}, ValueError, r"hidden must have the shape .* not \(1, 6, 4\)"),
        ({"weight": WEIGHT[0]}, ValueError, r"weight must have the shape .* not \(4,\)"),
        ({"weight": WEIGHT[:, :3]}, ValueError, "hidden is 4 wide but weight is 3 wide"),
        ({"class_ids": [0, 5]}, IndexError, r"class_ids\[1\] is 5, but there are 5 rows of weight"),
        ({"class_ids": [0, -1]}, IndexError, r"class_ids\[1\] is -1"),
        ({"class_ids": [0.0, 1.0]}, TypeError, "class_ids must hold integers, not float64"),
        ({"class_ids": torch.tensor([True, False])}, TypeError, "class_ids must hold integers, not bool"),
        ({"class_ids": [[0, 1]]}, ValueError, r"class_ids must have one dimension, not the shape \(1, 2\)"),
        ({"class_ids": [0, 1, 2]}, ValueError, "positions has 2 entries but class_ids has 3"),
        ({"positions": [4, 6]}, IndexError, r"positions\[1\] is 6, but there are 6 positions of hidden"),
        ({"positions": [4]}, ValueError, "positions has 1 entries but class_ids has 2"),
        ({"image_positions": [0, 9]}, IndexError, r"image_positions\[1\] is 9"),
        ({"keys": ["a"]}, ValueError, "keys has 1 entries but class_ids has 2"),
        ({"keys": "ab"}, TypeError, "keys must be a sequence of keys"),
        ({"keys": ["a", 1]}, TypeError, "keys must be all str or all int, not int, str"),
        ({"keys": torch.ones(2)}, TypeError, "keys must be all str or all int, not float"),
        ({"keys": np.zeros((2, 1), int)}, ValueError, r"keys must have one dimension, not the shape \(2, 1\)"),
        ({"tokens": [2]}, IndexError, r"tokens\[0\] is 2, but there are 2 text tokens"),
        ({"query_class_ids": [0, 1]}, ValueError, "go together"),
        ({"query_keys": ["a", "b"]}, ValueError, "go together"),
        ({"query_class_ids": [0, 5], "query_keys": ["a", "b"]}, IndexError, r"query_class_ids\[1\] is 5"),
        ({"query_class_ids": [0], "query_keys": ["a"]}, ValueError, "query_class_ids has 1 entries but tokens has 2"),
        ({"query_class_ids": [0, 1], "query_keys": ["a"]}, ValueError, "query_keys has 1 entries but tokens has 2"),
        ({"query_class_ids": [0, 1], "query_keys": [1, 2]}, TypeError, "query_keys are int but keys are str"),
        ({"hidden": HIDDEN.index_fill(0, torch.tensor(2), torch.nan)}, ValueError, r"first is 2\) are not finite"),
        ({"hidden": HIDDEN.index_fill(0, torch.tensor(4), torch.inf)}, ValueError, r"first is 4\) are not finite"),
    ],
)
def test_errors_name_what_was_found(wrong, error, message):
    activation_maps(**GOOD)
    with pytest.raises(error, match=message):
        activation_maps(**{**GOOD, **wrong})


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


@pytest.mark.parametrize(("unseen", "error"), [(np.zeros((2, 12), bool), ValueError), (np.zeros((7, 12)), TypeError)])
def test_a_mask_must_fit(unseen, error):
    with pytest.raises(error, match="unseen must"):
        activation_maps(*make_text(0).arguments, unseen=unseen)
