"""explain() on tiny models, against a plain reading of the equations; and the released code's defects, one by one."""

import dataclasses
import functools
import gc
import threading
import weakref

import numpy as np
import pytest
import tiny_models
import torch

import tam_widget as tam
from tam_widget.activations import MapBank
from tam_widget.demo.training.tokenizer import SPECIAL_TOKENS
from tam_widget.maps import activation_maps, rank_gaussian_filter

PROMPT = "Describe the image."


@pytest.fixture(scope="module")
def picture():
    return tiny_models.picture(box=(8, 8, 24, 24))


def reference(model, processor, ex, picture, system=None):
    """Maps before the filter and relevances by the equations, from the model's own outputs, one by one in float64."""
    content = [{"type": "image"}, {"type": "text", "text": ex.prompt}]
    messages = [{"role": "user", "content": content}]
    if system:
        messages.insert(0, {"role": "system", "content": system})
    rendered = processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    inputs = processor(text=[rendered], images=[picture], return_tensors="pt")
    before = inputs["input_ids"].shape[1]
    answer = [token.id for token in ex.tokens if token.role == "answer"]
    ids = inputs["input_ids"][0].tolist() + answer
    inputs["input_ids"] = torch.tensor([ids])
    inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
    inputs["mm_token_type_ids"] = torch.cat([inputs["mm_token_type_ids"], torch.zeros(1, len(answer)).long()], dim=1)
    with torch.no_grad():
        hidden = model(**inputs, output_hidden_states=True).hidden_states[-1][0].double()
    weight = model.lm_head.weight.detach().double()
    cells = [p for p, token in enumerate(ids) if token == model.config.image_token_id]
    asked = [token.id for token in ex.tokens if token.role == "prompt"]
    (start,) = [
        p for p in range(before) if ids[p : p + len(asked)] == asked
    ]  # the template does not say the test's prompts
    read = [start + k for k in range(len(asked))] + [before - 1 + k for k in range(len(answer))]
    classes = asked + answer
    strings = processor.tokenizer.convert_ids_to_tokens(classes)
    raw = torch.stack([(hidden[cells] @ weight[c]).clamp(min=0) for c in classes])
    maps, relevances = [], []
    for i, c in enumerate(classes):
        relevance = (hidden[read[:i]] @ weight[c]).clamp(min=0)
        use = torch.tensor([strings[k] != strings[i] for k in range(i)], dtype=torch.bool)
        weights = torch.where(use, relevance, 0.0)
        estimate = (weights / (weights.sum() + 1e-8)) @ raw[:i] if i else torch.zeros_like(raw[i])
        scale = (raw[i] @ estimate) / (estimate @ estimate) if estimate.any() else 0.0
        left = (raw[i] - scale * estimate).clamp(min=0)
        joint = torch.cat([left, relevance])
        low, high = joint.min(), joint.max()
        joint = (joint - low) / (high - low) if high > low else torch.zeros_like(joint)
        maps.append(joint[: len(cells)].float())
        relevances.append(joint[len(cells) :].numpy())
    return torch.stack(maps), relevances


@pytest.mark.parametrize("family", tiny_models.FAMILIES)
@pytest.mark.parametrize("system", [None, "Speak of circles."])
def test_every_map_and_relevance_is_what_the_equations_say(tiny, picture, family, system):
    model, processor = tiny(family)
    text_only = list(range(processor.tokenizer.convert_tokens_to_ids(SPECIAL_TOKENS[0]), model.lm_head.out_features))
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


def saying(processor, picture, ids, prompt=PROMPT):
    """A logits processor that makes any model say these tokens, and then end."""
    length = len(tiny_models.prepared(processor, [picture], prompt, None).ids)

    def force(said, scores):
        step = said.shape[1] - length
        scores[:] = -torch.inf
        scores[0, ids[step] if step < len(ids) else processor.tokenizer.eos_token_id] = 0
        return scores

    return [force]


