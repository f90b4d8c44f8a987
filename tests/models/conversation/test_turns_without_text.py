"""Any pattern of turns: with and without text, several pictures, empty answers. Generated, by a fixed seed."""

from functools import cache

import numpy as np
import pytest
import tiny_models
from hypothesis import given, settings
from hypothesis import strategies as st

import tam_widget as tam
from tam_widget.models.inputs.conversation import prepare
from tam_widget.models.inputs.messages import conversation_from_messages

WORDS = st.sampled_from(
    [
        "What color is it?",
        "user",
        "assistant: no",
        " a ",
        "a",
        "\n",
        "两只猫",
        "cafe\u0301 👍🏽",
        "Red.",
        "ASSISTANT: red",
    ]
)
PICTURE = {"type": "image"}


@st.composite
def conversations(draw):
    """Messages whose pictures have no source, how many pictures, and what each turn's texts are."""
    messages, texts, pictures = [], {}, 0
    if draw(st.booleans()):
        messages.append({"role": "system", "content": draw(st.sampled_from(["", "Be brief.", "user"]))})
    turns = draw(st.integers(1, 4))
    for turn in range(turns):
        parts = draw(st.lists(st.one_of(WORDS, st.just(PICTURE), st.just("")), max_size=4))
        if turn == turns - 1 and not pictures and PICTURE not in parts:
            parts.append(PICTURE)
        pictures += parts.count(PICTURE)
        content = [part if part is PICTURE else {"type": "text", "text": part} for part in parts]
        messages.append({"role": "user", "content": content})
        _note(texts, turn, "prompt", parts)
        if turn < turns - 1:
            said = draw(st.one_of(WORDS, st.just("")))
            messages.append({"role": "assistant", "content": said})
            _note(texts, turn, "answer", [said])
    if draw(st.booleans()):
        messages.append({"role": "assistant", "content": draw(st.sampled_from(["", [], None]))})
    return messages, pictures, texts


def _note(texts, turn, role, parts):
    """Texts that a picture parts are read with a break between them, others as one."""
    pieces = [""]
    for part in parts:
        if part is PICTURE:
            pieces.append("")
        else:
            pieces[-1] += part
    said = "\n".join(piece for piece in pieces if piece)
    if said:
        texts[turn, role] = said


def pictures_for(count):
    return [tiny_models.picture(16 + 8 * k, 24) for k in range(count)]


@cache
def demo(name):
    return tam.load_demo(name)


def processor_of(name):
    return tiny_models.processor() if name == "tiny" else demo(name)[1]


@pytest.mark.parametrize("name", ["tiny", "qwen", "llava"])
@settings(max_examples=60, deadline=None, derandomize=True)
@given(made=conversations())
def test_the_tokens_join_to_the_texts_of_their_turns(name, made):
    messages, count, texts = made
    conversation = conversation_from_messages(messages, pictures_for(count))
    assert conversation.turn == sum(message["role"] == "user" for message in messages) - 1
    prepared = prepare(processor_of(name), conversation)
    assert prepared.texts == texts
    joined = dict.fromkeys(texts, "")
    for slot in prepared.slots:
        key = (slot.turn, slot.role)
        at = len(joined[key])
        gap = texts[key][at : slot.span[0]] if slot.span[0] > at else ""
        joined[key] += gap + slot.text.replace("\ufffd", "")
        assert gap.strip("\n") == ""
    assert joined == texts
    positions = [slot.position for slot in prepared.slots]
    assert positions == sorted(set(positions))
    assert all(prepared.ids[slot.position] == slot.id for slot in prepared.slots)
    assert len(prepared.spans) == count


