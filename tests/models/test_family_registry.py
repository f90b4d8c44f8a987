"""Which models are explained, which are refused and why, and how a new one is taught."""

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tiny_models
import torch
from transformers import (
    Blip2Config,
    Blip2ForConditionalGeneration,
    Florence2Config,
    Florence2ForConditionalGeneration,
    MllamaConfig,
    MllamaForConditionalGeneration,
)

import tam_widget as tam
from tam_widget.models import families
from tam_widget.models.families import family_of, generic, llava, supported_types
from tam_widget.models.inputs.conversation import places
from tam_widget.models.stitch import stitch

PROMPT = "Describe the image."

TEXT = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 50}


def mllama():
    vision = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_global_layers": 1}
    vision |= {"attention_heads": 2, "image_size": 16, "patch_size": 8, "vision_output_dim": 32, "max_num_tiles": 1}
    vision |= {"intermediate_layers_indices": [0], "supported_aspect_ratios": [[1, 1]]}
    text = TEXT | {"num_key_value_heads": 2, "cross_attention_layers": [0], "pad_token_id": 0}
    return MllamaForConditionalGeneration(MllamaConfig(vision_config=vision, text_config=text))


def blip_2():
    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {"model_type": "opt", "hidden_size": 16, "ffn_dim": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    text |= {"vocab_size": 50, "word_embed_proj_dim": 16}
    config = Blip2Config(
        vision_config=small | {"image_size": 16, "patch_size": 8},
        qformer_config=small | {"vocab_size": 50, "encoder_hidden_size": 16},
        text_config=text,
    )
    return Blip2ForConditionalGeneration(config)


def florence_2():
    text = {"model_type": "bart", "d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "vocab_size": 60}
    text |= {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16}
    vision = {"embed_dim": (8,), "num_heads": (2,), "num_groups": (2,), "depths": (1,), "patch_size": (7,)}
    vision |= {"patch_stride": (4,), "patch_padding": (3,), "patch_prenorm": (False,), "projection_dim": 16}
    return Florence2ForConditionalGeneration(Florence2Config(text_config=text, vision_config=vision))


@pytest.mark.parametrize(
    ("build", "reason"),
    [(mllama, "cross-attention"), (blip_2, "Q-former"), (florence_2, "encoder-decoder")],
    ids=["mllama", "blip-2", "florence2"],
)
def test_what_cannot_be_explained_is_refused_before_it_runs(tiny, build, reason):
    model = build().eval()

    def run(*_args, **_kwargs):
        raise AssertionError("the model ran")

    model.forward = model.generate = run
    with pytest.raises(tam.UnsupportedModelError, match=reason) as error:
        tam.explain(model, tiny()[1], tiny_models.picture(), PROMPT)
    assert all(name in str(error.value) for name in supported_types())


def test_a_model_of_text_alone_is_refused():
    with pytest.raises(tam.UnsupportedModelError, match="no vision part"):
        family_of(SimpleNamespace(model_type="llama"))


@pytest.mark.parametrize("model_type", ["qwen2_5_omni", "qwen3_omni_moe"])
def test_a_model_that_speaks_is_referred_to_its_thinker(model_type):
    with pytest.raises(tam.UnsupportedModelError, match=r"pass model\.thinker"):
        family_of(SimpleNamespace(model_type=model_type, thinker_config=SimpleNamespace()))


# A family of one's own.


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setattr(families, "_FAMILIES", dict(families._FAMILIES))


def test_a_registered_family_is_used(registry):
    model, processor = tiny_models.build(), tiny_models.processor()
    model.config.model_type = "my_vlm"

    def views(place):
        assert (place.kind, place.index, place.row, place.beside, place.frames) == ("image", 0, 0, 1, 1)
        return [place.view("main", place.placeholders, 4, 12)]

    tam.register_family("my_vlm", views)
    assert "my_vlm" in supported_types()
    ex = tam.explain(model, processor, tiny_models.picture(), PROMPT, max_new_tokens=2)
    assert ex.grids == ((4, 12),)


def test_a_family_can_be_for_one_vision_tower_only(registry):
    tam.register_family("my_vlm", lambda place: [], vision_type="my_tower")
    tam.register_family("my_vlm", lambda place: [])
    towers = {
        name: SimpleNamespace(model_type="my_vlm", vision_config=SimpleNamespace(model_type=name))
        for name in ("my_tower", "another")
    }
    assert family_of(towers["my_tower"]) is not family_of(towers["another"])


def test_tiles_and_a_global_view_as_in_the_docstring(registry):
    model, processor = tiny_models.build(), tiny_models.processor()
    model.config.model_type = "tiled"

    def tiled(place):  # 48 placeholders: a global view of 4 × 4, and 2 × 1 tiles of 4 × 4
        found = place.placeholders
        return [place.view("global", found[:16], 4, 4), *place.tiles(found[16:], across=2, rows=4, columns=4)]

    tam.register_family("tiled", tiled)
    picture = tiny_models.picture(box=(5, 5, 30, 30))
    ex = tam.explain(model, processor, picture, PROMPT, max_new_tokens=3)
    assert ex.grids == ((4, 8),)
    assert ex.heatmap(-1, view="global").shape == (4, 4)
    assert ex.heatmap(-1).shape == (4, 8)
    raw = ex.maps(causal_inference=False, kernel_size=1)
    assert raw.overviews[0].shape == (len(ex.tokens), 4, 4)
    with pytest.raises(ValueError, match="'stitched' or 'global'"):
        ex.heatmap(0, view="tiles")


def test_a_family_that_is_wrong_about_its_tokens_is_refused(registry):
    model, processor = tiny_models.build(), tiny_models.processor()
    model.config.model_type = "my_vlm"
    tam.register_family("my_vlm", lambda place: [place.view("main", place.placeholders, 16, 16)])
    with pytest.raises(tam.LayoutError, match="picture 0 has 48 vision tokens where a main view of 16×16 cells"):
        tam.explain(model, processor, tiny_models.picture(), PROMPT)
    with pytest.raises(TypeError, match="a Family or a function from a place to its views, got 'views'"):
        tam.register_family("my_vlm", "views")
    with pytest.raises(TypeError, match="a family has no answer_input; it may have answer_inputs, final_norm"):
        tam.register_family("my_vlm", generic.views, answer_input={})


@pytest.fixture
def documented(registry):
    """Run the examples of the docs, and return the families that they register."""
    page = (Path(__file__).parents[2] / "docs" / "families.md").read_text(encoding="utf-8")
    section = page.partition("## Teach it another model")[2].partition("\n## ")[0]
    names = {"tam": tam}
    for code in re.findall(r"```python\n(.*?)```", section, re.DOTALL):
        exec(code, names)  # noqa: S102 - our own docs
    return families._FAMILIES


@pytest.mark.parametrize(
    ("name", "model_type", "sizes"),
    [
        ("llava (padded)", "my_padded_vlm", [(64, 48), (48, 103), (250, 130)]),
        ("gemma3 (pan and scan)", "my_cropping_vlm", [(50, 48), (97, 40), (250, 80)]),
    ],
)
def test_the_examples_of_the_docs_lay_pictures_out_as_the_known_families_do(documented, name, model_type, sizes):
    model, processor = case(name)
    for size in sizes:
        prepared = tiny_models.prepared(processor, [tiny_models.picture(*size)], PROMPT)
        (found,) = places(prepared, model.config, processor)
        shown, known = (
            stitch(family.views(found), 0, size) for family in (documented[model_type, None], family_of(model.config))
        )
        assert [panel.grid for panel in shown] == [panel.grid for panel in known]
        for one, other in zip(shown, known, strict=True):
            assert one.box == pytest.approx(other.box)
            np.testing.assert_array_equal(one.positions, other.positions)


def test_a_known_familys_views_serve_another_type(documented):
    family = documented["my_llava", None]
    assert family.views is llava.views
    assert (dict(family.answer_inputs), family.final_norm) == ({"expert_type_ids": 0}, "norm_f")
    tam.register_family("mine_too", family, final_norm=None, name="Mine")
    assert families.name_of("mine_too") == "Mine"
    assert documented["mine_too", None].final_norm is None


def test_a_final_norm_of_another_name_is_found(registry):
    model, processor = tiny_models.build(), tiny_models.processor()
    expected = tam.explain(model, processor, tiny_models.picture(), PROMPT, answer="A star.").maps()
    model.get_decoder().norm = torch.nn.Sequential(model.get_decoder().norm, torch.nn.Identity())
    model.config.model_type = "my_vlm"
    tam.register_family("my_vlm", generic.views, final_norm="norm.1")
    found = tam.explain(model, processor, tiny_models.picture(), PROMPT, answer="A star.").maps()
    np.testing.assert_array_equal(found.images[0], expected.images[0])
    tam.register_family("my_vlm", generic.views, final_norm="norm_f")
    with pytest.raises(tam.UnsupportedModelError, match=r"final norm 'norm_f'.*register_family\('my_vlm'"):
        tam.explain(model, processor, tiny_models.picture(), PROMPT)


# A model of no known family: what its inputs state is used, what they leave open is refused.


def test_an_unknown_model_is_read_by_its_image_grid_thw():
    model, processor = tiny_models.build(), tiny_models.processor()
    model.config.model_type = "newer_vl"
    ex = tam.explain(model, processor, tiny_models.picture(), PROMPT, max_new_tokens=2)
    assert ex.grids == ((6, 8),)


def place(inputs, count):
    """A place of an unknown model with so many placeholders."""
    prepared = SimpleNamespace(
        media=(tiny_models.picture(60, 40),),
        ids=(0, *[7] * count, 0),
        spans=((0, count + 2),),
        inputs=inputs,
        ramps=None,
    )
    settings = SimpleNamespace(model_type="newer_vl", image_token_id=7, vision_config=SimpleNamespace())
    (found,) = places(prepared, settings, None)
    return found


def test_inputs_that_state_nothing_are_refused_with_what_was_found():
    with pytest.raises(
        tam.LayoutError, match=r"25 vision tokens, pixel_values \(5, 3, 8, 8\).*register_family.*check_family"
    ):
        generic.views(place({"pixel_values": torch.zeros(5, 3, 8, 8)}, 25))


def test_a_model_without_a_placeholder_is_refused():
    unknown = place({}, 4)
    del unknown.config.image_token_id
    with pytest.raises(tam.LayoutError, match="names no image_token_id"):
        generic.views(unknown)
    other = place({}, 4)
    other.config.image_token_id = 9
    with pytest.raises(tam.LayoutError, match=r"no vision token \(ids \[9\]\)"):
        generic.views(other)


def test_a_grid_that_does_not_fit_the_placeholders_is_refused(tiny):
    model, processor = tiny()
    prepared = tiny_models.prepared(processor, [tiny_models.picture()], PROMPT)
    prepared.inputs["image_grid_thw"] = torch.tensor([[1, 12, 12]])
    (found,) = places(prepared, model.config, processor)
    with pytest.raises(tam.LayoutError, match="48 placeholder tokens"):
        family_of(model.config).views(found)


# What a family of its own cannot do, said before the model runs.


def case(name):
    """The model and the processor of one of the conformance tests' cases."""
    from tiny.cases import CASES

    return next(one for one in CASES if str(one) == name).pair()


@pytest.mark.parametrize(
    "given",
    [
        {"system": "Be brief."},
        {"messages": [{"role": "user", "content": ["Look.", {"type": "image"}, "What is it?"]}]},
        {"messages": [{"role": role, "content": "circle"} for role in ("user", "assistant", "user")]},
    ],
    ids=["system", "text before the picture", "turns"],
)
@pytest.mark.parametrize("name", ["paligemma", "got_ocr2"])
def test_a_model_without_chat_template_takes_one_question(name, given):
    model, processor = case(name)
    prompt = None if "messages" in given else PROMPT
    with pytest.raises(tam.PromptError, match="it takes pictures and one question after them"):
        tam.explain(model, processor, tiny_models.picture(), prompt, **given)


def test_a_video_is_refused_where_the_processor_takes_none():
    model, processor = case("paligemma")
    with pytest.raises(tam.UnsupportedModelError, match="takes no videos; pass some frames as a list of pictures"):
        tam.explain(model, processor, video=[tiny_models.picture()] * 2, prompt=PROMPT)


@pytest.mark.parametrize(("name", "message"), [("smolvlm", "pictures or videos, not both"), ("glm4v", "not both")])
def test_pictures_beside_a_video_are_refused_where_the_model_confuses_them(name, message):
    model, processor = case(name)
    with pytest.raises(tam.LayoutError, match=message):
        tam.explain(model, processor, tiny_models.picture(), PROMPT, video=[tiny_models.picture()] * 4)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("kimi_k25", {"temporal_patch_size": 2}, r"chunks of 2 frames.*video_kwargs=\{\"temporal_patch_size\": 1\}"),
        (
            "minicpmv4_6",
            {"max_slice_nums": 4},
            r"5 frames was cut into 25 parts; pass video_kwargs=\{\"max_slice_nums\": 1",
        ),
        ("video_llama_3", {"use_token_compression": True}, r"leaves holes.*\{\"use_token_compression\": False\}"),
        ("minicpmv4_6", {"stack_frames": 2}, r"\"stack_frames\": 1\}, so that each frame is one"),
    ],
)
def test_a_video_in_parts_that_cannot_be_told_is_refused(name, options, message):
    model, processor = case(name)
    frames = [tiny_models.picture()] * 5
    with pytest.raises(tam.LayoutError, match=message):
        tam.explain(model, processor, video=frames, prompt=PROMPT, fps=2, video_kwargs=options)