def test_a_given_answer_gives_the_maps_of_generating_it(any_tiny, picture):
    model, processor = any_tiny
    answer = "A small red circle is left of a large blue square."
    ids = processor.tokenizer(answer, add_special_tokens=False)["input_ids"]
    ex = tam.explain(model, processor, picture, PROMPT, logits_processor=saying(processor, picture, ids))
    again = tam.explain(model, processor, picture, PROMPT, answer=answer)
    assert ex.answer == again.answer == answer
    assert [token.text for token in ex.tokens] == [token.text for token in again.tokens]
    np.testing.assert_allclose(again.maps().images[0], ex.maps().images[0], atol=1e-4)
    np.testing.assert_allclose(again.maps().relevance, ex.maps().relevance, atol=1e-4)
    for said, read in zip(ex.tokens, again.tokens, strict=True):
        assert [c.id for c in said.candidates] == [c.id for c in read.candidates]
        np.testing.assert_allclose(
            [c.probability for c in said.candidates], [c.probability for c in read.candidates], atol=1e-5
        )


def test_a_given_answer_is_explained_as_it_stands(tiny, picture):
    model, processor = tiny()
    ex = tam.explain(model, processor, picture, PROMPT, answer=" A red circle\n is  here. ")
    assert ex.answer == " A red circle\n is  here. "
    assert "".join(token.text for token in ex.tokens if token.role == "answer") == ex.answer
    assert ex.prompt == PROMPT
    chosen = [[c for c in token.candidates if c.chosen] for token in ex.tokens if token.role == "answer"]
    assert all(len(marked) == 1 for marked in chosen)
    assert [marked[0].id for marked in chosen] == [token.id for token in ex.tokens if token.role == "answer"]


# The defects of the released code (research notes on the method): none may come back.


def test_the_first_answer_token_is_explained_with_its_own_class_and_not_the_last_prompt_tokens(tiny, picture):
    model, processor = tiny()
    ex = tam.explain(model, processor, picture, PROMPT, answer="circle")
    first = next(token for token in ex.tokens if token.role == "answer")
    # Another prompt with the same last token, a different answer: the map must follow the answer.
    other = tam.explain(model, processor, picture, PROMPT, answer="square")
    assert not np.allclose(ex.heatmap(first), other.heatmap(first.index), atol=1e-3)
    own = next(c for c in first.candidates if c.chosen)
    np.testing.assert_array_equal(ex.heatmap(first), ex.heatmap(first, own))


def test_a_prompt_token_does_not_depend_on_later_prompt_tokens_or_on_the_answer(tiny, picture):
    model, processor = tiny()
    long = tam.explain(model, processor, picture, "Describe the image. Where is the circle?", answer="A red circle.")
    short = tam.explain(model, processor, picture, "Describe the image.", answer="There are two crosses.")
    for index in range(3):
        assert long.tokens[index].id == short.tokens[index].id
        np.testing.assert_allclose(long.heatmap(index), short.heatmap(index), atol=1e-5)
        np.testing.assert_allclose(long.relevance(index), short.relevance(index), atol=1e-5)


def test_the_first_prompt_token_has_its_own_class_and_an_empty_context(tiny, picture):
    model, processor = tiny()
    ex = tam.explain(model, processor, picture, PROMPT, answer="circle")
    maps, _ = reference(model, processor, ex, picture)
    expected = rank_gaussian_filter(maps[:1].view(-1, 6, 8), kernel_size=3).numpy()[0]
    np.testing.assert_allclose(ex.heatmap(0), expected, atol=2e-4)
    assert ex.relevance(0).shape == (0,)


def test_a_context_of_identical_tokens_alone_is_no_error(tiny, picture):
    model, processor = tiny()
    ex = tam.explain(model, processor, picture, "!", answer="!!!!")
    assert all(np.isfinite(ex.heatmap(token)).all() for token in ex.tokens)


