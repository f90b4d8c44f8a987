"""Inputs that grow with each token of an answer: those that every model knows, a family's own, and a stranger's."""

import numpy as np
import pytest
import tiny_models
import torch

import tam_widget as tam
from tam_widget.models import families
from tam_widget.models.inputs.answer_inputs import answer_inputs

PROMPT = "Describe the image."


@pytest.fixture
def growing(monkeypatch):
    """A tiny model that takes one input more, of the sequence's length, and a processor that gives it.

    The model fails where that input is shorter than its sequence, and keeps what it was given.
    """
    monkeypatch.setattr(families, "_FAMILIES", dict(families._FAMILIES))
    model, made = tiny_models.build(), tiny_models.processor()
    model.config.model_type = "experts"
    forward, seen = model.forward, []

    def with_experts(*args, expert_type_ids=None, **kwargs):
        if kwargs.get("use_cache") is False:
            assert expert_type_ids.shape == kwargs["input_ids"].shape
            seen.append(expert_type_ids[0].tolist())
        return forward(*args, **kwargs)

    model.forward = with_experts
    values = {}

    class Experts(type(made)):
        def __call__(self, *args, **kwargs):
            encoded = super().__call__(*args, **kwargs)
            encoded["expert_type_ids"] = values["of"](encoded["input_ids"])
            return encoded

    made.__class__ = Experts
    return model, made, values, seen


def vision(ids):
    return (ids == tiny_models.tokenizer().convert_tokens_to_ids("<|image_pad|>")).long()


def test_what_all_text_has_an_answer_has_too(growing):
    model, processor, values, seen = growing
    plain = tam.explain(
        *(tiny_models.build(), tiny_models.processor()), tiny_models.picture(), PROMPT, answer="A star."
    )
    values["of"] = lambda ids: 3 - vision(ids)
    ex = tam.explain(model, processor, tiny_models.picture(), PROMPT, answer="A star.")
    answered = sum(token.role == "answer" for token in ex.tokens)
    assert seen[-1][-answered:] == [3] * answered
    assert 2 in seen[-1]
    np.testing.assert_array_equal(ex.maps().images[0], plain.maps().images[0])


def test_a_family_says_what_an_answer_has(growing):
    model, processor, values, seen = growing
    values["of"] = lambda ids: torch.arange(ids.shape[1])[None]
    tam.register_family("experts", families.qwen_vl.views, answer_inputs={"expert_type_ids": 7})
    tam.explain(model, processor, tiny_models.picture(), PROMPT, answer="A star.")
    assert seen[-1][-1] == 7
    assert seen[-1][0] == 0


@pytest.mark.parametrize("prompt", [PROMPT, "star"], ids=["some tokens", "one token"])
def test_what_the_text_has_several_values_of_is_refused(growing, prompt):
    model, processor, values, seen = growing
    values["of"] = lambda ids: torch.arange(ids.shape[1])[None]
    with pytest.raises(tam.LayoutError, match=r"'expert_type_ids' grows.*answer_inputs=\{'expert_type_ids'"):
        tam.explain(model, processor, tiny_models.picture(), prompt)
    assert not seen


def test_what_is_not_of_the_sequences_length_or_no_whole_number_does_not_grow(tiny):
    prepared = tiny_models.prepared(tiny()[1], [tiny_models.picture()], PROMPT)
    length = len(prepared.ids)
    others = {"scores": torch.rand(1, length), "grid": torch.zeros(length, 1).long(), "names": ["a"] * length}
    prepared.inputs.update(others, labels=torch.arange(length)[None])
    assert answer_inputs(prepared, {}) == {"attention_mask": 1, "mm_token_type_ids": 0}
    assert answer_inputs(prepared, {"attention_mask": 0})["attention_mask"] == 0
