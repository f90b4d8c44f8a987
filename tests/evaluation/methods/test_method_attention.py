"""Attention and rollout equal a plain reading of the model, which is left as it was."""

import copy

import numpy as np
import pytest
import torch
from explained_scenes import NO_ROLLOUT, cases, inputs_of, of_case, state_of
from tiny.cases import CASES

from tam_widget.evaluation.methods import MethodError
from tam_widget.evaluation.methods.attention_weights import rollout
from tam_widget.evaluation.methods.gradients import gradient_x_input, integrated_gradients
from tam_widget.evaluation.methods.lensed import attention, attention_mean
from tam_widget.evaluation.methods.registry import scale_each
from tam_widget.models.capture import decoder_of
from tam_widget.replay.explained import Explained


def anew(explained):
    """The same without what was read before."""
    return Explained(explained.model, explained.processor, explained.explanation)


@pytest.mark.parametrize(
    "case", cases("qwen2_vl", "qwen3_5", "llava_onevision", "idefics3", "gemma3", "paligemma (2)", "llama4", "lfm2_vl")
)
def test_attention_is_the_models_own(case):
    explained = of_case(case)
    reading, tokens = explained.reading, [0, 5, len(explained.explanation.tokens) - 1]
    model = copy.deepcopy(explained.model)
    model.set_attn_implementation("eager")
    with torch.no_grad():
        layers = model(**inputs_of(explained), output_attentions=True, use_cache=False).attentions
    attending = [layer for layer in layers if layer is not None]  # others have no weights
    for method, weights in ((attention, layers[-1][0]), (attention_mean, torch.cat(attending).mean(dim=0))):
        rows = weights.mean(dim=0)[reading.read[tokens]][:, reading.cells].numpy()
        assert rows.max() > 0
        expected = scale_each(reading.panel.spread(rows.reshape(-1, *reading.panel.positions.shape)))
        np.testing.assert_allclose(method(explained, tokens), expected, atol=1e-4)
    if case.family in NO_ROLLOUT:
        return
    rolled = torch.eye(len(reading.ids))
    for layer in layers:
        mixed = layer[0].mean(dim=0) + torch.eye(len(reading.ids))
        rolled = mixed / mixed.sum(dim=-1, keepdim=True) @ rolled
    np.testing.assert_allclose(rolled.sum(dim=-1), 1, atol=1e-5)
    rows = rolled[reading.read[tokens]][:, reading.cells].numpy()
    expected = scale_each(reading.panel.spread(rows.reshape(-1, *reading.panel.positions.shape)))
    np.testing.assert_allclose(rollout(explained, tokens), expected, atol=1e-4)


def test_without_eager_attention_the_model_does_not_run(monkeypatch):
    explained = anew(of_case(CASES[0]))
    kind = type(decoder_of(explained.model))
    monkeypatch.setattr(kind, "_can_set_attn_implementation", classmethod(lambda cls: False))
    handle = explained.model.register_forward_pre_hook(lambda *_: pytest.fail("it ran"))
    try:
        for method in (attention, attention_mean, rollout):
            with pytest.raises(MethodError, match="by 'sdpa' and has no other"):
                method(explained, [0])
    finally:
        handle.remove()


@pytest.mark.parametrize("method", [attention, attention_mean, rollout, gradient_x_input, integrated_gradients])
def test_a_model_that_breaks_is_left_as_it_was(method, monkeypatch):
    explained = anew(of_case(CASES[0]))
    explained.model.model.language_model.layers[0].train()
    before = state_of(explained.model)
    explained.run  # noqa: B018 - so that what breaks is the method's own pass
    last = explained.model.model.language_model.layers[-1]

    def broken(*_, **__):
        raise RuntimeError("out of memory")

    try:
        with monkeypatch.context() as patch:
            patch.setattr(last, "forward", broken)
            with pytest.raises(RuntimeError, match="out of memory"):
                method(explained, [0])
        assert state_of(explained.model) == before
    finally:
        explained.model.eval()
