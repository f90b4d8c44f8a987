"""Where a lens cannot be had, TAM works as it does without, the reason is told, and the model is left as it was."""

import contextlib
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
import tiny_models
import torch
from explained_scenes import ANSWER, PROMPT, named, state_of
from tiny.case import decoder
from torch import nn
from transformers import (
    AttentionInterface,
    AttentionMaskInterface,
    Gemma3nTextConfig,
    LlavaForConditionalGeneration,
)
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

import tam_widget as tam
from tam_widget.models import capture, hooks
from tam_widget.models.attention import choice, watch
from tam_widget.models.capture import decoder_of

PICTURE = tiny_models.picture(64, 48, box=(5, 5, 20, 20))
explained = partial(tam.explain, processor=tiny_models.processor(), images=PICTURE, prompt=PROMPT, answer=ANSWER)


def swapped(part, forward):
    """Give a module another forward."""
    part.forward = forward.__get__(part)


def no_interface(model):
    """An attention that transformers' interface does not know."""

    def forward(self, hidden_states, **_):
        return self.o_proj(self.q_proj(hidden_states)), None

    swapped(decoder_of(model).layers[1].self_attn, forward)


def between_layers(model):
    """Something that is done to the residual stream after one layer and before the next."""
    decoder_of(model).layers[1].register_forward_pre_hook(lambda _module, args: (args[0] * 2, *args[1:]))


def no_constant(model):
    """A residual stream that is not simply added to."""
    layer = decoder_of(model).layers[1]
    forward = layer.forward
    layer.forward = lambda *args, **kwargs: forward(*args, **kwargs).tanh()


def another_norm(model):
    """A final norm that is none."""
    swapped(decoder_of(model).norm, lambda _self, hidden: hidden.tanh())


def no_gate(model):
    """Something between attention and projection that no gate is."""
    projection = decoder_of(model).layers[0].self_attn.o_proj
    projection.register_forward_pre_hook(lambda _module, args: (args[0].roll(1, -1),))


def not_linear(model):
    attention = decoder_of(model).layers[0].self_attn
    attention.o_proj = nn.Sequential(attention.o_proj, nn.Tanh())


def no_gradient(model):
    attention = decoder_of(model).layers[0].self_attn

    class Packed(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, hidden):
            return self.inner(hidden.detach())

    attention.o_proj = Packed(attention.o_proj)


def other_scores(model):
    """A user's own attention, twice as sharp as it is asked to be."""

    def sharp(*args, scaling, **options):
        return sdpa_attention_forward(*args, scaling=2 * scaling, **options)

    AttentionInterface.register("sharp", sharp)
    AttentionMaskInterface.register("sharp", sdpa_mask)
    model.set_attn_implementation({"text_config": "sharp"})


CASES = {
    no_interface: "layer 1 computes its attention in a way of its own",
    between_layers: "layer 0 is followed by something else than the next one",
    no_constant: "layer 1 is not one of a residual stream: what its parts return does not add up",
    other_scores: "layer 0 does not attend as its scores say",
    another_norm: "neither an RMSNorm nor a LayerNorm",
    no_gate: "something else than a gate",
    not_linear: "is not linear",
    no_gradient: "cannot be differentiated",
}


@pytest.mark.parametrize("change", CASES, ids=lambda change: change.__name__)
def test_what_does_not_reproduce_the_run_is_refused_with_its_reason(change):
    model = tiny_models.build()
    change(model)
    before = state_of(model)
    ex = explained(model)
    assert ex.lenses == ("tam",)
    assert state_of(model) == before
    with pytest.raises(tam.LensError, match=CASES[change]):
        ex.heatmap(5, lens="contribution")
    alone = explained(model, lenses=("tam",))
    np.testing.assert_array_equal(ex.heatmap(5), alone.heatmap(5))
    assert not choice._HEARD


