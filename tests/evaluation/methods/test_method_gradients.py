"""Gradients equal autograd by hand, and integrated ones add up."""

import copy
import sys

import numpy as np
import pytest
import torch
from explained_scenes import NO_EMBEDDINGS, ONE_BY_ONE, cases, demo, inputs_of, of_case
from tiny.cases import CASES

import tam_widget as tam
from tam_widget.evaluation.methods import gradients
from tam_widget.evaluation.methods.gradients import gradient_x_input, integrated_gradients
from tam_widget.evaluation.methods.registry import scale_each
from tam_widget.evaluation.methods.scores import Scores
from tam_widget.models import capture
from tam_widget.models.capture import decoder_of
from tam_widget.replay.explained import Explained

SMOOTH = ("qwen2_vl", "qwen3_vl", "llava", "pixtral", "internvl", "glm4v", "idefics3", "gemma3", "paligemma", "lfm2_vl")


@pytest.mark.parametrize("case", [one for one in cases() if one.values[0].family not in NO_EMBEDDINGS])
def test_scores_at_the_pictures_embeddings_are_the_models_own(case):
    explained = of_case(case)
    tokens = [1, 9, 11]
    reading = explained.reading
    for batch_size in (1,) if case.family in ONE_BY_ONE else (1, 3):
        with Scores(explained, tokens, batch_size) as scores, torch.no_grad():
            assert scores.batch_size == batch_size
            rows, positions = scores.queries
            given = scores.embeddings.expand(batch_size, -1, -1)
            parts = [slice(k, k + batch_size) for k in range(0, 3, batch_size)]
            found = torch.cat([scores(given, rows[part], positions[part]) for part in parts])
        ids = [reading.slots[k].id for k in tokens]
        expected = explained.model.get_output_embeddings()(explained.run.states[positions])[range(3), ids]
        torch.testing.assert_close(found, expected, atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize("case", cases("qwen2_vl", "qwen3_vl", "llava_next", "gemma3", "idefics3", "gemma4"))
def test_gradient_x_input_is_autograds_by_hand(case):
    explained = of_case(case)
    reading, tokens = explained.reading, [3, 10]
    given = []

    def swap(_module, _args, kwargs):
        embeddings = kwargs["inputs_embeds"].detach().clone().requires_grad_()
        given.append(embeddings)
        return (), {**kwargs, "inputs_embeds": embeddings}

    handle = decoder_of(explained.model).register_forward_pre_hook(swap, with_kwargs=True)
    norm, _ = capture.readable_parts(explained.model)
    states = []
    other = norm.register_forward_hook(lambda _module, _args, output: states.append(output))
    try:
        explained.model(**inputs_of(explained), use_cache=False)
    finally:
        handle.remove()
        other.remove()
    expected = []
    for token in tokens:
        slot = reading.slots[token]
        score = states[0][0, slot.read_position] @ explained.model.get_output_embeddings().weight[slot.id]
        (gradient,) = torch.autograd.grad(score, given[0], retain_graph=True)
        expected.append((gradient * given[0])[0, reading.vision].sum(dim=-1).detach())
    signed = gradients.signed_gradient_x_input(explained, tokens, batch_size=2)
    np.testing.assert_allclose(signed, torch.stack(expected).numpy(), atol=1e-4, rtol=1e-3)
    np.testing.assert_allclose(
        gradients.signed_gradient_x_input(explained, tokens, batch_size=1), signed, atol=1e-5, rtol=1e-3
    )
    cells = np.abs(signed[:, : len(reading.cells)]).reshape(-1, *reading.panel.positions.shape)
    np.testing.assert_allclose(
        gradient_x_input(explained, tokens), scale_each(reading.panel.spread(cells)), atol=1e-3, equal_nan=True
    )


def test_gradient_x_input_is_the_slope_along_the_input():
    small = of_case(CASES[0])
    model = copy.deepcopy(small.model).double()
    explained = Explained(model, small.processor, small.explanation)
    token = len(explained.explanation.tokens) - 2
    signed = gradients.signed_gradient_x_input(explained, [token])[0]
    cell = int(np.abs(signed).argmax())
    with Scores(explained, [token]) as scores, torch.no_grad():
        assert scores.embeddings.dtype == torch.float64
        found = []
        for share in (3e-3, -3e-3):  # norms are calculated in float32, whatever the model's type
            moved = scores.embeddings.clone()
            moved[0, cell] *= 1 + share
            found.append(scores(moved, *scores.queries).item())
    assert (found[0] - found[1]) / 6e-3 == pytest.approx(signed[cell], rel=0.01)


@pytest.mark.parametrize("case", cases(*SMOOTH))
def test_integrated_gradients_add_up(case):
    explained = of_case(case)
    token = len(explained.explanation.tokens) - 2
    with Scores(explained, [token]) as scores, torch.no_grad():
        whole = scores(scores.embeddings, *scores.queries)
        blank = scores(scores.embeddings_of_mean_colour(), *scores.queries)
    signed = gradients.signed_integrated(explained, [token], steps=64, batch_size=6)
    assert signed.sum() == pytest.approx((whole - blank).item(), rel=1e-3, abs=1e-5)


def test_integrated_gradients_add_up_on_the_demo_model():
    scene, explained = demo(0)
    word = scene.objects[0].shape
    (token, *_) = explained.explanation.find(word)
    with Scores(explained, [token]) as scores, torch.no_grad():
        whole = scores(scores.embeddings, *scores.queries)
        blank = scores(scores.embeddings_of_mean_colour(), *scores.queries)
    signed = gradients.signed_integrated(explained, [token], steps=32)
    assert signed.sum() == pytest.approx((whole - blank).item(), rel=0.05)
    maps = integrated_gradients(explained, [token])
    rows, columns = maps.shape[1:]
    mask = scene.mask(word)
    mask = mask.reshape(rows, mask.shape[0] // rows, columns, -1).any(axis=(1, 3))
    assert maps[0][mask].mean() > 3 * maps[0][~mask].mean()


def test_captum_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    for method in (gradient_x_input, integrated_gradients):
        with pytest.raises(tam.MissingDependencyError, match=r"pip install 'tam-widget\[eval\]'"):
            method(of_case(CASES[0]), [0])
