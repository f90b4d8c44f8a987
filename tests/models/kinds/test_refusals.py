"""What cannot be explained is refused before the model runs, in our own words: no raw error of a library shows."""

from types import SimpleNamespace

import pytest
import tiny_models
import torch
from tiny.cases import CASES
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

import tam_widget as tam
from tam_widget.models.families import family_of

PROMPT = "Describe the image."


def pair(name):
    """The model and the processor of one of the conformance tests' cases."""
    return next(one for one in CASES if str(one) == name).pair()


@pytest.fixture
def asleep(monkeypatch):
    """Let no model run."""

    def run(*_args, **_kwargs):
        raise AssertionError("the model ran")

    monkeypatch.setattr(torch.nn.Module, "__call__", run)


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("mistral3", (1, 1), "picture 0, 1×1 pixels, makes a single vision token"),
        ("lfm2_vl", (1000, 17), r"Lfm2VlProcessor refuses the pictures \(1000×17 pixels\)"),
        ("lfm2_vl (not split)", (1000, 17), "cuts a picture so narrow to 148 patches and gives the model 96"),
        ("pixtral", (1000, 17), r"refuses the pictures \(1000×17 pixels\)"),
        ("phi4_multimodal", (1000, 17), r"refuses the pictures \(1000×17 pixels\)"),
    ],
)
def test_a_picture_whose_size_the_model_cannot_take_is_refused(asleep, name, size, message):
    model, processor = pair(name)
    with pytest.raises(tam.PictureError, match=message):
        tam.explain(model, processor, tiny_models.picture(*size), PROMPT)


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        ("vipllava", {"do_center_crop": False}, tam.LayoutError, "32×24 pixels where the vision tower takes 24 a side"),
        ("video_llava", {"do_center_crop": False}, tam.LayoutError, "where the vision tower takes 24 a side"),
        ("fast_vlm", {"do_center_crop": False}, tam.LayoutError, "which make no square map"),
        ("got_ocr2", {"do_resize": False}, tam.LayoutError, "not into squares of whole cells"),
        ("janus", {"do_pad": False}, tam.LayoutError, "24×18 of 64×48, padded to a square: False"),
        ("deepseek_vl", {"do_resize": False}, tam.LayoutError, "36 vision tokens where a main view of 16×16 cells"),
        ("deepseek_vl_hybrid", {"do_resize": False}, tam.UnsupportedModelError, "fails on this conversation"),
        (
            "granite4_vision",
            {"do_center_crop": True, "crop_size": {"height": 16, "width": 16}},
            tam.LayoutError,
            "16, 32",
        ),
    ],
)
def test_settings_that_the_model_does_not_take_are_refused(asleep, name, options, error, message):
    model, processor = pair(name)
    with pytest.raises(error, match=message):
        tam.explain(model, processor, tiny_models.picture(64, 48), PROMPT, image_kwargs=options)


def test_rows_that_are_taken_for_colours_are_refused(asleep):
    model, processor = pair("video_llava")
    with pytest.raises(tam.LayoutError, match="takes the 3 rows of picture 0, 300×3 pixels, for its colours"):
        tam.explain(model, processor, tiny_models.picture(300, 3), PROMPT)


def test_a_video_beside_a_picture_is_refused_where_the_model_takes_one_of_them(asleep):
    model, processor = pair("molmo2")
    with pytest.raises(tam.LayoutError, match="pictures or a video, not both"):
        tam.explain(model, processor, tiny_models.picture(), PROMPT, video=[tiny_models.picture()] * 2)


def test_two_pictures_of_one_cell_each_are_taken():
    model, processor = pair("mistral3")
    ex = tam.explain(model, processor, [tiny_models.picture(2, 2)] * 2, PROMPT, max_new_tokens=1)
    assert ex.grids == ((1, 1), (1, 1))


@pytest.mark.parametrize(
    ("model_type", "message"),
    [
        ("chameleon", "pictures become codes among its words.*register_family"),
        ("emu3", "pictures become codes among its words.*register_family"),
        ("fuyu", "straight into its text.*register_family"),
        ("mistral4", "it has no vision part"),
        ("aria", "learned queries"),
        ("kosmos-2", "learned queries"),
        ("git", "puts the picture before its input by itself"),
    ],
)
def test_the_reason_is_true_of_the_model(model_type, message):
    with pytest.raises(tam.UnsupportedModelError, match=message):
        family_of(CONFIG_MAPPING[model_type]())


def processor_that(change):
    """A processor of which something is changed after it has worked."""
    made = tiny_models.processor()

    class Changing(type(made)):
        def __call__(self, *args, **kwargs):
            encoded = super().__call__(*args, **kwargs)
            change(encoded)
            return encoded

    made.__class__ = Changing
    return made


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(lambda made: made.update(text_replacement_offsets=[]), "does not say where it put", id="nothing"),
        pytest.param(lambda made: made.pop("text_replacement_offsets"), "does not say where it put", id="no offsets"),
        pytest.param(
            lambda made: made.update(input_ids=made["input_ids"] + 1), r"writes \d+ token ids", id="other ids"
        ),
    ],
)
def test_a_refusal_of_an_unknown_model_names_it_and_says_how_it_can_be_taught(asleep, change, message):
    model = tiny_models.build()
    model.config.model_type = "newer_vl"
    with pytest.raises(tam.LayoutError, match=f"{message}.*type 'newer_vl' is not known.*register_family") as error:
        tam.explain(model, processor_that(change), tiny_models.picture(), PROMPT)
    assert str(error.value).count("register_family") == 1


def test_a_model_without_words_for_itself_is_refused():
    with pytest.raises(tam.UnsupportedModelError, match=r"type 'SimpleNamespace' .*no vision part"):
        family_of(SimpleNamespace())