def test_several_residual_streams_are_refused():
    _, processor = named("llava")[0].pair()
    torch.manual_seed(0)
    config = named("llava")[0].build().config
    options = {"num_kv_shared_layers": 0, "altup_num_inputs": 2, "laurel_rank": 4, "head_dim": 16}
    options |= {"vocab_size_per_layer_input": len(processor.tokenizer) + 13, "hidden_size_per_layer_input": 8}
    options |= {"layer_types": ["sliding_attention", "full_attention"], "activation_sparsity_pattern": [0.0, 0.0]}
    config.text_config = Gemma3nTextConfig(**{**decoder(processor.tokenizer), **options})
    model = LlavaForConditionalGeneration(config).eval()
    ex = tam.explain(model, processor, PICTURE, PROMPT, answer=ANSWER)
    with pytest.raises(tam.LensError, match="several residual streams"):
        ex.maps(lens="contribution")
    assert np.nanmax(ex.maps().images[0]) > 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda model: setattr(decoder_of(model).layers[0], "_compiled_call_impl", print), "is compiled"),
        (
            lambda model: setattr(model.config.get_text_config(), "_attn_implementation_internal", "flex_attention"),
            "flex_attention",
        ),
    ],
)
def test_what_cannot_be_watched_is_known_before_the_model_runs(change, reason):
    model = tiny_models.build()
    change(model)
    norm, _ = capture.readable_parts(model)
    assert reason in watch.Watch(model, decoder_of(model), norm, [], 0).refusal


def test_a_lens_that_was_not_taken_is_told():
    ex = explained(tiny_models.build(), lenses=("contribution",))
    assert ex.lenses == ("tam", "contribution")
    with pytest.raises(tam.LensError, match=r"'attention' was not taken .* lenses=\('tam', 'attention'\)"):
        ex.heatmap(5, lens="attention")
    with pytest.raises(ValueError, match=r"lenses must be some of 'tam', 'contribution'.* not 'cam'"):
        explained(tiny_models.build(), lenses=("cam",))


@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt])
def test_an_error_in_the_run_leaves_nothing_behind(kind):
    model, processor = tiny_models.build(), tiny_models.processor()
    before = state_of(model)

    def broken(*_):
        raise kind("stop")

    with pytest.raises(kind, match="stop"):
        tam.explain(model, processor, PICTURE, PROMPT, logits_processor=[broken])
    assert state_of(model) == before
    assert not choice._HEARD


def test_another_threads_run_is_not_taken(tiny):
    """Both run the same model at once; the other one waits within ours, and calls it without the lock."""
    model, processor = tiny()
    inputs = tiny_models.prepared(processor, [PICTURE], PROMPT).inputs
    expected = explained(model)

    def meanwhile(_said, scores):
        with ThreadPoolExecutor(1) as threads, torch.no_grad():
            threads.submit(torch.no_grad()(lambda: model(**inputs))).result()
        return scores

    found = tam.explain(model, processor, PICTURE, PROMPT, max_new_tokens=3, logits_processor=[meanwhile])
    plain = tam.explain(model, processor, PICTURE, PROMPT, max_new_tokens=3)
    assert expected.lenses == found.lenses == ("tam", "contribution")
    np.testing.assert_array_equal(found.maps(lens="contribution").images[0], plain.maps(lens="contribution").images[0])


def test_ctrl_c_leaves_nothing_wherever_it_comes():
    """Where Python looks for signals: at each call of what sets attention and hooks and takes them back, and after."""
    model, processor = tiny_models.build(), tiny_models.processor()
    inputs = tiny_models.prepared(processor, [PICTURE], PROMPT).inputs
    norm, _ = capture.readable_parts(model)

    def run():
        watched = watch.Watch(model, decoder_of(model), norm, [], inputs["input_ids"].shape[1] - 1)
        capture.replay(model, inputs, [1, 2], watch=watched)
        return watched

    before = state_of(model)
    plain = {"_set", "_unhook", "_wake", "_trace"}
    entered = plain | {"__enter__", "__exit__"}
    moments_of = {"c_return": entered, "call": entered, "return": plain}
    files = {part.__file__ for part in (capture, hooks, choice, watch, contextlib)}
    moments = last = 0

    def look(frame, event, _):
        nonlocal moments
        if frame.f_code.co_name in moments_of.get(event, ()) and frame.f_code.co_filename in files:
            moments += 1
            if moments == last:
                raise KeyboardInterrupt

    found = None
    while found is None:
        moments, last = 0, last + 1
        sys.setprofile(look)
        try:
            found = run()
        except KeyboardInterrupt:
            pass
        finally:
            sys.setprofile(None)
        assert state_of(model) == before, f"moment {last}"
        assert not choice._HEARD, f"moment {last}"
    assert last > 40
    assert found.refusal is None
