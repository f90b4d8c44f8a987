"""A model without a family of its own: what its inputs state is tried on the processor, and is right or refused."""

import gc
import weakref
from types import SimpleNamespace

import numpy as np
import pytest
import tiny_models
import torch
from PIL import Image
from tiny.case import template, words
from transformers import (
    AriaConfig,
    CLIPImageProcessor,
    DeepseekOcr2Config,
    Glm5NextConfig,
    Glm5NextProcessor,
    Glm5NextVideoProcessor,
    Idefics2Config,
    Kosmos2_5Config,
    Kosmos2Config,
    LlavaNextImageProcessor,
    LlavaNextVideoConfig,
    LlavaNextVideoProcessor,
    LlavaNextVideoVideoProcessor,
    LlavaProcessor,
    VipLlavaConfig,
)
from transformers.models.glm5_next.image_processing_pil_glm5_next import Glm5NextImageProcessorPil

import tam_widget as tam
from tam_widget.models.families import family_of, generic, llava
from tam_widget.models.inputs.conversation import places, prepare
from tam_widget.models.inputs.messages import conversation_from
from tam_widget.models.place import Place
from tam_widget.models.ramps import Ramps
from tam_widget.models.stitch import stitch

PROMPT = "Describe the image."


def place_of(processor, config, picture):
    """A picture in a conversation through a processor of a real class."""
    (place,) = places(prepare(processor, conversation_from(picture, None, PROMPT)), config, processor)
    return place


# Processors of real classes, which the inputs alone do not tell from others.


def glm5_next():
    tokens = words("<|image|>", "<|video|>", "<|begin_of_image|>", "<|end_of_image|>")
    processor = Glm5NextProcessor(
        Glm5NextImageProcessorPil(),
        tokens,
        Glm5NextVideoProcessor(),
        chat_template=template("<|begin_of_image|><|image|><|end_of_image|>"),
    )
    return processor, Glm5NextConfig(image_token_id=tokens.convert_tokens_to_ids("<|image|>"))