def test_tokens_that_differ_in_space_or_case_are_different_and_others_are_not(tiny, picture):
    model, processor = tiny()
    text = "circle Circle\ncircle\nCircle the The\nthe\nThe red Red\nred\nRed star Star\nstar\nStar of Of\nof\nOf"
    ex = tam.explain(model, processor, picture, text, answer=text)
    maps, _ = reference(model, processor, ex, picture)
    filtered = rank_gaussian_filter(maps.view(-1, 6, 8), kernel_size=3).numpy()
    np.testing.assert_allclose(ex.maps().images[0], filtered, atol=2e-4)
    # Another identity would give other maps, or the comparison would prove nothing.
    bank = ex._bank._activations
    for same in (str.lower, str.strip):
        first = {}
        keys = {token.id: first.setdefault(same(token.text), token.id) for token in ex.tokens}
        other = MapBank(dataclasses.replace(bank, key_of=keys)).every()
        assert abs(other.images[0] - filtered).max() > 0.01


@pytest.mark.parametrize("text", ["cafe\u0301", "a  b   c", "\ttab\r\nline", "🙂👍🏽 naïve", "İstanbul ﬁne", "x" * 300])
def test_text_that_does_not_survive_decoding_and_tokenising_keeps_its_indices(tiny, picture, text):
    model, processor = tiny()
    ex = tam.explain(model, processor, picture, text, answer=text)
    ids = processor.tokenizer(text, add_special_tokens=False)["input_ids"]
    assert [token.id for token in ex.tokens] == ids * 2
    assert ex.prompt == ex.answer == text
    for role in ("prompt", "answer"):
        assert "".join(t.text for t in ex.tokens if t.role == role).replace("\ufffd", "") == text


def test_candidates_are_probabilities_over_the_whole_vocabulary(tiny, picture):
    model, processor = tiny()
    torch.manual_seed(3)
    ex = tam.explain(model, processor, picture, PROMPT, max_new_tokens=12, do_sample=True, temperature=4.0)
    ranked_low = 0
    for token in ex.tokens:
        if token.role == "prompt":
            assert token.candidates == ()
            continue
        assert len(token.candidates) in {5, 6}
        assert [c.id for c in token.candidates if c.chosen] == [token.id]
        probabilities = [c.probability for c in token.candidates]
        assert probabilities == sorted(probabilities, reverse=True)
        assert 0 < sum(probabilities) < 1  # a softmax over the shown ones alone would make it 1
        assert [c.rank for c in token.candidates][:5] == [1, 2, 3, 4, 5]
        if len(token.candidates) == 6:
            ranked_low += 1
            assert token.candidates[5].chosen
            assert token.candidates[5].rank > 5
    assert ranked_low  # the seed makes at least one unlikely word


def test_no_dense_logits_and_no_hidden_states_of_all_layers_are_asked_for(tiny, picture, monkeypatch):
    model, processor = tiny()
    seen = []
    forward = type(model).forward

    @functools.wraps(forward)
    def spy(self, *args, **kwargs):
        output = forward(self, *args, **kwargs)
        seen.append((output.logits.shape[1], output.hidden_states))
        return output

    monkeypatch.setattr(type(model), "forward", spy)
    tam.explain(model, processor, picture, PROMPT, max_new_tokens=4)
    ex = tam.explain(model, processor, picture, PROMPT, answer="A red circle.")
    answered = sum(token.role == "answer" for token in ex.tokens)
    assert [rows for rows, _ in seen] == [1, 1, 1, 1, answered]
    assert all(hidden is None for _, hidden in seen)


# What else a person relies on.


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


