"""Every cell lies on the pixels that its vision token was made from, every text token on its own characters."""

import pytest
import tiny_models
import torch

import tam_widget as tam
from tam_widget.models.conversation import prepare, tokenize_answer
from tam_widget.models.families import family_of, supported_types


def embeddings(model, prepared):
    """What the text decoder is given at each position."""
    seen = []
    handle = model.get_decoder().register_forward_pre_hook(
        lambda _m, _a, kwargs: seen.append(kwargs["inputs_embeds"]), with_kwargs=True
    )
    try:
        with torch.no_grad():
            model(**prepared.inputs)
    finally:
        handle.remove()
    return seen[0][0]


@pytest.fixture(scope="module")
def blind():
    """A tiny model of a family whose vision attention is neutralised: a vision token knows its own pixels alone."""

    def get(family):
        model = tiny_models.build(family)
        for block in model.model.visual.blocks:
            block.attn.register_forward_hook(lambda _m, _a, output: torch.zeros_like(output))
        return model, tiny_models.processor(family)

    return get


@pytest.mark.parametrize("size", [(64, 48), (48, 104), (250, 130)])
@pytest.mark.parametrize("family", tiny_models.FAMILIES)
def test_a_painted_square_reacts_in_the_cell_that_holds_it(blind, family, size):
    model, processor = blind(family)
    width, height = size
    plain = prepare(processor, [tiny_models.picture(width, height)], "Describe the image.", None)
    (view,) = family_of(model.config)(model.config, plain)
    rows, columns = view.grid
    assert view.box == (0, 0, width, height)
    assert view.kind == "main"
    high, wide = height / rows, width / columns
    before = embeddings(model, plain)
    for row, column in {(0, 0), (rows - 1, columns - 1), (0, columns - 1), (rows // 2, columns // 3)}:
        box = [round(edge) for edge in (column * wide, row * high, (column + 1) * wide, (row + 1) * high)]
        painted = prepare(processor, [tiny_models.picture(width, height, box=box)], "Describe the image.", None)
        change = (embeddings(model, painted) - before).norm(dim=-1)
        strongest = int(change.argmax())
        assert strongest == view.positions[row, column]
        assert strongest not in {slot.position for slot in plain.slots}


def test_several_pictures_keep_apart(tiny):
    model, processor = tiny()
    pictures = [tiny_models.picture(64, 48), tiny_models.picture(40, 80)]
    prepared = prepare(processor, pictures, "What changed?", None)
    first, second = family_of(model.config)(model.config, prepared)
    assert first.grid == (6, 8)
    assert second.grid == (10, 5)
    assert first.positions.max() < second.positions.min()
    assert all(prepared.ids[p] == model.config.image_token_id for p in [*first.positions.flat, *second.positions.flat])


def test_a_grid_that_does_not_fit_the_placeholders_is_refused(tiny):
    model, processor = tiny()
    prepared = prepare(processor, [tiny_models.picture()], "Describe the image.", None)
    prepared.inputs["image_grid_thw"] = torch.tensor([[1, 12, 12]])
    with pytest.raises(tam.LayoutError, match="48 placeholder tokens"):
        family_of(model.config)(model.config, prepared)


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
    prepared = prepare(processor, [tiny_models.picture()], prompt, system)
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
    prepared = prepare(processor, [tiny_models.picture()], "  Describe the image. \n", None)
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
        prepare(processor, [tiny_models.picture()], "Describe a picture", None)


def test_a_processor_without_template_or_fast_tokenizer_is_refused(tiny):
    with pytest.raises(tam.UnsupportedModelError, match="chat template"):
        prepare(tiny_models.processor(template=None), [tiny_models.picture()], "Describe", None)

    class Slow:
        is_fast = False

        def __getattr__(self, name):
            return getattr(tiny_models.tokenizer(), name)

    processor = tiny_models.processor()
    processor.tokenizer = Slow()
    with pytest.raises(tam.LayoutError, match="fast tokenizer"):
        prepare(processor, [tiny_models.picture()], "Describe", None)


def test_a_processor_that_does_not_say_where_things_went_is_refused(monkeypatch):
    processor = tiny_models.processor()
    call = type(processor).__call__

    def without(self, *args, **kwargs):
        encoded = call(self, *args, **kwargs)
        encoded.pop("text_replacement_offsets")
        return encoded

    monkeypatch.setattr(type(processor), "__call__", without)
    with pytest.raises(tam.LayoutError, match="text_replacement_offsets"):
        prepare(processor, [tiny_models.picture()], "Describe", None)


def test_answer_tokens_are_read_where_they_were_predicted_and_prompt_tokens_at_their_own_place(tiny):
    _, processor = tiny()
    prepared = prepare(processor, [tiny_models.picture()], "Describe the image.", None)
    answer = tokenize_answer(processor, "A red circle.", len(prepared.ids), 0)
    assert [slot.position for slot in answer] == list(range(len(prepared.ids), len(prepared.ids) + len(answer)))
    assert all(slot.read_position == slot.position - 1 for slot in answer)
    assert all(slot.read_position == slot.position for slot in prepared.slots)


def test_supported_types_are_named_where_a_model_is_not():
    class Config:
        model_type = "mllama"
        vision_config = None

    with pytest.raises(tam.UnsupportedModelError, match="cross-attention") as error:
        family_of(Config())
    assert all(name in str(error.value) for name in supported_types())

    class TextOnly:
        model_type = "llama"

    with pytest.raises(tam.UnsupportedModelError, match="no vision part"):
        family_of(TextOnly())

    class EncoderDecoder:
        model_type = "florence2"
        is_encoder_decoder = True
        vision_config = None

    with pytest.raises(tam.UnsupportedModelError, match="encoder-decoder"):
        family_of(EncoderDecoder())

    class Unknown:
        model_type = "newvl"
        vision_config = None

    with pytest.raises(tam.UnsupportedModelError, match="layout is not known"):
        family_of(Unknown())
