"""Precision, blocks, memory and devices: how the maps are computed must not show in them."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from made_texts import make_text, texts
from slow_maps import slow_map
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tam_widget.maps import activation_maps, token_activation_maps
from tam_widget.maps import tam as tam_module


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


def test_blocks_do_not_show(monkeypatch):
    text = make_text(2, tokens=9, cells=20)
    whole = activation_maps(*text.arguments)
    monkeypatch.setattr(tam_module, "_BLOCK", 1)
    monkeypatch.setattr("tam_widget.maps.activation._BLOCK", 1)
    blocks = activation_maps(*text.arguments)
    for name in ("image", "text", "raw", "interference"):
        torch.testing.assert_close(getattr(blocks, name), getattr(whole, name), rtol=1e-6, atol=1e-7)


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


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_the_maps_are_the_same_and_stay_there():
    hidden, weight, *rest = make_text(11, tokens=40, cells=200, width=64).arguments
    here = activation_maps(hidden, weight, *rest)
    for head in (weight, weight.cuda()):
        there = activation_maps(hidden.cuda(), head, *rest)
        for name in ("image", "text", "raw", "interference"):
            assert getattr(there, name).is_cuda
            torch.testing.assert_close(getattr(there, name).cpu(), getattr(here, name), rtol=1e-6, atol=1e-7)
