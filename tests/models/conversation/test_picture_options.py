"""How large a picture is shown and how many frames are taken: said by a part of a message, or for all of them."""

import numpy as np
import pytest
import tiny_models
import torch
from tiny.cases import CASES
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

import tam_widget as tam
from tam_widget.models.families import family_of, panels_of
from tam_widget.models.inputs.conversation import prepare
from tam_widget.models.inputs.messages import conversation_from, conversation_from_messages
from tam_widget.models.inputs.processor_options import ProcessorOptions

CELL = tiny_models.CELL
PROMPT = "Describe the image."


def picture(width=64, height=48):
    """One in which every place differs, so that a resized copy tells how it was made."""
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return tiny_models.Image.fromarray(pixels)


def part(**options):
    return {"type": "image", "image": picture(), **options}


def prepared(*parts, processor=None, **options):
    chat = [{"role": "user", "content": [*parts, PROMPT]}]
    made = ProcessorOptions.of(**options)
    processor = made.applied(processor or tiny_models.processor())
    return prepare(processor, conversation_from_messages(chat), options=made)


def case(name):
    return next(one for one in CASES if str(one) == name)


def grids(inputs, kind="image", merge=2):
    return [(int(rows) // merge, int(columns) // merge) for _, rows, columns in inputs[f"{kind}_grid_thw"]]


@pytest.mark.parametrize(
    ("options", "grid"),
    [
        ({}, (6, 8)),
        ({"max_pixels": 12 * CELL**2}, (3, 4)),
        ({"max_pixels": 12 * CELL**2, "min_pixels": None}, (3, 4)),
        ({"min_pixels": 100 * CELL**2}, (9, 12)),
        ({"resized_height": 40, "resized_width": 24}, (5, 3)),
        ({"resized_height": 43, "resized_width": 5.0}, (5, 1)),
    ],
    ids=str,
)
def test_a_part_says_how_large_its_picture_is_shown(tiny, options, grid):
    model, processor = tiny()
    found = prepared(part(**options)).inputs
    assert grids(found) == [grid]
    chat = [{"role": "user", "content": [part(**options), PROMPT]}]
    ex = tam.explain(model, processor, messages=chat, max_new_tokens=2)
    assert ex.grids == (grid,)
    assert ex.images[0].size == (64, 48)  # what is drawn on is the picture itself
    assert ex.boxes == ((0.0, 0.0, 64.0, 48.0),)


def test_each_picture_has_its_own_size_and_the_others_the_processors():
    found = prepared(part(max_pixels=12 * CELL**2), part(), part(min_pixels=100 * CELL**2)).inputs
    assert grids(found) == [(3, 4), (6, 8), (9, 12)]
    plain = prepared(part()).inputs["pixel_values"]
    assert torch.equal(found["pixel_values"][48 : 48 + len(plain)], plain)
    own = Qwen2VLImageProcessorPil(patch_size=4, merge_size=2, size={"shortest_edge": 1, "longest_edge": 12 * CELL**2})
    assert torch.equal(found["pixel_values"][:48], own(picture(), return_tensors="pt")["pixel_values"])


UNKNOWN = [
    (
        part(max_pixel=3136),
        "has an image with the option 'max_pixel', which nothing would read; did you mean max_pixels",
    ),
    (part(colour="red"), "known are min_pixels, max_pixels, resized_height, resized_width"),
    (part(fps=2), "the option 'fps'"),
    ({"type": "text", "text": "x", "max_pixels": 3}, "has a text with the option 'max_pixels'"),
    (part(max_pixels=0), "max_pixels of message 0 must be a positive whole number of pixels, got 0"),
    (part(max_pixels=True), "got True"),
    (part(max_pixels="3136"), "got '3136'"),
    (part(max_pixels=float("nan")), "got nan"),
    (part(resized_height=40), "give both"),
    (part(resized_height=40, resized_width=40, max_pixels=99), "a size twice"),
    (part(min_pixels=9, max_pixels=5), "at least 9 pixels and at most 5"),
    ({"type": "image_url", "image_url": {"url": "x", "detail": "high"}}, "option 'detail'"),
    ({"type": "video", "video": [picture()], "nframe": 2}, "has a video with the option 'nframe'"),
    ({"type": "video", "video": [picture()], "nframes": 2.5}, "nframes must be a positive whole number"),
    ({"type": "video", "video": [picture()] * 4, "nframes": 2, "fps": 1}, "leave one of them out"),
]


@pytest.mark.parametrize(("one", "message"), UNKNOWN, ids=lambda value: str(value)[:40])
def test_what_nothing_would_read_is_refused_by_name(one, message):
    with pytest.raises(tam.PromptError, match=message):
        prepared(one)


def test_other_refusals_say_what_would_work():
    with pytest.raises(tam.PictureError, match="2 sources: image, url"):
        prepared(part(url="x"))
    with pytest.raises(tam.PictureError, match="has 2 frames, and nframes asks for 5"):
        prepared({"type": "video", "video": [picture()] * 2, "nframes": 5})
    with pytest.raises(tam.PromptError, match="message 0 has 'tool_calls' beside its role"):
        conversation_from_messages([{"role": "user", "content": "x", "tool_calls": [1]}], picture())
    llava = case("llava")
    with pytest.raises(tam.PromptError, match=r"sizes of its own and does not take max_pixels.*crop_size"):
        prepared(part(max_pixels=99), processor=llava.processor())


@pytest.mark.parametrize("name", ["qwen2_vl", "qwen2_5_vl", "qwen3_vl", "glm4v"])
def test_frames_and_their_size_are_what_the_part_says(name):
    one = case(name)
    model, processor = one.pair()
    frames = [picture() for _ in range(9)]
    video = {"type": "video", "video": frames, "nframes": 4, "resized_height": 40, "resized_width": 24}
    chat = [{"role": "user", "content": [video, PROMPT]}]
    ex = tam.explain(model, processor, messages=chat, max_new_tokens=2)
    cell = model.config.vision_config.patch_size * model.config.vision_config.spatial_merge_size
    assert ex.grids == ((2, 40 // cell, 24 // cell),)
    assert ex.images[0].frames[0].size == (64, 48)
    assert len(prepare(processor, conversation_from_messages(chat)).media[0].frames) == 4


def test_frames_are_taken_evenly_from_frames_and_from_files(tmp_path):
    def times(source, **options):
        chat = [{"role": "user", "content": [{"type": "video", "video": source, **options}, PROMPT]}]
        return list(conversation_from_messages(chat).media[0].times)

    frames = [picture() for _ in range(9)]
    assert times(frames, nframes=5) == [0, 1, 2, 3, 4]
    assert times(frames, nframes=1) == [0]
    assert times(frames, fps=4)[:3] == [0, 0.25, 0.5]
    av = pytest.importorskip("av")
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height = 64, 48
        for _ in range(60):
            container.mux(stream.encode(av.VideoFrame.from_image(picture())))
        container.mux(stream.encode())
    assert len(times(str(path))) == 12
    assert len(times(path, fps=1)) == 6
    for count in (1, 2, 7, 30, 60):
        found = times(path, nframes=count)
        assert len(found) == count
        if count > 1:
            steps = np.diff(found)
            assert steps.min() > 0
            assert found[0] == 0
            assert found[-1] > 5.3
            assert steps.max() - steps.min() < 0.31
    with pytest.raises(tam.PictureError, match="has 60 frames, and nframes asks for 61"):
        times(path, nframes=61)


def test_the_demo_takes_these_options_too():
    processor = tam.load_demo()[1]
    merge, frames = processor.image_processor.merge_size, [picture(448, 448)] * 4
    cell = processor.image_processor.patch_size * merge
    small = {"resized_height": 112, "resized_width": 224}
    for one, kind in (({"type": "image", "image": frames[0]}, "image"), ({"type": "video", "video": frames}, "video")):
        inputs = prepared(one | small, processor=processor).inputs
        assert grids(inputs, kind, merge) == [(112 // cell, 224 // cell)]
    most = {"min_pixels": 1, "max_pixels": 112 * 112}
    inputs = prepared({"type": "video", "video": frames}, processor=processor, video=most).inputs
    assert grids(inputs, "video", merge) == [(112 // cell, 112 // cell)]


# For all pictures of a conversation.


def test_image_kwargs_are_settings_for_one_conversation(tiny):
    model, processor = tiny()
    ex = tam.explain(model, processor, picture(), PROMPT, max_new_tokens=2, image_kwargs={"max_pixels": 12 * CELL**2})
    assert ex.grids == ((3, 4),)
    size = {"shortest_edge": 1, "longest_edge": 12 * CELL**2}
    ex = tam.explain(model, processor, [picture()] * 2, PROMPT, max_new_tokens=2, image_kwargs={"size": size})
    assert ex.grids == ((3, 4), (3, 4))
    assert tam.explain(model, processor, picture(), PROMPT, max_new_tokens=2).grids == ((6, 8),)


@pytest.mark.parametrize("one", CASES, ids=str)
def test_a_setting_that_changes_nothing_changes_nothing_in_any_family(one):
    model, processor = one.pair()
    family = family_of(model.config)
    conversation = conversation_from(tiny_models.picture(*one.sizes[0]), None, PROMPT)
    plain = prepare(processor, conversation, family.render)
    made = ProcessorOptions.of(image={"do_normalize": processor.image_processor.do_normalize})
    again = prepare(made.applied(processor), conversation, family.render, made)
    assert again.ids == plain.ids
    for name, value in plain.inputs.items():
        if isinstance(value, torch.Tensor):
            assert torch.equal(again.inputs[name], value)


def test_families_read_the_settings_as_they_are():
    pan = case("gemma3 (pan and scan)")
    model, processor = case("gemma3").pair()[0], pan.processor()
    wide = tiny_models.picture(*pan.tiled[0])
    conversation = conversation_from(wide, None, PROMPT)

    def panels(**image):
        made = ProcessorOptions.of(image=image)
        applied = made.applied(processor)
        return panels_of(prepare(applied, conversation, options=made), model.config, applied)

    assert len(panels(do_pan_and_scan=True)) > len(panels(do_pan_and_scan=False))
    llava = case("llava")
    model, processor = llava.pair()
    side = processor.image_processor.crop_size["height"]
    wide = tiny_models.picture(2 * side, side)
    cut = tam.explain(model, processor, wide, PROMPT, answer="red")
    whole = {"do_center_crop": False, "size": {"height": side, "width": side}}
    stretched = tam.explain(model, processor, wide, PROMPT, answer="red", image_kwargs=whole)
    assert np.isnan(cut.heatmap(-1)).any()  # left and right were cut away
    assert np.isfinite(stretched.heatmap(-1)).all()
    assert stretched.boxes[0] == (0.0, 0.0, 2 * side, side)


REFUSED = [
    ({"image_kwargs": {"max_pixel": 9}}, tam.UnknownOptionError, "'max_pixel', which Qwen.* did you mean max_pixels"),
    ({"image_kwargs": {"return_tensors": "np"}}, tam.UnknownOptionError, "return_tensors"),
    ({"image_kwargs": 5}, tam.UnknownOptionError, "image_kwargs must be a mapping of names to values, got int"),
    ({"image_kwargs": {"size": "large"}}, tam.PictureError, "refuses"),
    ({"video_kwargs": {"fps": 1}}, tam.UnsupportedModelError, "has no video processor"),
    ({"chat_template_kwargs": {"enable_thinking": True}}, tam.UnknownOptionError, "'enable_thinking', which the chat"),
    ({"chat_template_kwargs": {"messages": []}}, tam.UnknownOptionError, "explain.. says itself"),
    ({"chat_template_kwargs": [1]}, tam.UnknownOptionError, "must be a mapping"),
    ({"image_kwarg": {}}, tam.UnknownOptionError, "did you mean image_kwargs"),
]


@pytest.mark.parametrize(("options", "kind", "message"), REFUSED, ids=lambda value: str(value)[:40])
def test_settings_that_nothing_knows_are_refused_before_the_model_runs(options, kind, message):
    model, processor = tiny_models.build(), tiny_models.processor()
    model.forward = None  # would be an error of another kind
    with pytest.raises(kind, match=message):
        tam.explain(model, processor, picture(), PROMPT, **options)


def test_frames_are_not_chosen_by_the_processor():
    model, processor = case("qwen2_vl").pair()
    with pytest.raises(tam.UnknownOptionError, match="use explain's fps="):
        tam.explain(model, processor, video=[picture()] * 2, prompt=PROMPT, video_kwargs={"num_frames": 1})