@pytest.mark.parametrize("size", [(33, 33), (640, 427), (90, 300), (427, 20)], ids=str)
def test_a_padded_picture_is_not_read_as_a_stretched_one(size):
    processor, config = glm5_next()
    place = place_of(processor, config, tiny_models.picture(*size))
    (panel,) = stitch(generic.views(place), 0, size)
    before = place.inputs["pixel_values"].reshape(-1, 4, place.inputs["pixel_values"].shape[-1])
    rows, columns = panel.positions.shape
    high, wide = (panel.box[3] - panel.box[1]) / panel.grid[0], (panel.box[2] - panel.box[0]) / panel.grid[1]
    for row, column in {(0, 0), (rows - 1, columns - 1), (rows - 1, 0), (rows // 2, columns // 2)}:
        left, top = panel.box[0] + column * wide, panel.box[1] + row * high
        right, bottom = min(left + wide, size[0]), min(top + high, size[1])
        box = [round(edge) for edge in (left + 0.6, top + 0.6, right - 0.6, bottom - 0.6)]
        painted = place_of(processor, config, tiny_models.picture(*size, box=box))
        change = (painted.inputs["pixel_values"].reshape(before.shape) - before).abs().sum(dim=(1, 2))
        assert int(place.placeholders[int(change.argmax())]) == panel.positions[row, column], (row, column)


def vipllava():
    tokens = words(named={"image_token": "<image>"})
    images = CLIPImageProcessor(size={"shortest_edge": 96}, crop_size={"height": 96, "width": 96})
    processor = LlavaProcessor(
        images,
        tokens,
        patch_size=4,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=template(),
    )
    config = VipLlavaConfig(image_token_index=tokens.image_token_id)
    config.vision_config.patch_size, config.vision_config.image_size = 4, 96
    return processor, config


@pytest.mark.parametrize("size", [(632, 600), (600, 632), (96, 96), (200, 130)], ids=str)
def test_what_is_cropped_lies_where_it_was_cut(size):
    processor, config = vipllava()
    place = place_of(processor, config, tiny_models.picture(*size))
    (view,) = generic.views(place)
    rows, columns, box = llava.shown(place, processor.image_processor, (96, 96), 4)
    assert view.positions.shape == (rows, columns)
    assert view.box == pytest.approx(box, abs=0.1 * min(size) / 24)


@pytest.mark.parametrize("size", [(588, 784), (672, 770), (1092, 392)], ids=str)
def test_a_size_that_fits_the_number_of_tokens_by_chance_is_refused(size):
    tokens = words(named={"image_token": "<image>", "video_token": "<video>"})
    config = LlavaNextVideoConfig(image_token_index=tokens.image_token_id)
    processor = LlavaNextVideoProcessor(
        video_processor=LlavaNextVideoVideoProcessor(),
        image_processor=LlavaNextImageProcessor(
            size={"shortest_edge": 336},
            crop_size={"height": 336, "width": 336},
            image_grid_pinpoints=config.image_grid_pinpoints,
        ),
        tokenizer=tokens,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=template(),
    )
    place = place_of(processor, config, Image.new("RGB", size))
    assert len(place.placeholders) == (size[0] // 14) * (size[1] // 14)
    with pytest.raises(tam.LayoutError, match="tried with ramps, its processor shows no picture 0 in one piece"):
        generic.views(place)


@pytest.mark.parametrize("kind", [AriaConfig, DeepseekOcr2Config, Idefics2Config, Kosmos2Config, Kosmos2_5Config])
def test_queries_have_no_place_however_many_there_are(kind):
    with pytest.raises(tam.UnsupportedModelError, match="learned queries, each of which reads the whole picture"):
        family_of(kind())


@pytest.mark.parametrize("name", ["num_query_tokens", "perceiver_config", "resampler_depth"])
def test_a_newer_model_whose_settings_speak_of_queries_is_refused(name):
    with pytest.raises(tam.UnsupportedModelError, match=rf"place in it \(its configuration has {name}"):
        family_of(SimpleNamespace(model_type="newer_vl", vision_config=SimpleNamespace(), **{name: 64}))


# A processor as unknown models have them: it may crop, pad, resize and cut as it likes.


CELL = 8


def tried(size, process, count, *, vision=None, kind="image", processor=None, **config):
    """A place of a model of no known family, whose pictures go through a function."""
    picture = tiny_models.picture(*size)

    def call(media):
        return {"input_ids": torch.tensor([[0, *[7] * count, 0]]), **process(media[0])}

    inputs = call([picture])
    processor = processor or Processor()
    return Place(
        index=0,
        kind=kind,
        row=0,
        beside=1,
        width=size[0],
        height=size[1],
        frames=1,
        ids=tuple(inputs["input_ids"][0].tolist()),
        span=(0, count + 2),
        inputs=inputs,
        config=SimpleNamespace(
            model_type="newer_vl",
            image_token_id=7,
            vision_config=SimpleNamespace(**({"patch_size": CELL} if vision is None else vision)),
            **config,
        ),
        processor=processor,
        ramps=Ramps(call, processor, [picture], [count + 2], inputs),
    )


class Processor:
    """Has settings; its work is a function's."""

    size = 0


def pixels(picture):
    return torch.from_numpy(np.asarray(picture, np.float32).transpose(2, 0, 1)[None].copy()) / 127.5 - 1


def square(crop=None, pad=None, side=32, *, turn=None, twice=False, mirror=False):
    """Cut a box out, or put the picture into a larger one; stretch the rest to a square."""

    def process(picture):
        made = picture.crop(crop) if crop else picture
        if pad:
            canvas = Image.new("RGB", pad[2:], (120, 110, 100))
            canvas.paste(made, pad[:2])
            made = canvas
        made = made.resize((side, side), Image.Resampling.BICUBIC)
        if mirror:
            made = made.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if turn:
            made = made.transpose(turn)
        return {"pixel_values": torch.cat([pixels(made)] * (2 if twice else 1))}

    return process


@pytest.mark.parametrize(
    ("process", "box"),
    [
        pytest.param(square(), (0, 0, 60, 40), id="stretched"),
        pytest.param(square(crop=(10, 0, 50, 40)), (10, 0, 50, 40), id="cropped"),
        pytest.param(square(pad=(0, 10, 60, 60)), (0, -10, 60, 50), id="padded"),
        pytest.param(square(pad=(0, 0, 64, 48)), (0, 0, 64, 48), id="padded at right and bottom"),
    ],
)
def test_a_square_covers_what_the_processor_left_in_it(process, box):
    (view,) = generic.views(tried((60, 40), process, 16))
    np.testing.assert_array_equal(view.positions, np.arange(1, 17).reshape(4, 4))
    assert view.box == pytest.approx(box, abs=1)


def test_pixels_beyond_the_last_whole_patch_belong_to_no_cell():
    (view,) = generic.views(tried((70, 70), square(side=35), 16))
    assert view.box == pytest.approx((0, 0, 64, 64))


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1000, 17), (4000, 300)], ids=str)
def test_sizes_at_the_edge_of_sense_are_read(size):
    (view,) = generic.views(tried(size, square(), 16))
    assert view.box == (0, 0, *size)


