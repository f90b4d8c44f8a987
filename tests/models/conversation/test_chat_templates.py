"""Chat templates that drop thoughts, take variables or refuse a conversation; and processors that do not fit."""

import copy

import pytest
import tiny_models
from tiny.cases import CASES

import tam_widget as tam
from tam_widget.models.inputs.conversation import prepare
from tam_widget.models.inputs.messages import conversation_from_messages
from tam_widget.replay.explained import Explained

PROMPT = "Describe the image."
PICTURE = {"type": "image"}

# As Qwen3's: earlier answers lose their thoughts, and thinking can be switched off.
THINKING = (
    "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\n' }}"
    "{%- if message.content is string %}{%- set parts = [{'type': 'text', 'text': message.content}] %}"
    "{%- else %}{%- set parts = message.content %}{%- endif %}"
    "{%- for part in parts %}{%- if part.type == 'image' %}{{- '<|vision_start|><|image_pad|><|vision_end|>' }}"
    "{%- elif message.role == 'assistant' and '</think>' in part.text %}"
    "{{- part.text.split('</think>')[-1].lstrip('\n') }}"
    "{%- else %}{{- part.text }}{%- endif %}{%- endfor %}{{- '<|im_end|>\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}"
    "{%- if enable_thinking is defined and enable_thinking is false %}{{- 'thinks not\n\n' }}{%- endif %}{%- endif %}"
)


def chat(*said):
    """Question, answer, question, …; the first with a picture."""
    messages = [
        {"role": "assistant" if k % 2 else "user", "content": [{"type": "text", "text": text}]}
        for k, text in enumerate(said)
    ]
    messages[0]["content"].insert(0, PICTURE)
    return messages


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ("<think>It is round.</think>\n\nA circle.", "A circle."),
        ("<think>\nA circle.\n</think>A circle.", "A circle."),
        ("<think>one</think><think>two</think>  A circle. ", "  A circle. "),
        ("A circle.", "A circle."),
        ("<think>only thoughts</think>", ""),
    ],
)
def test_thoughts_that_the_template_drops_are_no_part_of_the_answer(tiny, answer, left):
    processor = tiny_models.processor(template=THINKING)
    messages = chat("What is it?", answer, "Where?")
    prepared = prepare(processor, conversation_from_messages(messages, tiny_models.picture()))
    said = {(0, "prompt"): "What is it?", (0, "answer"): left, (1, "prompt"): "Where?"}
    assert prepared.texts == {key: text for key, text in said.items() if text}
    for (turn, role), text in prepared.texts.items():
        slots = [slot for slot in prepared.slots if (slot.turn, slot.role) == (turn, role)]
        assert "".join(slot.text for slot in slots) == text
    ex = tam.explain(tiny()[0], processor, tiny_models.picture(), messages=messages, max_new_tokens=2)
    assert ex.texts.get((0, "answer"), "") == left


def test_a_question_may_not_lose_everything():
    template = THINKING.replace("{{- part.text }}", "{{- part.text.split('#')[-1] }}")
    processor = tiny_models.processor(template=template)
    picture = tiny_models.picture()
    shown = prepare(processor, conversation_from_messages(chat("secret#What is it?"), picture))
    assert shown.texts == {(0, "prompt"): "What is it?"}
    with pytest.raises(tam.LayoutError, match="changes the prompt's text"):
        prepare(processor, conversation_from_messages(chat("all of it#"), picture))


def test_variables_reach_the_template_and_the_conversation_is_read_again_with_them(tiny):
    model, processor = tiny()[0], tiny_models.processor(template=THINKING)
    options = {"chat_template_kwargs": {"enable_thinking": False}}
    picture = tiny_models.picture(box=(5, 5, 20, 20))
    ex = tam.explain(model, processor, picture, PROMPT, max_new_tokens=3, **options)
    plain = tam.explain(model, processor, picture, PROMPT, max_new_tokens=3)
    assert ex.texts[0, "prompt"] == plain.texts[0, "prompt"] == PROMPT
    assert ex.tokens[-1].candidates != plain.tokens[-1].candidates
    assert Explained(model, processor, ex).run.said
    with pytest.raises(tam.LayoutError, match="read again"):  # another model than the one that wrote this answer
        _ = Explained(tiny_models.build(seed=1), processor, ex).run
    with pytest.raises(tam.UnknownOptionError, match=r"'enable_thinkin', which the chat .* mean enable_thinking"):
        tam.explain(model, processor, picture, PROMPT, chat_template_kwargs={"enable_thinkin": False})


