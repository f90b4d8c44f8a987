"""Processors that tokenize another text than the chat template wrote: the right text is found, or they are refused."""

import pytest
import tiny_models
from tiny.case import template, words
from transformers import (
    JanusImageProcessor,
    JanusProcessor,
    Molmo2ImageProcessor,
    Molmo2Processor,
    Molmo2VideoProcessor,
)

import tam_widget as tam
from tam_widget.models.inputs.conversation import prepare
from tam_widget.models.inputs.messages import conversation_from_messages
from tam_widget.models.inputs.tokenized import start_of

PROMPT = "Describe the image."
CHAT = [
    {"role": "user", "content": [{"type": "image"}, PROMPT]},
    {"role": "assistant", "content": "A red star."},
    {"role": "user", "content": [{"type": "image"}, "Where is it?"]},
]
JANUS = {"image_token": "<image_placeholder>", "boi_token": "<begin_of_image>", "eoi_token": "<end_of_image>"}
MOLMO2 = ("<|image|>", "<|video|>", "<im_patch>", "<im_col>", "<im_start>", "<low_res_im_start>", "<frame_start>")


def janus(**options):
    names = words(named=JANUS)
    size = {"height": 16, "width": 16}
    return JanusProcessor(
        JanusImageProcessor(size=size),
        names,
        chat_template=template("<image_placeholder>"),
        num_image_tokens=16,
        **options,
    )


def molmo2():
    names = words(*MOLMO2, "<im_end>", "<frame_end>", "<im_low>")
    side = {"height": 32, "width": 32}
    images = Molmo2ImageProcessor(size=side, patch_size=8, pooling_size=[2, 2], max_crops=1, overlap_margins=[0, 0])
    return Molmo2Processor(images, Molmo2VideoProcessor(size=side), names, chat_template=template("<|image|>"))


@pytest.mark.parametrize(
    ("processor", "before"),
    [
        pytest.param(janus(), "", id="janus"),
        pytest.param(janus(use_default_system_prompt=True), "You are a helpful language and vision", id="its prompt"),
        pytest.param(molmo2(), "<|im_end|>", id="molmo2"),
    ],
)
def test_each_token_is_of_the_text_that_it_shows(processor, before):
    pictures = [tiny_models.picture(32, 32), tiny_models.picture(48, 32)]
    prepared = prepare(processor, conversation_from_messages(CHAT, pictures))
    decode = processor.tokenizer.decode
    assert decode(prepared.ids[:64]).startswith(before or "<|im_start|>user")
    said = {}
    for slot in prepared.slots:
        assert prepared.ids[slot.position] == slot.id
        assert decode([slot.id]) == slot.text
        said[slot.turn, slot.role] = said.get((slot.turn, slot.role), "") + slot.text
    assert said == {(0, "prompt"): PROMPT, (0, "answer"): "A red star.", (1, "prompt"): "Where is it?"}
    for first, last in prepared.spans:
        assert decode(prepared.ids[first]) in {"<begin_of_image>", "<low_res_im_start>"}
        assert decode(prepared.ids[last - 1]) in {"<end_of_image>", "<im_end>"}


def changed(change=None, ids=None):
    """A processor that changes the text that it is given, or the ids that its tokenizer makes."""
    made = tiny_models.processor()

    class Changing(type(made)):
        def __call__(self, *args, text, **kwargs):
            encoded = super().__call__(*args, text=[change(text[0])] if change else text, **kwargs)
            if ids:
                encoded["input_ids"] = ids(encoded["input_ids"])
            return encoded

    made.__class__ = Changing
    return made


@pytest.mark.parametrize(
    ("processor", "message"),
    [
        (changed(lambda text: text.replace("Describe", "Draw")), r"at character \d+ it tokenizes 'raw the image"),
        (changed(lambda text: text.upper().replace("IMAGE_PAD", "image_pad")), "tokenizes 'IM_START|>SYSTEM"),
        (changed(ids=lambda ids: ids + 1), r"writes \d+ token ids that its tokenizer did not make of one text"),
    ],
    ids=["a word", "the case", "ids"],
)
def test_a_processor_that_changes_the_conversation_is_refused(processor, message):
    with pytest.raises(tam.LayoutError, match=message.replace("|", r"\|")):
        tiny_models.prepared(processor, [tiny_models.picture()], PROMPT)
    assert not hasattr(processor.tokenizer, "heard")


def test_a_conversation_that_stands_twice_in_the_text_is_refused(tiny):
    with pytest.raises(tam.LayoutError, match="changes the rendered conversation"):
        start_of(tiny()[1], "a star", "a star, a star", ())
    assert start_of(tiny()[1], "a star", "It is a star.", ()) == 6
