"""Keywords of generate: passed on, or refused by name before the model runs."""

import pytest
import tiny_models
from transformers import GenerationConfig

import tam_widget as tam
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
    ({"num_beams": 4}, tam.GenerationError, "num_beams=4.*answer="),
    ({"num_return_sequences": 2, "do_sample": True}, tam.GenerationError, "num_return_sequences=2"),
    ({"assistant_model": "small"}, tam.GenerationError, "assisted decoding"),
    ({"prompt_lookup_num_tokens": 3}, tam.GenerationError, "assisted decoding"),
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


def test_beams_of_the_models_own_configuration_are_named_as_such(untouched):
    model, processor = untouched
    model.generation_config.num_beams = 3
    with pytest.raises(tam.GenerationError, match="model's own generation_config; pass num_beams=1"):
        tam.explain(model, processor, tiny_models.picture(), "Describe the image.")
    assert check_options(model, None, None, {"num_beams": 1})["generation_config"].num_beams == 1


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
