"""What a user gets of a lens: maps on one scale, their signed numbers, how two of them agree."""

import pickle

import numpy as np
import pytest
import scipy.stats
import tiny_models
import torch
from explained_scenes import ANSWER, PROMPT, demo
from tiny.cases import CASES

import tam_widget as tam
from tam_widget.lenses.agreement import agreement

ALL = ("tam", "contribution", "attention", "attention_mean")


@pytest.fixture(scope="module")
def ex():
    model, processor = CASES[0].pair()
    return tam.explain(
        model, processor, tiny_models.picture(64, 48, box=(8, 8, 24, 24)), PROMPT, lenses=ALL, answer=ANSWER
    )


def test_a_map_is_the_positive_part_on_one_scale_for_the_explanation(ex):
    signed = [
        ex.heatmap(token, candidate, lens="contribution", part="signed")
        for token in ex.tokens
        for candidate in (None, *token.candidates)
    ]
    assert min(map(np.min, signed)) < 0
    largest = max(map(np.max, signed))
    token = ex.tokens[-1]
    for candidate in (None, *token.candidates):
        found = ex.heatmap(token, candidate, lens="contribution")
        expected = ex.heatmap(token, candidate, lens="contribution", part="signed").clip(0) / largest
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert ex.maps(lens="contribution").images[0].shape == (len(ex.tokens), *ex.grids[0])
    np.testing.assert_array_equal(ex.maps(lens="contribution").images[0][-1], ex.heatmap(-1, lens="contribution"))


def test_attention_is_the_same_for_every_candidate_and_has_no_sign(ex):
    for lens in ("attention", "attention_mean"):
        found = ex.heatmap(-1, lens=lens)
        np.testing.assert_array_equal(found, ex.heatmap(-1, ex.tokens[-1].candidates[1], lens=lens))
        assert 0 <= found.min() < found.max() <= 1
        with pytest.raises(ValueError, match="part must be 'map' with lens='attention"):
            ex.heatmap(-1, lens=lens, part="signed")


def test_arguments_of_tam_are_refused_with_another_lens(ex):
    for wrong in ({"kernel_size": 5}, {"causal_inference": False}):
        with pytest.raises(ValueError, match="are parts of TAM; leave them out"):
            ex.heatmap(0, lens="contribution", **wrong)
        with pytest.raises(ValueError, match="are parts of TAM; leave them out"):
            ex.maps(lens="contribution", **wrong)
    with pytest.raises(ValueError, match="part must be 'map' or 'signed' with lens='contribution', not 'raw'"):
        ex.heatmap(0, lens="contribution", part="raw")
    with pytest.raises(ValueError, match="part must be 'map', 'raw' or 'interference' with lens='tam', not 'signed'"):
        ex.heatmap(0, part="signed")
    with pytest.raises(ValueError, match="lens must be one of"):
        ex.heatmap(0, lens="cam")


def test_responses_are_read_through_a_lens(ex):
    left, top, right, bottom = ex.boxes[0]
    found = ex.responses((left, top, right, bottom), lens="contribution")
    expected = ex.maps(lens="contribution").images[0].mean(axis=(1, 2))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_other_lenses_say_nothing_of_text_and_leave_relevance_alone(ex):
    assert np.isnan(ex.maps(lens="contribution").relevance).all()
    np.testing.assert_array_equal(ex.relevance(-1), ex.maps().relevance[-1, : len(ex.tokens) - 1])


def test_an_explanation_is_pickled_with_its_lenses(ex):
    again = pickle.loads(pickle.dumps(ex))  # noqa: S301 - our own
    assert again.lenses == ex.lenses == ALL
    np.testing.assert_array_equal(again.heatmap(3, lens="contribution"), ex.heatmap(3, lens="contribution"))


def test_it_may_be_explained_in_inference_mode(ex):
    model, processor = CASES[0].pair()
    with torch.inference_mode():
        found = tam.explain(model, processor, ex.images[0], PROMPT, answer=ANSWER)
    np.testing.assert_array_equal(found.maps(lens="contribution").images[0], ex.maps(lens="contribution").images[0])


def test_maps_that_do_not_fit_at_once_are_the_same(ex, monkeypatch):
    for name in ("contribution._TOGETHER", "contribution._AT_ONCE", "attention._SCORES", "path._CLASSES"):
        monkeypatch.setattr(f"tam_widget.lenses.{name}", 1)
    model, processor = CASES[0].pair()
    found = tam.explain(model, processor, ex.images[0], PROMPT, answer=ANSWER)
    expected = ex._readings["contribution"]
    np.testing.assert_allclose(found._readings["contribution"].values, expected.values, atol=1e-6 * expected.scale)


def test_layers_without_attention_are_counted():
    case = next(case for case in CASES if str(case) == "qwen3_5")
    model, processor = case.pair()
    ex = tam.explain(model, processor, tiny_models.picture(64, 48), PROMPT, answer=ANSWER)
    assert "1 of 2 layers, the others having no softmax attention" in ex.about_lens("contribution")


def test_a_token_before_the_picture_has_seen_nothing():
    model, processor = CASES[0].pair()
    content = [{"type": "text", "text": "Where is"}, {"type": "image"}, {"type": "text", "text": "the star?"}]
    messages = [{"role": "user", "content": content}]
    ex = tam.explain(model, processor, tiny_models.picture(64, 48), messages=messages, answer=ANSWER)
    blind = np.isnan(ex.maps().images[0]).all(axis=(1, 2))
    assert blind.any()
    np.testing.assert_array_equal(np.isnan(ex.maps(lens="contribution").images[0]).all(axis=(1, 2)), blind)
    assert np.isnan(ex.agreement(int(np.flatnonzero(blind)[0])))


@pytest.mark.parametrize("seed", range(4))
def test_agreement_is_spearmans_correlation_with_mean_ranks(seed):
    chance = np.random.default_rng(seed)
    one, other = chance.integers(0, 6, (2, 9, 7)).astype(np.float32)
    one[0, :3] = other[2, 2] = np.nan
    seen = ~(np.isnan(one) | np.isnan(other))
    expected = scipy.stats.spearmanr(one[seen], other[seen]).statistic
    assert agreement(one, other) == pytest.approx(expected, abs=1e-12)


def test_agreement_is_not_said_of_a_map_that_is_all_zero():
    assert np.isnan(agreement(np.zeros((3, 3), np.float32), np.eye(3, dtype=np.float32)))
    assert agreement(np.eye(3, dtype=np.float32), np.eye(3, dtype=np.float32)) == pytest.approx(1)


def test_on_a_scene_the_contribution_to_a_shapes_word_lies_on_it():
    scene, explained = demo(7)
    ex = explained.explanation
    (token,) = [
        word.tokens[0] for word in ex.words if word.text.lower() == "square" and word.tokens[0].role == "answer"
    ]
    found = ex.heatmap(token, lens="contribution")
    mask = scene.mask("square")
    rows, columns = found.shape
    inside = mask.reshape(rows, mask.shape[0] // rows, columns, -1).mean(axis=(1, 3)) > 0.5
    assert found[inside].mean() > 4 * found[~inside].mean()
    assert ex.agreement(token) > 0.2