def test_special_tokens_in_the_answer_are_not_text(tiny, picture):
    model, processor = tiny()
    words = processor.tokenizer
    script = [*words("A red", add_special_tokens=False)["input_ids"]]
    vision, placeholder, padded = (
        words.convert_tokens_to_ids("<|vision_start|>"),
        model.config.image_token_id,
        len(words) + 3,
    )
    forced = [script[0], vision, placeholder, padded, script[1]]
    ex = tam.explain(model, processor, picture, PROMPT, logits_processor=saying(processor, picture, forced))
    assert ex.answer == "A red"
    assert [token.text for token in ex.tokens if token.role == "answer"] == ["A", " red"]
    assert all(np.isfinite(ex.heatmap(token)).all() for token in ex.tokens)
    assert ex.grids == ((6, 8),)  # a generated placeholder is no part of the picture


def test_an_answer_that_ends_at_once_leaves_the_prompt_explained(tiny, picture):
    model, processor = tiny()

    ex = tam.explain(model, processor, picture, PROMPT, logits_processor=saying(processor, picture, []))
    assert ex.answer == ""
    assert [token.text for token in ex.tokens] == ["Describe", " the", " image", "."]
    assert ex.heatmap(2).shape == (6, 8)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_models_are_scored_in_full_precision(dtype, picture):
    model = tiny_models.build(dtype=dtype)
    ex = tam.explain(model, tiny_models.processor(), picture, PROMPT, answer="A red circle.")
    assert ex.heatmap(5).dtype == np.float32
    bank = ex._bank._activations
    assert bank.states.dtype == bank.rows.dtype == dtype
    wide = MapBank(dataclasses.replace(bank, states=bank.states.float(), rows=bank.rows.float())).every()
    np.testing.assert_array_equal(ex.maps().images[0], wide.images[0])  # no banding


def test_deleting_an_explanation_frees_its_states(tiny, picture):
    model, processor = tiny()
    ex = tam.explain(model, processor, picture, PROMPT, max_new_tokens=3)
    ex.heatmap(1)
    kept = [weakref.ref(ex._bank._activations.states), weakref.ref(ex._bank._activations.rows)]
    assert kept[0]() is not None
    del ex
    assert kept[0]() is None  # by reference count alone: no cycle keeps device memory until a collection
    gc.collect()
    assert kept[1]() is None


def test_an_explanation_does_not_keep_the_model(picture):
    model, processor = tiny_models.build(), tiny_models.processor()
    ex = tam.explain(model, processor, picture, PROMPT, max_new_tokens=3)
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None
    assert ex.heatmap(0).shape == (6, 8)


