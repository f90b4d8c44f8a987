"""A conversation as the model reads it: every text token on its own characters, every turn where it stands."""

import io

import numpy as np
import pytest
import tiny_models

import tam_widget as tam
from tam_widget.models.inputs.conversation import prepare, tokenize_answer
from tam_widget.models.inputs.messages import conversation_from, conversation_from_messages

PROMPTS = [
    "Describe the image.",
    "user",  # the template says it too
    "assistant\nuser\nsystem",
    "You are a helpful assistant.",
    " leading and trailing ",
    "两只猫在桌子上 and a 😀 smile",
    "cafe\u0301 NFC, tabs\tand\n\nlines",
    "<b>not markup</b> {{ nor template }} $5 \\n",
]


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("system", [None, "user Describe the image."])
def test_the_prompts_tokens_are_found_whatever_it_says(tiny, prompt, system):
    _, processor = tiny()
    prepared = tiny_models.prepared(processor, [tiny_models.picture()], prompt, system)
    words = processor.tokenizer
    alone = words(prompt, add_special_tokens=False)["input_ids"]
    assert [slot.id for slot in prepared.slots] == alone
    assert [prepared.ids[slot.position] for slot in prepared.slots] == alone
    assert prepared.texts == {(0, "prompt"): prompt}
    # Just behind the picture, just before the end of the turn: not an occurrence in the template or the system prompt.
    assert prepared.ids[prepared.slots[0].position - 1] == words.convert_tokens_to_ids("<|vision_end|>")
    assert prepared.ids[prepared.slots[-1].position + 1] == words.convert_tokens_to_ids("<|im_end|>")
    assert {(slot.role, slot.turn) for slot in prepared.slots} == {("prompt", 0)}
    assert "".join(slot.text for slot in prepared.slots).replace("\ufffd", "") == prompt


def test_a_template_that_trims_is_followed(tiny):
    template = tiny_models.TEMPLATE.replace("{{ content['text'] }}", "{{ content['text'] | trim }}")
    processor = tiny_models.processor(template=template)
    prepared = tiny_models.prepared(processor, [tiny_models.picture()], "  Describe the image. \n", None)
    assert prepared.texts == {(0, "prompt"): "Describe the image."}
    assert "".join(slot.text for slot in prepared.slots) == "Describe the image."


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("{{ content['text'] | upper }}", "changes the prompt's text"),
        (
            "{% if 'a' in content['text'] %}yes {% endif %}{{ content['text'] }}",
            "changes the prompt's text|changes with",
        ),
        ("nothing", "drops or reorders"),
    ],
)
def test_a_template_that_rewrites_the_prompt_is_refused(change, message):
    processor = tiny_models.processor(template=tiny_models.TEMPLATE.replace("{{ content['text'] }}", change))
    with pytest.raises(tam.LayoutError, match=message):
        tiny_models.prepared(processor, [tiny_models.picture()], "Describe a picture", None)


def test_a_processor_without_template_or_fast_tokenizer_is_refused(tiny):
    with pytest.raises(tam.UnsupportedModelError, match="chat template"):
        tiny_models.prepared(tiny_models.processor(template=None), [tiny_models.picture()], "Describe", None)

    class Slow:
        is_fast = False

        def __getattr__(self, name):
            return getattr(tiny_models.tokenizer(), name)

    processor = tiny_models.processor()
    processor.tokenizer = Slow()
    with pytest.raises(tam.LayoutError, match="fast tokenizer"):
        tiny_models.prepared(processor, [tiny_models.picture()], "Describe", None)


def test_a_processor_that_does_not_say_where_things_went_is_refused(monkeypatch):
    processor = tiny_models.processor()
    call = type(processor).__call__

    def without(self, *args, **kwargs):
        encoded = call(self, *args, **kwargs)
        encoded.pop("text_replacement_offsets")
        return encoded

    monkeypatch.setattr(type(processor), "__call__", without)
    with pytest.raises(tam.LayoutError, match="text_replacement_offsets"):
        tiny_models.prepared(processor, [tiny_models.picture()], "Describe", None)


def test_answer_tokens_are_read_where_they_were_predicted_and_prompt_tokens_at_their_own_place(tiny):
    _, processor = tiny()
    prepared = tiny_models.prepared(processor, [tiny_models.picture()], "Describe the image.", None)
    answer = tokenize_answer(processor, "A red circle.", len(prepared.ids), 0)
    assert [slot.position for slot in answer] == list(range(len(prepared.ids), len(prepared.ids) + len(answer)))
    assert all(slot.read_position == slot.position - 1 for slot in answer)
    assert all(slot.read_position == slot.position for slot in prepared.slots)


