"""The states that are captured are the model's own, in every way of running it, and nothing is left behind."""

import contextlib
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import tiny_models
import torch
from transformers.generation import stopping_criteria

import tam_widget as tam
from tam_widget.models import capture, hooks
from tam_widget.models.choices import TOP
from tam_widget.models.options import check_options


def inputs_for(processor, prompt="Describe the image.", **kwargs):
    return tiny_models.prepared(processor, [tiny_models.picture(**kwargs)], prompt, None).inputs


def generate(model, processor, inputs, max_new_tokens=8, **options):
    return capture.generate(model, inputs, **check_options(model, processor.tokenizer, max_new_tokens, options))


def forward(model, inputs, ids):
    """The model's own hidden states and logits of a whole sequence, by its public outputs."""
    count = len(ids) - inputs["input_ids"].shape[1]
    extended = dict(inputs)
    extended["input_ids"] = torch.tensor([ids])
    extended["attention_mask"] = torch.ones_like(extended["input_ids"])
    extended["mm_token_type_ids"] = torch.cat([inputs["mm_token_type_ids"], torch.zeros(1, count).long()], dim=1)
    with torch.no_grad():
        outputs = model(**extended, output_hidden_states=True, use_cache=False)
    return outputs.hidden_states[-1][0], outputs.logits[0]


def test_generate_captures_the_last_hidden_states_of_every_position(any_tiny):
    model, processor = any_tiny
    inputs = inputs_for(processor)
    run = generate(model, processor, inputs)
    states, logits = forward(model, inputs, run.ids)
    assert run.states.shape == (len(run.ids) - 1, 64)
    torch.testing.assert_close(run.states, states[:-1], atol=2e-5, rtol=0)
    torch.testing.assert_close(model.lm_head(run.states), logits[:-1], atol=1e-4, rtol=0)


def test_generate_says_what_plain_generate_says(any_tiny):
    model, processor = any_tiny
    inputs = inputs_for(processor)
    run = generate(model, processor, inputs)
    assert list(run.ids) == model.generate(**inputs, max_new_tokens=8)[0].tolist()


def test_replay_equals_generate(any_tiny):
    model, processor = any_tiny
    inputs = inputs_for(processor)
    run = generate(model, processor, inputs)
    length = inputs["input_ids"].shape[1]
    again = capture.replay(model, inputs, run.ids[length:])
    assert again.ids == run.ids
    torch.testing.assert_close(again.states, run.states, atol=2e-5, rtol=0)
    torch.testing.assert_close(again.choices.probabilities, run.choices.probabilities, atol=1e-5, rtol=0)
    assert again.choices.chosen_rank.tolist() == run.choices.chosen_rank.tolist()


@pytest.mark.parametrize(
    "options", [{"use_cache": False}, {"cache_implementation": "static"}, {"prefill_chunk_size": 17}]
)
def test_other_ways_of_prefilling_give_the_same_states(tiny, options):
    model, processor = tiny()
    inputs = inputs_for(processor)
    plain = generate(model, processor, inputs)
    other = generate(model, processor, inputs, **options)
    assert other.ids == plain.ids
    torch.testing.assert_close(other.states, plain.states, atol=2e-5, rtol=0)


def test_a_deferred_stop_is_taken_back(tiny, monkeypatch):
    """On MPS, generate() runs one step more than it returns; here that is forced on the CPU."""
    model, processor = tiny()
    inputs = inputs_for(processor)
    length = inputs["input_ids"].shape[1]
    plain = generate(model, processor, inputs, max_new_tokens=6)
    end = plain.ids[length + 2]

    from transformers.generation import utils

    class Late(utils.StopCheck):
        stop = False

        def __call__(self, unfinished, tokens, length):
            before, self.stop = self.stop, super().__call__(unfinished, tokens, length)
            return before

        def finish(self):
            return 1

    monkeypatch.setattr(utils, "StopCheck", Late)
    run = generate(model, processor, inputs, max_new_tokens=6, eos_token_id=end)
    assert run.ids == plain.ids[: length + 3]
    assert run.states.shape[0] == len(run.ids) - 1
    assert len(run.choices.chosen) == 3
    torch.testing.assert_close(run.states, plain.states[: len(run.ids) - 1], atol=2e-5, rtol=0)


def test_sampling_follows_the_seed_as_plain_generate_does(tiny):
    model, processor = tiny()
    inputs = inputs_for(processor)
    options = {"do_sample": True, "temperature": 1.5, "top_k": 0}
    torch.manual_seed(5)
    run = generate(model, processor, inputs, **options)
    torch.manual_seed(5)
    plain = model.generate(**inputs, max_new_tokens=8, **options)[0].tolist()
    torch.manual_seed(6)
    other = generate(model, processor, inputs, **options)
    assert list(run.ids) == plain
    assert other.ids != run.ids