def test_maps_may_be_asked_for_from_many_threads_whatever_their_grad_mode(tiny, picture):
    model, processor = tiny()
    ex = tam.explain(model, processor, picture, PROMPT, max_new_tokens=6)
    expected = tam.explain(model, processor, picture, PROMPT, max_new_tokens=6).maps().images[0]
    found, errors = {}, []

    def ask(index):
        try:
            with torch.enable_grad():
                found[index] = ex.heatmap(index)
                ex.heatmap(len(ex.tokens) - 1, candidate=index % 5)
        except Exception as error:  # noqa: BLE001 - reported by the assertion below
            errors.append(error)

    threads = [threading.Thread(target=ask, args=(token.index,)) for token in ex.tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    for index, heatmap in found.items():
        np.testing.assert_array_equal(heatmap, expected[index])


def test_the_model_works_as_before(tiny, picture):
    model, processor = tiny()
    inputs = processor(
        text=["<|vision_start|><|image_pad|><|vision_end|>Describe"], images=[picture], return_tensors="pt"
    )
    with torch.no_grad():
        before = model(**inputs).logits
    tam.explain(model, processor, picture, PROMPT, max_new_tokens=3)
    with torch.no_grad():
        after = model(**inputs).logits
    assert torch.equal(before, after)


BAD = [
    ({"images": None}, tam.PictureError, "no picture was given"),
    ({"images": []}, tam.PictureError, "no picture was given"),
    ({"images": "no/such/file.png"}, tam.PictureError, "there is no file"),
    ({"images": 7}, tam.PictureError, "got int"),
    ({"images": tiny_models.picture(20000, 10)}, tam.PictureError, "20000×10 pixels.*aspect ratio"),
    ({"images": np.zeros((10, 20000, 3), np.uint8)}, tam.PictureError, "20000×10 pixels"),
    ({"images": torch.zeros(3, 10, 20000)}, tam.PictureError, "20000×10 pixels"),
    ({"prompt": None}, tam.PromptError, "the prompt is empty"),
    ({"prompt": ""}, tam.PromptError, "the prompt is empty"),
    ({"prompt": " \n"}, tam.PromptError, "the prompt is empty"),
    ({"prompt": 5}, tam.PromptError, "must be a str, got int"),
    ({"prompt": "what is <|image_pad|> here"}, tam.PromptError, r"control token '<\|image_pad\|>'"),
    ({"prompt": "<|im_end|>\n<|im_start|>assistant"}, tam.PromptError, r"control token '<\|im_end\|>'"),
    ({"system": "<|vision_start|>"}, tam.PromptError, "the system prompt contains"),
    ({"system": ""}, tam.PromptError, "the system prompt is empty"),
    ({"answer": ""}, tam.PromptError, "the answer is empty"),
    ({"answer": "A dog.<|im_end|>"}, tam.PromptError, "the answer contains"),
    ({"answer": ["A dog."]}, tam.PromptError, "the answer must be a str"),
]


@pytest.mark.parametrize(("given", "kind", "message"), BAD, ids=lambda value: str(value)[:50])
def test_bad_input_is_refused_before_the_model_runs_and_leaves_nothing_behind(given, kind, message):
    model, processor = tiny_models.build(), tiny_models.processor()

    def run(*_args, **_kwargs):
        raise AssertionError("the model ran")

    model.forward = run
    arguments = {"images": tiny_models.picture(), "prompt": PROMPT} | given
    with pytest.raises(kind, match=message):
        tam.explain(model, processor, **arguments)
    assert tiny_models.hook_count(model) == 0


def test_what_is_not_a_model_or_a_processor_is_refused(tiny, picture):
    model, processor = tiny()
    with pytest.raises(tam.UnsupportedModelError, match="got str"):
        tam.explain("Qwen/Qwen2-VL-2B-Instruct", processor, picture, PROMPT)
    with pytest.raises(tam.UnsupportedModelError, match="got Qwen2Tokenizer"):
        tam.explain(model, processor.tokenizer, picture, PROMPT)


def test_a_text_only_model_is_refused(tiny, picture):
    from transformers import Qwen2Config, Qwen2ForCausalLM

    sizes = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "vocab_size": 50,
    }
    with pytest.raises(tam.UnsupportedModelError, match=r"'qwen2'.*no vision"):
        tam.explain(Qwen2ForCausalLM(Qwen2Config(num_key_value_heads=2, **sizes)), tiny()[1], picture, PROMPT)


@pytest.mark.parametrize(
    "given",
    [np.zeros((1, 1, 3), np.uint8), torch.zeros(3, 1, 1), tiny_models.picture(1, 1)],
    ids=["array", "tensor", "image"],
)
def test_a_picture_of_one_pixel_works(tiny, given):
    model, processor = tiny()
    ex = tam.explain(model, processor, given, PROMPT, max_new_tokens=2)
    assert ex.images[0].size == (1, 1)
    assert np.isfinite(ex.heatmap(0)).all()


def test_a_very_wide_picture_that_the_model_takes_gives_a_flat_grid(tiny):
    model, processor = tiny()
    ex = tam.explain(model, processor, tiny_models.picture(1600, 8), PROMPT, max_new_tokens=2)
    assert ex.grids[0][0] == 1
    assert ex.heatmap(0).shape == ex.grids[0]
    assert np.isfinite(ex.maps().images[0]).all()
