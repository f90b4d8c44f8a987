"""explain() on tiny models, against a plain reading of the equations."""

import dataclasses

import numpy as np
import pytest
import tiny_models
import torch
from equations import reference

import tam_widget as tam
from tam_widget.demo.training.families.qwen import Qwen2VL
from tam_widget.explanation.map_bank import MapBank
from tam_widget.maps import activation_maps, rank_gaussian_filter

PROMPT = "Describe the image."


@pytest.mark.parametrize("family", tiny_models.FAMILIES)
@pytest.mark.parametrize("system", [None, "Speak of circles."])
def test_every_map_and_relevance_is_what_the_equations_say(tiny, picture, family, system):
    model, processor = tiny(family)
    text_only = list(
        range(processor.tokenizer.convert_tokens_to_ids(Qwen2VL.special_tokens[0]), model.lm_head.out_features)
    )
    ex = tam.explain(model, processor, picture, PROMPT, system=system, max_new_tokens=10, suppress_tokens=text_only)
    assert len(ex.tokens) == 14
    maps, relevances = reference(model, processor, ex, picture, system)
    assert ex.grids == ((6, 8),)
    filtered = rank_gaussian_filter(maps.view(-1, 6, 8), kernel_size=3).numpy()
    for token in ex.tokens:
        found = ex.heatmap(token)
        assert found.shape == (6, 8)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, filtered[token.index], atol=2e-4)
        assert ex.relevance(token).shape == (token.index,)
        np.testing.assert_allclose(ex.relevance(token), relevances[token.index], atol=2e-4)


def test_the_map_of_what_it_nearly_said_is_the_map_had_it_said_it(tiny, picture):
    model, processor = tiny()
    ex = tam.explain(model, processor, picture, PROMPT, max_new_tokens=6)
    index = len(ex.tokens) - 1
    second = ex.tokens[index].candidates[1]
    said = [token.id for token in ex.tokens if token.role == "answer"]
    bank = ex._bank._activations
    cells = 48
    expected = activation_maps(
        bank.states,
        bank.rows,
        [bank.row_of[i] for i in bank.ids],
        range(cells, cells + len(bank.ids)),
        [bank.key_of[i] for i in bank.ids],
        range(cells),
        tokens=[index],
        query_class_ids=[bank.row_of[second.id]],
        query_keys=[bank.key_of[second.id]],
    )
    filtered = rank_gaussian_filter(expected.image.view(-1, 6, 8), kernel_size=3).numpy()[0]
    np.testing.assert_array_equal(ex.heatmap(index, candidate=1), filtered)
    np.testing.assert_array_equal(ex.heatmap(index, candidate=second), filtered)
    assert not np.array_equal(filtered, ex.heatmap(index))
    # The same, by letting the model say it: states before the last word do not know the last word.
    other = [*said[:-1], second.id]
    text = processor.tokenizer.decode(other)
    if processor.tokenizer(text, add_special_tokens=False)["input_ids"] == other:
        replayed = tam.explain(model, processor, picture, PROMPT, answer=text)
        np.testing.assert_allclose(replayed.heatmap(index), filtered, atol=1e-4)


def test_several_pictures_share_one_scale(tiny, picture):
    model, processor = tiny()
    ex = tam.explain(model, processor, [picture, tiny_models.picture(40, 80)], PROMPT, answer="circle circle")
    assert ex.grids == ((6, 8), (10, 5))
    assert [image.size for image in ex.images] == [(64, 48), (40, 80)]
    assert ex.heatmap(3, image=1).shape == (10, 5)
    assert ex.maps().images[1].shape == (len(ex.tokens), 10, 5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_models_are_scored_in_full_precision(dtype, picture):
    model = tiny_models.build(dtype=dtype)
    ex = tam.explain(model, tiny_models.processor(), picture, PROMPT, answer="A red circle.")
    assert ex.heatmap(5).dtype == np.float32
    bank = ex._bank._activations
    assert bank.states.dtype == bank.rows.dtype == dtype
    wide = MapBank(dataclasses.replace(bank, states=bank.states.float(), rows=bank.rows.float())).every()
    np.testing.assert_array_equal(ex.maps().images[0], wide.images[0])  # no banding