# Several turns.

STAR = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What color is the star?"}]}
RED = {"role": "assistant", "content": "It is red."}
CIRCLE = {"role": "user", "content": [{"type": "text", "text": "Where is the circle?"}]}


def read(chat, *images, **options):
    """A conversation from messages, prepared, with pictures for the places that name none."""
    pictures = list(images) or [tiny_models.picture()]
    return prepare(tiny_models.processor(), conversation_from_messages(chat, pictures, **options))


def said(prepared):
    """The texts that the slots spell, by turn and role."""
    texts = {}
    for slot in prepared.slots:
        texts[slot.turn, slot.role] = texts.get((slot.turn, slot.role), "") + slot.text
    return texts


def test_each_token_has_its_turn_and_role():
    prepared = read([STAR, RED, CIRCLE])
    expected = {
        (0, "prompt"): "What color is the star?",
        (0, "answer"): "It is red.",
        (1, "prompt"): "Where is the circle?",
    }
    assert said(prepared) == prepared.texts == expected
    positions = [slot.position for slot in prepared.slots]
    assert positions == sorted(positions)
    words = tiny_models.tokenizer()
    (answer,) = [[slot for slot in prepared.slots if slot.role == "answer"]]
    assert [slot.id for slot in answer] == words("It is red.", add_special_tokens=False)["input_ids"]
    assert all(slot.read_position == slot.position - 1 for slot in answer)


def test_the_system_prompt_and_the_template_are_no_part_of_it():
    with_system = read([{"role": "system", "content": "Be brief."}, STAR, RED, CIRCLE])
    assert said(with_system) == said(read([STAR, RED, CIRCLE]))
    assert said(read([STAR, RED, CIRCLE], system="Be brief.")) == said(with_system)
    assert read([STAR, RED, CIRCLE], system="Be brief.").ids == with_system.ids


def test_texts_of_one_message_are_read_as_one_with_a_break_between_them():
    chat = [{"role": "user", "content": ["Look at this", {"type": "image"}, {"type": "text", "text": "What is it?"}]}]
    prepared = read(chat)
    assert prepared.texts == {(0, "prompt"): "Look at this\nWhat is it?"}
    text = prepared.texts[0, "prompt"]
    assert all(text[slice(*slot.span)] == slot.text for slot in prepared.slots)
    first, last = prepared.spans[0]
    assert any(slot.position < first for slot in prepared.slots)
    assert any(slot.position >= last for slot in prepared.slots)


def test_no_word_joins_two_texts_of_one_message(tiny):
    model, processor = tiny()
    chat = [{"role": "user", "content": ["Look at this", {"type": "image"}, "What is it?"]}]
    ex = tam.explain(model, processor, tiny_models.picture(), messages=chat, max_new_tokens=2)
    words = [word.text for word in ex.words if word.tokens[0].role == "prompt"]
    assert "".join(words).replace(" ", "") == "LookatthisWhatisit?"
    assert "this" in words
    assert "What" in words


def test_pictures_stand_in_the_messages_as_url_path_image_or_base64(tmp_path):
    import base64

    path = tmp_path / "a.png"
    tiny_models.picture(24, 16).save(path)
    data = base64.b64encode(path.read_bytes()).decode()
    sources = [
        {"type": "image", "image": tiny_models.picture(24, 16)},
        {"type": "image", "image": np.zeros((16, 24, 3), np.uint8)},
        {"type": "image", "path": str(path)},
        {"type": "image", "url": f"data:image/png;base64,{data}"},
        {"type": "image", "base64": data},
        {"type": "image", "base64": f"data:image/png;base64,{data}"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}},
    ]
    chat = [{"role": "user", "content": [*sources, {"type": "text", "text": "What changed?"}]}]
    conversation = conversation_from_messages(chat)
    assert [picture.size for picture in conversation.media] == [(24, 16)] * len(sources)


def test_pictures_that_no_message_mentions_stand_before_the_first_question():
    plain = [{"role": "user", "content": "What color is the star?"}, RED, CIRCLE]
    assert read(plain).ids == read([STAR, RED, CIRCLE]).ids


def test_an_answer_at_the_end_is_the_given_answer():
    conversation = conversation_from_messages([STAR, RED], tiny_models.picture())
    assert conversation.answer == "It is red."
    assert [message.speaker for message in conversation.messages] == ["user"]