def test_a_conversation_with_pictures_in_their_own_sizes_is_read_again(tiny):
    model, processor = tiny()
    sized = {"type": "image", "image": tiny_models.picture(box=(5, 5, 20, 20)), "max_pixels": 12 * tiny_models.CELL**2}
    messages = [{"role": "user", "content": [sized, PROMPT]}]
    ex = tam.explain(model, processor, messages=messages, max_new_tokens=3)
    explained = Explained(model, processor, ex)
    assert explained.reading.panel.grid == ex.grids[0] == (3, 4)
    assert explained.read(tiny_models.picture(colour="blue")).panel.grid == (3, 4)
    options = {"image_kwargs": {"max_pixels": 12 * tiny_models.CELL**2}}
    ex = tam.explain(model, processor, tiny_models.picture(), PROMPT, max_new_tokens=3, **options)
    assert Explained(model, processor, ex).reading.panel.grid == (3, 4)


def test_a_picture_without_a_question_is_read_again(tiny):
    model, processor = tiny()
    messages = [{"role": "user", "content": [PICTURE]}]
    picture = tiny_models.picture(box=(5, 5, 20, 20))
    ex = tam.explain(model, processor, picture, messages=messages, answer="A red square.")
    assert Explained(model, processor, ex).run.said


@pytest.fixture
def untouched():
    """A model that must not run."""
    model = tiny_models.build()
    model.forward = None  # would be an error of another kind
    return model


RAISING = "{%- if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{%- endif %}"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (RAISING + THINKING, r"refuses this conversation \(system, user\): System role not supported"),
        ("{{ messages[0].content + 'x' }}", "refuses this conversation"),
        ("{{ nobody.knows.this }}", "refuses this conversation"),
        ("{% for m in %}", "refuses this conversation"),
    ],
)
def test_a_template_that_raises_is_a_matter_of_the_prompt(untouched, template, message):
    processor = tiny_models.processor(template=template)
    with pytest.raises(tam.PromptError, match=message):
        tam.explain(untouched, processor, tiny_models.picture(), PROMPT, system="Be brief.")


@pytest.mark.parametrize("where", ["prompt", "answer", "system", "messages"])
def test_half_a_character_is_refused_with_its_place(untouched, where):
    text = "red \ud83d circle"
    given = {"prompt": PROMPT} | {where: text}
    if where == "messages":
        given = {"messages": chat("What?", text, "Where?")}
    with pytest.raises(tam.PromptError, match=r"half a character .*'\\ud83d' at place 4"):
        tam.explain(untouched, tiny_models.processor(), tiny_models.picture(), **given)


# Processors.


def other(name):
    return next(one for one in CASES if str(one) == name).processor()


# These processors write the same tokens and state the same grid.
AS_QWENS = {"cosmos3_edge", "cosmos3_omni", "exaone4_5", "hyperclovax_vision_v2", "lfm3_vl"}
OTHERS = [str(one) for one in CASES if not str(one).startswith(("qwen", "glm4v")) and str(one) not in AS_QWENS]


@pytest.mark.parametrize("name", OTHERS)
def test_another_familys_processor_is_refused_before_the_model_runs(untouched, name):
    with pytest.raises((tam.UnsupportedModelError, tam.LayoutError)):
        tam.explain(untouched, other(name), tiny_models.picture(), PROMPT)


@pytest.mark.parametrize("name", ["llava", "llava_next", "internvl", "gemma3", "idefics3", "pixtral", "llama4"])
def test_a_qwens_processor_is_refused_by_other_families(name):
    model = copy.deepcopy(next(one for one in CASES if str(one) == name).pair()[0])
    model.forward = None
    with pytest.raises((tam.UnsupportedModelError, tam.LayoutError)):
        tam.explain(model, tiny_models.processor(), tiny_models.picture(), PROMPT)


def test_what_another_familys_processor_lacks_is_named(untouched):
    with pytest.raises(tam.UnsupportedModelError, match=r"'qwen2_vl' needs 'image_grid_thw'.*LlavaProcessor does not"):
        tam.explain(untouched, other("llava"), tiny_models.picture(), PROMPT)


@pytest.mark.parametrize("setting", ["patch_size", "vision_feature_select_strategy"])
def test_an_incomplete_processor_says_what_to_set(setting):
    one = next(one for one in CASES if str(one) == "llava")
    model, processor = copy.deepcopy(one.pair()[0]), one.processor()
    model.forward = None
    setattr(processor, setting, None)
    if setting == "patch_size":
        with pytest.raises(tam.UnsupportedModelError, match=r"has no patch_size.*set processor\.patch_size"):
            tam.explain(model, processor, tiny_models.picture(64, 64), PROMPT)
    else:
        with pytest.raises((tam.UnsupportedModelError, tam.LayoutError)):
            tam.explain(model, processor, tiny_models.picture(64, 64), PROMPT)