@settings(max_examples=12, deadline=None, derandomize=True)
@given(made=conversations())
def test_answers_are_written_over_none(tiny, made):
    messages, count, texts = made
    model, processor = tiny()
    ex = tam.explain(model, processor, pictures_for(count), messages=messages, max_new_tokens=3)
    last = max(turn for turn, _ in ex.texts)
    assert {key: text for key, text in ex.texts.items() if key != (last, "answer")} == texts
    assert ex.prompt == texts.get((last, "prompt"), "")
    assert ex.answer == ex.texts[last, "answer"]
    assert {token.turn for token in ex.tokens if token.role == "answer" and len(token.candidates) == 0} == set()
    assert len(ex.images) == len(ex.grids) == count
    for word in ex.words:
        text = ex.texts[word.tokens[0].turn, word.tokens[0].role]
        assert word.text.strip() in text.replace("\r", "\n") or "\ufffd" in word.text
    # The same answer, given.
    if ex.answer.strip() and "\ufffd" not in ex.answer:
        asked = messages[:-1] if messages[-1]["role"] == "assistant" else messages
        again = tam.explain(
            model, processor, pictures_for(count), messages=[*asked, {"role": "assistant", "content": ex.answer}]
        )
        assert again.texts == ex.texts
        assert [token.turn for token in again.tokens if token.role == "prompt"] == [
            token.turn for token in ex.tokens if token.role == "prompt"
        ]


def test_a_turn_with_a_picture_only_keeps_the_answers_apart():
    model, processor = demo("qwen")
    first, second = (tam.demo.scene(seed=seed).image for seed in (7, 8))
    chat = [
        {"role": "user", "content": [{"type": "image", "image": first}, "Describe the image."]},
        {"role": "assistant", "content": "a red circle"},
        {"role": "user", "content": [{"type": "image", "image": second}]},
    ]
    ex = tam.explain(model, processor, messages=chat, max_new_tokens=8)
    assert ex.texts[0, "answer"] == "a red circle"
    assert ex.prompt == ""
    assert ex.texts[1, "answer"] == ex.answer
    for turn in (0, 1):
        said = "".join(token.text for token in ex.tokens if (token.turn, token.role) == (turn, "answer"))
        assert said == ex.texts[turn, "answer"]
    assert [word.text for word in ex.words if word.tokens[0].turn == 0][-3:] == ["a", "red", "circle"]


def test_a_first_message_with_a_picture_only_is_answered(tiny):
    model, processor = tiny()
    picture = tiny_models.picture(box=(5, 5, 20, 20))
    ex = tam.explain(model, processor, picture, messages=[{"role": "user", "content": [PICTURE]}], max_new_tokens=3)
    assert [token.role for token in ex.tokens] == ["answer"] * 3
    assert ex.prompt == ""
    assert np.isfinite(ex.maps().images[0]).all()
    assert ex.relevance(2).shape == (2,)


def test_where_nobody_says_anything_there_is_nothing_to_explain(tiny):
    model, processor = tiny()
    ends = processor.tokenizer.eos_token_id

    def end(_ids, scores):
        scores[:] = -float("inf")
        scores[:, ends] = 0
        return scores

    messages = [{"role": "user", "content": [PICTURE]}]
    with pytest.raises(tam.GenerationError, match="no token to explain"):
        tam.explain(model, processor, tiny_models.picture(), messages=messages, logits_processor=end)
    assert tiny_models.hook_count(model) == 0


def test_an_answer_after_an_answer_is_a_turn_of_its_own(tiny):
    model, processor = tiny()
    chat = [
        {"role": "user", "content": [PICTURE, "What is it?"]},
        {"role": "assistant", "content": "A star."},
        {"role": "assistant", "content": "It is red."},
    ]
    picture = tiny_models.picture()
    ex = tam.explain(model, processor, picture, messages=chat)
    assert ex.texts == {(0, "prompt"): "What is it?", (0, "answer"): "A star.", (1, "answer"): "It is red."}
    ex = tam.explain(
        model, processor, picture, messages=[*chat, {"role": "assistant", "content": ""}], max_new_tokens=2
    )
    assert {turn for turn, role in ex.texts if role == "answer"} == {0, 1, 2}


def test_what_cannot_be_a_conversation_is_refused_before_the_model_runs():
    model, processor = tiny_models.build(), tiny_models.processor()
    model.forward = None  # would be an error of another kind
    picture = tiny_models.picture()
    empty = {"role": "assistant", "content": ""}
    for messages in ([], [empty], [{"role": "system", "content": "x"}, empty]):
        with pytest.raises(tam.PromptError):
            tam.explain(model, processor, picture, messages=messages)
    with pytest.raises(tam.PictureError, match="no picture"):
        tam.explain(model, processor, messages=[{"role": "user", "content": ""}])
    with pytest.raises(tam.PromptError, match="the answer is empty"):
        tam.explain(model, processor, picture, messages=[{"role": "user", "content": "x"}, empty], answer=" ")