WRONG = [
    ([], tam.PromptError, "must be a list"),
    ("What is it?", tam.PromptError, "must be a list"),
    ([{"role": "user"}], tam.PromptError, "message 0 is not of the form"),
    ([{"role": "tool", "content": "x"}], tam.PromptError, "has the role 'tool'"),
    ([{"role": "user", "content": 3}], tam.PromptError, "must be a str or a list"),
    ([{"role": "user", "content": [{"type": "audio"}]}], tam.PromptError, "known are"),
    ([RED, STAR], tam.PromptError, "first message of a conversation is the user's"),
    ([STAR, {"role": "system", "content": "x"}, CIRCLE], tam.PromptError, "stands once, at the beginning"),
    ([{"role": "system", "content": "x"}], tam.PictureError, "no picture"),
    ([STAR, STAR], tam.PictureError, "more of them than images= gives"),
    ([{"role": "assistant", "content": [{"type": "image"}]}], tam.PromptError, "first message"),
    ([STAR, {"role": "assistant", "content": [{"type": "image"}]}], tam.PromptError, "only the user can show"),
]


@pytest.mark.parametrize(("chat", "kind", "message"), WRONG)
def test_messages_that_make_no_sense_are_refused_with_what_would(chat, kind, message):
    images = None if "no picture" in message else [tiny_models.picture()]
    with pytest.raises(kind, match=message):
        conversation_from_messages(chat, images)


def test_two_videos_are_pointed_to_messages_and_bytes_are_one_picture():
    with pytest.raises(tam.PictureError, match="Several go in messages"):
        conversation_from(None, ["a.mp4", "b.mp4"], "What?")
    buffer = io.BytesIO()
    tiny_models.picture(8, 8).save(buffer, "PNG")
    for given in (buffer, buffer.getvalue(), bytearray(buffer.getvalue()), buffer.getbuffer()):
        (picture,) = conversation_from(given, None, "What?").media
        assert picture.size == (8, 8)


def test_pictures_left_over_and_two_answers_are_refused():
    pictures = [tiny_models.picture(), tiny_models.picture()]
    with pytest.raises(tam.PictureError, match="beside those that the messages hold"):
        conversation_from_messages([STAR], pictures)
    with pytest.raises(tam.PromptError, match="leave one of them out"):
        conversation_from_messages([STAR, RED], pictures[:1], answer="Blue.")
    with pytest.raises(tam.PromptError, match="leave prompt out"):
        tam.explain(tiny_models.build(), tiny_models.processor(), pictures[0], "What?", messages=[STAR])


def test_a_picture_shown_later_is_unseen_by_earlier_words(tiny):
    model, processor = tiny()
    chat = [
        STAR,
        RED,
        {"role": "user", "content": [{"type": "text", "text": "And now"}, {"type": "image"}, "What changed?"]},
    ]
    pictures = [tiny_models.picture(box=(5, 5, 20, 20)), tiny_models.picture(40, 80)]
    ex = tam.explain(model, processor, pictures, messages=chat, max_new_tokens=3)
    assert ex.grids == ((6, 8), (10, 5))
    later = {token.index for token in ex.tokens if token.turn == 0 or token.text in {"And", " now"}}
    later |= {t.index for t in ex.tokens if t.turn == 1 and t.role == "prompt" and t.span[0] < len("And now")}
    for token in ex.tokens:
        assert np.isfinite(ex.heatmap(token, image=0)).all()
        assert np.isnan(ex.heatmap(token, image=1)).all() == (token.index in later)
    # What comes later changes nothing of what was there before.
    before = tam.explain(model, processor, pictures[:1], messages=[STAR, RED])
    for token in before.tokens:
        np.testing.assert_allclose(ex.heatmap(token), before.heatmap(token), atol=1e-4)
        np.testing.assert_allclose(ex.relevance(token), before.relevance(token), atol=1e-4)


def test_earlier_turns_are_context(tiny):
    model, processor = tiny()
    ex = tam.explain(model, processor, tiny_models.picture(box=(5, 5, 20, 20)), messages=[STAR, RED, CIRCLE, RED])
    last = ex.tokens[-1]
    assert last.turn == 1
    first = [token.index for token in ex.tokens if token.turn == 0]
    assert ex.relevance(last)[first].max() > 0
    assert ex.prompt == "Where is the circle?"
    assert ex.answer == "It is red."
    assert all(token.candidates for token in ex.tokens if token.role == "answer")