@pytest.mark.parametrize(
    ("process", "count"),
    [
        pytest.param(square(), 15, id="no square number of tokens"),
        pytest.param(square(), 25, id="no whole patches"),
        pytest.param(square(twice=True), 16, id="tiles"),
        pytest.param(square(turn=Image.Transpose.TRANSPOSE), 16, id="columns for rows"),
        pytest.param(square(mirror=True), 16, id="mirrored"),
        pytest.param(lambda picture: square()(picture.convert("L").convert("RGB")), 16, id="without colour"),
        pytest.param(square(pad=(0, 0, 2400, 2400)), 16, id="next to nothing of it"),
    ],
)
def test_what_leaves_a_doubt_is_refused_with_what_was_found(process, count):
    with pytest.raises(tam.LayoutError, match=rf"picture 0.*{count} vision tokens, pixel_values .*register_family"):
        generic.views(tried((60, 40), process, count))


def test_a_processor_that_cuts_by_what_it_sees_is_refused():
    def process(picture):
        bright = np.asarray(picture).mean() > 100
        return {"pixel_values": torch.zeros(1, 3, 48, 48) if bright else pixels(picture.resize((32, 32)))}

    with pytest.raises(tam.LayoutError, match="tried with ramps"):
        generic.views(tried((60, 40), process, 16))


def test_image_sizes_of_the_resized_picture_are_read():
    def process(picture):
        canvas = torch.zeros(1, 3, 48, 64)
        canvas[:, :, :32, :48] = pixels(picture.resize((48, 32)))
        return {"pixel_values": canvas, "image_sizes": torch.tensor([[32, 48]])}

    (view,) = generic.views(tried((60, 40), process, 24))
    assert (view.positions.shape, view.box) == ((4, 6), (0, 0, 60, 40))
    (view,) = generic.views(tried((60, 40), process, 6, spatial_merge_size=2))
    assert view.positions.shape == (2, 3)
    with pytest.raises(tam.LayoutError, match="do not state how picture 0 was cut: 25 vision tokens"):
        generic.views(tried((60, 40), process, 25))


def patches(order):
    """Patches of 8×8 pixels in squares of 2×2, with their numbers in some order."""

    def process(picture):
        made = pixels(picture.resize((48, 32)))[0].reshape(3, 2, 2, 8, 3, 2, 8).permute(order).reshape(24, -1)
        return {"pixel_values": made, "image_grid_thw": torch.tensor([[1, 4, 6]])}

    return process


VISION = {"patch_size": 8, "spatial_merge_size": 2}


@pytest.mark.parametrize(
    "order",
    [
        pytest.param((1, 4, 2, 5, 0, 3, 6), id="squares, colours first"),
        pytest.param((1, 4, 2, 5, 3, 6, 0), id="squares, colours last"),
        pytest.param((1, 2, 4, 5, 0, 3, 6), id="rows, colours first"),
        pytest.param((1, 2, 4, 5, 3, 6, 0), id="rows, colours last"),
    ],
)
def test_patches_are_read_in_the_orders_that_processors_write(order):
    (view,) = generic.views(tried((60, 40), patches(order), 6, vision=VISION))
    assert (view.positions.shape, view.box) == ((2, 3), (0, 0, 60, 40))


@pytest.mark.parametrize(
    "order",
    [
        pytest.param((4, 1, 2, 5, 0, 3, 6), id="column by column"),
        pytest.param((2, 5, 1, 4, 0, 3, 6), id="interleaved"),
    ],
)
def test_patches_in_another_order_are_refused(order):
    with pytest.raises(tam.LayoutError, match="shows no picture 0 in rows of patches"):
        generic.views(tried((60, 40), patches(order), 6, vision=VISION))


# What a trial costs.


def test_a_processor_is_tried_once_for_each_size_and_setting_and_is_not_kept():
    processor, calls = Processor(), []

    def process(picture):
        calls.append(picture.size)
        return square()(picture)

    def read(size, processor):
        del calls[:]
        generic.views(tried(size, process, 16, processor=processor))
        return len(calls) - 1  # one is the picture's own

    assert [read(size, processor) for size in ((60, 40), (60, 40), (60, 41), (60, 40))] == [3, 0, 3, 0]
    processor.size = 5
    assert [read(size, processor) for size in ((60, 40), (60, 40))] == [3, 0]
    gone = weakref.ref(processor)
    del processor
    gc.collect()
    assert gone() is None


def test_pictures_of_one_conversation_are_tried_together(tiny):
    model, processor = tiny()
    calls = []
    made = prepare(processor, conversation_from([tiny_models.picture(*s) for s in ((71, 50), (40, 87))], None, PROMPT))
    call = made.ramps._call
    made.ramps._call = lambda media: calls.append(len(media)) or call(media)
    boxes = [generic.views(place)[0].box for place in places(made, model.config, processor)]
    assert boxes == [(0, 0, 71, 50), (0, 0, 40, 87)]
    assert calls == [2, 2, 2]
