"""Keywords of generate: passed on, or refused by name before the model runs."""

import numpy as np
import pytest
import tiny_models
import torch
from transformers import GenerationConfig

import tam_widget as tam
from tam_widget.models import capture
from tam_widget.models.options import DEFAULT_NEW_TOKENS, check_options


@pytest.fixture
def untouched(tiny):
    """A model that must not run."""
    model, processor = tiny_models.build(), tiny()[1]

    def run(*_args, **_kwargs):
        raise AssertionError("the model ran")

    model.forward = run
    return model, processor


REFUSED = [
    ({"num_return_sequences": 2, "do_sample": True}, tam.GenerationError, "num_return_sequences=2"),
    ({"assistant_model": "small"}, tam.GenerationError, "must be a model, got 'small'"),
    ({"assistant_early_exit": 1}, tam.GenerationError, "assistant_model works"),
    ({"use_mtp": True}, tam.GenerationError, "answer="),
    ({"guidance_scale": 1.5}, tam.GenerationError, "guidance_scale=1.5"),
    ({"custom_generate": "x/y"}, tam.GenerationError, "custom_generate"),
    ({"penalty_alpha": 0.6, "top_k": 4}, tam.GenerationError, "contrastive search"),
    ({"output_hidden_states": True}, tam.GenerationError, "leave it out"),
    ({"return_dict_in_generate": True}, tam.GenerationError, "leave it out"),
    ({"cache_implementation": "paged"}, tam.GenerationError, "paged"),
    ({"max_new_tokens": 0}, tam.GenerationError, "positive int, got 0"),
    ({"max_new_tokens": True}, tam.GenerationError, "positive int, got True"),
    ({"max_new_tokens": "8"}, tam.GenerationError, "positive int, got '8'"),
    ({"cache_implementation": "no such"}, tam.GenerationError, "refuses these options"),
    ({"generation_config": {"do_sample": True}}, tam.GenerationError, "GenerationConfig, got dict"),
    ({"max_new_token": 8}, tam.UnknownOptionError, "did you mean max_new_tokens"),
    ({"image": 1}, tam.UnknownOptionError, "did you mean images"),
    ({"quite_something_else": 1}, tam.UnknownOptionError, "unknown keyword 'quite_something_else'$"),
    ({"input_ids": 1}, tam.UnknownOptionError, "input_ids"),
    ({"update": 1}, tam.UnknownOptionError, "update"),
]


@pytest.mark.parametrize(("options", "kind", "message"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_cannot_be_explained_is_refused_before_the_model_runs(untouched, options, kind, message):
    model, processor = untouched
    with pytest.raises(kind, match=message):
        tam.explain(model, processor, tiny_models.picture(), "Describe the image.", **options)
    assert tiny_models.hook_count(model) == 0


def test_beams_of_the_models_own_configuration_are_replayed_too():
    model, tokenizer = tiny_models.build(), tiny_models.tokenizer()
    model.generation_config.num_beams = 3
    assert not check_options(model, tokenizer, None, {})["follow"]
    assert check_options(model, tokenizer, None, {"num_beams": 1})["follow"]


BEAMS = [{"num_beams": 3}, {"num_beams": 2, "do_sample": True}, {"prompt_lookup_num_tokens": 2}, {"assistant": True}]


@pytest.mark.parametrize("options", BEAMS, ids="-".join)
def test_an_answer_that_does_not_grow_in_one_sequence_is_replayed(tiny, options):
    model, processor = tiny()
    if options.get("assistant"):
        options = {"assistant_model": tiny_models.build(seed=1)}
    picture = tiny_models.picture(box=(5, 5, 20, 20))
    torch.manual_seed(0)
    hooks = tiny_models.hook_count(model)
    ex = tam.explain(model, processor, picture, "Describe the image.", max_new_tokens=6, **options)
    assert tiny_models.hook_count(model) == hooks
    inputs = tiny_models.prepared(processor, [picture], "Describe the image.").inputs
    torch.manual_seed(0)
    plain = model.generate(**inputs, max_new_tokens=6, **options)[0, inputs["input_ids"].shape[1] :].tolist()
    said = [token for token in ex.tokens if token.role == "answer"]
    assert [token.id for token in said] == plain
    run = capture.replay(model, inputs, plain)
    np.testing.assert_allclose(
        [next(c.probability for c in token.candidates if c.chosen) for token in said],
        run.choices.chosen_probability,
        atol=1e-6,
    )


def test_an_unknown_keyword_is_a_type_error_too(untouched):
    model, processor = untouched
    with pytest.raises(TypeError):
        tam.explain(model, processor, tiny_models.picture(), "Describe the image.", no_such=1)


def test_options_of_generating_do_not_go_with_a_given_answer(untouched):
    model, processor = untouched
    with pytest.raises(tam.GenerationError, match="leave out do_sample, max_new_tokens"):
        tam.explain(
            model, processor, tiny_models.picture(), "Describe.", answer="A dog.", do_sample=True, max_new_tokens=3
        )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"max_new_tokens": DEFAULT_NEW_TOKENS}),
        ({"max_length": 99}, {"max_new_tokens": None, "max_length": 99}),
        ({"temperature": 0.5, "do_sample": True}, {"temperature": 0.5, "do_sample": True}),
        ({"generation_config": GenerationConfig(max_new_tokens=7, top_p=0.5)}, {"max_new_tokens": 7, "top_p": 0.5}),
        ({"generation_config": GenerationConfig(top_p=0.5)}, {"max_new_tokens": DEFAULT_NEW_TOKENS, "top_p": 0.5}),
        ({"num_return_sequences": 1, "guidance_scale": 1}, {"num_return_sequences": 1}),
    ],
    ids=str,
)
def test_options_reach_generate(tiny, options, expected):
    model, processor = tiny()
    config = check_options(model, processor.tokenizer, None, options)["generation_config"]
    assert {name: getattr(config, name) for name in expected} == expected


def test_the_persons_own_objects_are_not_changed(tiny):
    model, processor = tiny()
    config, options = GenerationConfig(top_p=0.5), {"temperature": 0.5, "do_sample": True}
    before = config.to_dict()
    check_options(model, processor.tokenizer, 5, {"generation_config": config})
    check_options(model, processor.tokenizer, 5, options)
    assert config.to_dict() == before
    assert options == {"temperature": 0.5, "do_sample": True}


def test_the_cache_setting_of_the_model_is_seen(tiny):
    model, processor = tiny()
    assert check_options(model, processor.tokenizer, 5, {})["use_cache"] is True
    assert check_options(model, processor.tokenizer, 5, {"use_cache": False})["use_cache"] is False