def test_tiles_that_are_not_named_cannot_be_told():
    model, processor = case("lfm2_vl")
    picture = tiny_models.picture(104, 64)
    assert tam.explain(model, processor, picture, PROMPT, max_new_tokens=1).grids[0] != (4, 4)
    processor.use_image_special_tokens = False
    try:
        with pytest.raises(tam.LayoutError, match="so none can be told"):
            tam.explain(model, processor, picture, PROMPT, max_new_tokens=1)
    finally:
        del processor.use_image_special_tokens


@pytest.mark.parametrize("name", ["qwen3_vl", "glm5_next"])
def test_a_picture_and_a_video_together_have_one_scale(name):
    model, processor = case(name)
    picture, frames = tiny_models.picture(box=(5, 5, 20, 20)), [tiny_models.picture(48, 48)] * 4
    ex = tam.explain(model, processor, picture, PROMPT, video=frames, max_new_tokens=3)
    assert ex.grids == ((6, 8), (2, 6, 6))
    assert isinstance(ex.images[1], tam.Video)
    maps = ex.maps(kernel_size=1)
    joint = np.concatenate([maps.images[0].reshape(len(ex.tokens), -1), maps.images[1].reshape(len(ex.tokens), -1)], 1)
    top = np.maximum(joint.max(axis=1), maps.relevance.max(axis=1))
    assert set(np.round(top, 5)) <= {0.0, 1.0}