def test_probabilities_are_those_of_the_raw_logits_before_temperature(tiny):
    model, processor = tiny()
    inputs = inputs_for(processor)
    torch.manual_seed(0)
    run = generate(model, processor, inputs, do_sample=True, temperature=3.0, repetition_penalty=1.7)
    _, logits = forward(model, inputs, run.ids)
    length = inputs["input_ids"].shape[1]
    probabilities = logits[length - 1 : -1].softmax(dim=-1)
    chosen = torch.tensor(run.ids[length:])
    own = probabilities.gather(1, chosen[:, None])[:, 0]
    top = probabilities.topk(TOP, dim=-1)
    torch.testing.assert_close(run.choices.chosen_probability, own, atol=1e-5, rtol=0)
    torch.testing.assert_close(run.choices.probabilities, top.values, atol=1e-5, rtol=0)
    assert run.choices.ids.tolist() == top.indices.tolist()
    assert run.choices.chosen.tolist() == chosen.tolist()
    assert run.choices.chosen_rank.tolist() == ((probabilities > own[:, None]).sum(1) + 1).tolist()


def test_hooks_go_after_success_and_failure(tiny):
    model, processor = tiny()
    inputs = inputs_for(processor)
    before = tiny_models.hook_count(model)  # transformers leaves some of its own behind
    generate(model, processor, inputs)
    capture.replay(model, inputs, [1, 2])
    assert tiny_models.hook_count(model) == before

    for kind in (RuntimeError, KeyboardInterrupt):

        def broken(*_args, kind=kind, **_kwargs):
            raise kind("stop")

        with pytest.raises(kind, match="stop"):
            generate(model, processor, inputs, logits_processor=[broken])
        assert tiny_models.hook_count(model) == before


def test_ctrl_c_leaves_nothing_wherever_it_comes():
    """Where Python looks for signals: at each call of what sets hooks and mode and takes them back, and after it."""
    model, processor = tiny_models.build(), tiny_models.processor()
    model.lm_head.train()
    inputs = inputs_for(processor)
    expected = capture.replay(model, inputs, [1, 2]).states
    before = [tiny_models.hook_count(model), model.lm_head.training]
    # Not where generators are entered and left: an error of a profiler would skip their handlers, a signal's does not.
    plain = {"_wake", "_unhook", "register_forward_hook", "register_forward_pre_hook"}
    entered = plain | {"__enter__", "__exit__"}
    watched = {"c_return": entered | {"alone", "_recording", "without_hooks_after"}, "call": entered, "return": plain}
    files = {capture.__file__, hooks.__file__, contextlib.__file__, sys.modules["torch.nn.modules.module"].__file__}
    moments = last = 0

    def look(frame, event, _):
        nonlocal moments
        if frame.f_code.co_name in watched.get(event, ()) and frame.f_code.co_filename in files:
            moments += 1
            if moments == last:
                raise KeyboardInterrupt

    found = None
    while found is None:
        moments, last = 0, last + 1
        sys.setprofile(look)
        try:
            found = capture.replay(model, inputs, [1, 2]).states
        except KeyboardInterrupt:
            pass
        finally:
            sys.setprofile(None)
        assert [tiny_models.hook_count(model), model.lm_head.training] == before, f"moment {last}"
        assert is_free(model), f"moment {last}"
    assert last > 40
    assert torch.equal(found, expected)


def is_free(model):
    """Whether another thread could have the model."""

    def take():
        with contextlib.ExitStack() as held:
            lock = capture._lock_of(model)
            taken = lock.acquire(blocking=False)
            if taken:
                held.callback(lock.release)
            return taken

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(take).result()


def test_training_mode_is_left_as_it_was_and_not_used():
    model, processor = tiny_models.build(), tiny_models.processor()
    model.model.language_model.config.attention_dropout = 0.5
    for layer in model.model.language_model.layers:
        layer.self_attn.attention_dropout = 0.5
    inputs = inputs_for(processor)
    reference = generate(model, processor, inputs)
    model.train()
    model.model.visual.eval()
    run = generate(model, processor, inputs)
    torch.testing.assert_close(run.states, reference.states)
    assert model.training
    assert model.lm_head.training
    assert not any(module.training for module in model.model.visual.modules())


def test_no_gradients_are_kept(tiny):
    model, processor = tiny()
    inputs = inputs_for(processor)
    run = generate(model, processor, inputs)
    again = capture.replay(model, inputs, run.ids[inputs["input_ids"].shape[1] :])
    assert not run.states.requires_grad
    assert not again.states.requires_grad
    assert torch.is_grad_enabled()


