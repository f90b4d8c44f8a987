"""Values that generate would stumble over, one by one: refused before the model runs, or brought to what it takes."""

import functools
import math

import numpy as np
import pytest
import tiny_models
import torch
from transformers import GenerationConfig

import tam_widget as tam
from tam_widget.models import capture
from tam_widget.models.options import check_options

PROMPT = "Describe the image."
NAN, INF = math.nan, math.inf


@pytest.fixture(scope="module")
def untouched():
    """A model that must not run."""
    model, processor = tiny_models.build(), tiny_models.processor()

    @functools.wraps(model.forward)  # generate looks at what it takes
    def run(*_args, **_kwargs):
        raise AssertionError("the model ran")

    model.forward = run
    return model, processor


SAMPLED = {"do_sample": True}
REFUSED = [
    ({"temperature": 0.0} | SAMPLED, "leave do_sample out"),
    *(
        ({"temperature": value} | SAMPLED, "temperature must be a finite number")
        for value in (NAN, INF, -1.0, True, "1")
    ),
    ({"temperature": NAN}, "temperature must be"),
    *(({"top_p": value} | SAMPLED, "top_p must be .* at most 1") for value in (NAN, 1.5, -0.1, True)),
    *(({"top_k": value} | SAMPLED, "top_k must be an int of 0 or more") for value in (-1, 2.5, True, "5")),
    *(({name: 2.0} | SAMPLED, f"{name} must be") for name in ("min_p", "typical_p", "top_h", "epsilon_cutoff")),
    ({"typical_p": 0.0} | SAMPLED, "typical_p must be a finite number above 0, at most 1, got 0.0"),
    *(({"repetition_penalty": value}, "above 0") for value in (0.0, -1.0, NAN, INF, True, "a")),
    *(({"num_beams": value}, "num_beams must be a positive int") for value in (0, -1, 2.5, True, "2")),
    ({"num_beams": 2, "length_penalty": NAN}, "length_penalty must be a finite number, got nan"),
    ({"num_beams": 2, "early_stopping": "x"}, "early_stopping"),
    *(({"max_new_tokens": value}, "max_new_tokens must be a positive int") for value in (0, -3, 2.0, True, NAN)),
    *(({"max_length": value}, "max_length must be a positive int") for value in (0, -1, True, 2.5)),
    ({"max_length": 3}, "refuses these options: Input length"),
    ({"min_new_tokens": 5, "max_new_tokens": 3}, "min_new_tokens=5 is more than max_new_tokens=3"),
    ({"min_length": 500, "max_length": 400}, "min_length=500 is more than max_length=400"),
    ({"min_new_tokens": 200}, "min_new_tokens=200 is more than max_new_tokens=128"),
    *(({"min_new_tokens": value}, "an int of 0 or more") for value in (-1, True, 1.5)),
    *(({"no_repeat_ngram_size": value}, "no_repeat_ngram_size") for value in (-1, True, 1.5)),
    *(({"max_time": value}, "max_time must be a finite number above 0") for value in (0, -1, NAN, "a")),
    *(({"stop_strings": value}, "stop_strings must be a string") for value in (5, [], "", [""], [5])),
    *(({"use_cache": value}, "use_cache must be True or False") for value in (0, "yes")),
    *(({"do_sample": value}, "do_sample must be True or False") for value in (1, "yes")),
    *(({"bad_words_ids": value}, "bad_words_ids") for value in ([], [[-1]], [[10**7]], "x", [["x"]])),
    *(({"suppress_tokens": value}, "suppress_tokens") for value in ([10**7], "a", [True])),
    *(({"forced_eos_token_id": value}, "forced_eos_token_id") for value in (10**7, "a")),
    *(({"eos_token_id": value}, "eos_token_id must be made of token ids") for value in ("a", True, [1.5])),
    ({"sequence_bias": {(10**7,): 1.0}}, "sequence_bias has the token id 10000000"),
    ({"sequence_bias": {}}, "sequence_bias"),
    *(({"exponential_decay_length_penalty": value}, "refuses these options") for value in (5, (1,))),
    ({"watermarking_config": 5}, "refuses these options"),
    *(({"prefill_chunk_size": value}, "prefill_chunk_size must be a positive int") for value in (0, -1, "a")),
    *(({"prompt_lookup_num_tokens": value}, "prompt_lookup_num_tokens") for value in (0, -1, "2")),
    ({"is_assistant": True}, "assisted decoding sets it"),
    *(({name: value}, f"{name} must be") for name in ("stopping_criteria", "logits_processor") for value in (5, [5])),
    ({"prefix_allowed_tokens_fn": 5}, "must be a function"),
    ({"streamer": 5}, "streamer must have put"),
    ({"stop_strings": "x", "tokenizer": 5}, "tokenizer must be a tokenizer, got 5"),
    ({"generation_config": GenerationConfig(max_new_tokens=2, repetition_penalty=-1.0)}, "repetition_penalty"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED, ids=lambda value: str(value)[:60])
def test_a_value_that_cannot_be_is_refused_before_the_model_runs(untouched, options, message):
    model, processor = untouched
    with pytest.raises(tam.GenerationError, match=message):
        tam.explain(model, processor, tiny_models.picture(), PROMPT, **options)
    assert tiny_models.hook_count(model) == 0


def test_a_refusal_of_the_models_own_configuration_is_named_too():
    model, processor = tiny_models.build(), tiny_models.processor()
    model.generation_config.temperature = 0.0
    with pytest.raises(tam.GenerationError, match="leave do_sample out"):
        tam.explain(model, processor, tiny_models.picture(), PROMPT, do_sample=True)


def test_an_error_while_the_model_runs_is_left_as_it_is(tiny):
    model, processor = tiny()

    def fails(_ids, _scores):
        raise ZeroDivisionError("of the person's own")

    with pytest.raises(ZeroDivisionError, match="of the person's own"):
        tam.explain(model, processor, tiny_models.picture(), PROMPT, logits_processor=fails)


TAKEN = [
    ({"temperature": 2, "do_sample": True}, {"temperature": 2.0}),
    ({"temperature": 0.0}, {"temperature": 0.0}),
    ({"top_p": np.float32(0.5), "do_sample": True}, {"top_p": 0.5}),
    ({"num_beams": np.int64(2)}, {"num_beams": 2}),
    ({"stop_strings": "x"}, {"stop_strings": ["x"]}),
    ({"eos_token_id": -1}, {"eos_token_id": -1}),
    ({"eos_token_id": [3, 4]}, {"eos_token_id": [3, 4]}),
]


@pytest.mark.parametrize(("options", "expected"), TAKEN, ids=str)
def test_numbers_of_other_kinds_become_those_that_generate_takes(tiny, options, expected):
    model, processor = tiny()
    config = check_options(model, processor.tokenizer, np.int32(5), options)["generation_config"]
    assert {name: getattr(config, name) for name in expected} == expected
    assert config.max_new_tokens == 5
    ex = tam.explain(model, processor, tiny_models.picture(), PROMPT, max_new_tokens=2, **options)
    assert len(ex.texts) == 2


@pytest.mark.parametrize("several", [False, True])
def test_a_bare_function_is_taken_like_a_list_of_one(tiny, several):
    model, processor = tiny()
    picture = tiny_models.picture()
    said = processor.tokenizer("A red", add_special_tokens=False)["input_ids"]
    (force,) = tiny_models.saying(processor, picture, said)
    seen = []

    def stop(ids, _scores, **_):
        seen.append(ids.shape[1])
        return len(seen) == 1

    def given(one):
        return [one] if several else one

    ex = tam.explain(model, processor, picture, PROMPT, logits_processor=given(force))
    assert ex.answer == "A red"
    ex = tam.explain(model, processor, picture, PROMPT, logits_processor=given(force), stopping_criteria=given(stop))
    assert [token.id for token in ex.tokens if token.role == "answer"] == said[:1]
    assert len(seen) == 1


@pytest.mark.parametrize("with_tokenizer", [False, True])
def test_stop_strings_stop_with_the_processors_tokenizer_or_a_given_one(tiny, with_tokenizer):
    model, processor = tiny()
    picture = tiny_models.picture()
    said = processor.tokenizer("A red circle is left of a star", add_special_tokens=False)["input_ids"]
    options = {"tokenizer": processor.tokenizer} if with_tokenizer else {}
    force = tiny_models.saying(processor, picture, said)
    ex = tam.explain(model, processor, picture, PROMPT, logits_processor=force, stop_strings=["circle"], **options)
    assert ex.answer.endswith("circle")
    assert len(ex.answer) < len("A red circle is")


@pytest.mark.parametrize("beams", [1, 2])
@pytest.mark.parametrize("where", ["model", "given"])
def test_a_configuration_that_asks_for_a_dict_changes_nothing(tiny, beams, where):
    model, processor = tiny_models.build(), tiny_models.processor()
    asked = {"return_dict_in_generate": True, "output_scores": True, "output_hidden_states": True}
    options = {"num_beams": beams, "max_new_tokens": 4}
    picture = tiny_models.picture(box=(5, 5, 20, 20))
    expected = tam.explain(*tiny(), picture, PROMPT, **options)
    if where == "model":
        model.generation_config.update(**asked)
        ex = tam.explain(model, processor, picture, PROMPT, **options)
        assert model.generation_config.return_dict_in_generate is True
    else:
        given = GenerationConfig(**asked)
        ex = tam.explain(model, processor, picture, PROMPT, generation_config=given, **options)
        assert given.return_dict_in_generate is True
    assert ex.texts == expected.texts
    np.testing.assert_array_equal(ex.maps().images[0], expected.maps().images[0])


def test_capture_reads_a_dict_that_generate_returns(tiny):
    model, processor = tiny()
    inputs = tiny_models.prepared(processor, [tiny_models.picture()], PROMPT).inputs
    for follow in (True, False):
        options = {"max_new_tokens": 3, "do_sample": False, "follow": follow}
        plain = capture.generate(model, inputs, **options)
        run = capture.generate(model, inputs, return_dict_in_generate=True, **options)
        assert run.ids == plain.ids
        assert torch.equal(run.states, plain.states)