def test_two_threads_on_one_model_take_turns(tiny):
    model, processor = tiny()
    wide, high = inputs_for(processor), inputs_for(processor, "Where is the circle?", width=48, height=64)
    expected = [generate(model, processor, inputs) for inputs in (wide, high)]
    found, errors = {}, []
    before = tiny_models.hook_count(model)

    def work(k, inputs):
        try:
            found[k] = [generate(model, processor, inputs) for _ in range(3)]
        except BaseException as error:  # noqa: BLE001 - reported by the assertion below
            errors.append(error)

    threads = [threading.Thread(target=work, args=(k, inputs)) for k, inputs in enumerate((wide, high))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    for k, runs in found.items():
        for run in runs:
            assert run.ids == expected[k].ids
            torch.testing.assert_close(run.states, expected[k].states, atol=2e-5, rtol=0)
    assert tiny_models.hook_count(model) == before


def test_a_second_run_waits_for_the_first(tiny):
    model, processor = tiny()
    inputs = inputs_for(processor)
    second_is_through, overlapped = threading.Event(), []

    def second():
        generate(model, processor, inputs)
        second_is_through.set()

    other = threading.Thread(target=second)

    def first(_ids, scores):
        if not other.ident:
            other.start()
            overlapped.append(second_is_through.wait(0.5))  # it needs a tenth of that
        return scores

    generate(model, processor, inputs, logits_processor=[first])
    other.join()
    assert overlapped == [False]
    assert second_is_through.is_set()


def test_a_forward_pass_of_another_thread_is_not_recorded(tiny):
    model, processor = tiny()
    inputs = inputs_for(processor)
    plain = generate(model, processor, inputs)
    decoder = model.get_decoder()

    def intrude(_ids, scores):
        def forward():
            with torch.no_grad():
                decoder(inputs_embeds=torch.randn(1, 3, 64), use_cache=False)

        thread = threading.Thread(target=forward)
        thread.start()
        thread.join()
        return scores

    run = generate(model, processor, inputs, logits_processor=[intrude])
    torch.testing.assert_close(run.states, plain.states)


def test_states_that_are_not_behind_the_logits_are_refused():
    model, processor = tiny_models.build(), tiny_models.processor()
    inputs = inputs_for(processor)
    # A head that is given something else than the final norm's output, as a release of Qwen3-VL once was.
    handle = model.get_decoder().register_forward_hook(
        lambda _m, _a, output: output.__class__(**{**output, "last_hidden_state": output.last_hidden_state * 1.01})
    )
    with pytest.raises(tam.CaptureError, match="not given what the final norm returned"):
        generate(model, processor, inputs)
    with pytest.raises(tam.CaptureError, match="not given what the final norm returned"):
        capture.replay(model, inputs, [1, 2, 3])
    handle.remove()
    assert tiny_models.hook_count(model) == 0


def test_overflowing_states_are_refused():
    model, processor = tiny_models.build(), tiny_models.processor()
    model.get_decoder().norm.weight.data.fill_(torch.inf)
    with pytest.raises(tam.CaptureError, match="overflow"):
        generate(model, processor, inputs_for(processor))


def test_a_model_without_a_final_norm_is_refused():
    model, processor = tiny_models.build(), tiny_models.processor()
    del model.get_decoder().norm
    with pytest.raises(tam.UnsupportedModelError, match="final norm"):
        tam.explain(model, processor, tiny_models.picture(), "Describe the image.")


def test_stop_strings_and_own_criteria_still_work(tiny):
    model, processor = tiny()
    inputs = inputs_for(processor)
    length = inputs["input_ids"].shape[1]
    script = processor.tokenizer("A small red circle is left of a square", add_special_tokens=False)["input_ids"]

    def say(ids, scores):
        scores[:] = -torch.inf
        scores[0, script[ids.shape[1] - length]] = 0
        return scores

    run = generate(model, processor, inputs, stop_strings=["circle"], logits_processor=[say])
    assert run.ids[length:] == tuple(script[:4])
    limit = stopping_criteria.MaxLengthCriteria(length + 6)
    run = generate(model, processor, inputs, stopping_criteria=[limit], logits_processor=[say])
    assert run.ids[length:] == tuple(script[:6])


def test_bfloat16_states_stay_bfloat16():
    model, processor = tiny_models.build(dtype=torch.bfloat16), tiny_models.processor()
    inputs = inputs_for(processor)
    run = generate(model, processor, inputs)
    assert run.states.dtype == torch.bfloat16
    assert run.choices.probabilities.dtype == torch.float32
    assert bool((run.choices.probabilities.sum(dim=1) <= 1 + 1e-6).all())
