"""Loading from a folder and from the package, and what is said where a piece is missing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_models
import torch

import tam_widget as tam
from tam_widget.demo.training.families.family import FAMILIES, family_named
from tam_widget.models import load as load_module

DEMOS = sorted(folder.name for folder in (Path(tam.__file__).parent / "demo" / "models").iterdir())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny model's folder, as save_pretrained writes it."""
    path = tmp_path_factory.mktemp("tiny")
    tiny_models.build(dtype=torch.bfloat16).save_pretrained(path)
    processor = tiny_models.processor()
    processor.tokenizer.save_pretrained(path)
    processor.image_processor.save_pretrained(path)
    (path / "chat_template.jinja").write_text(tiny_models.TEMPLATE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def demos(tmp_path_factory):
    """A random model of each family in float16, as the training saves them, by name."""
    path = tmp_path_factory.mktemp("models")
    for name in FAMILIES:
        family = family_named(name)
        tokenizer = family.tokenizer(["Describe the image. What moves?"] * 3, 480)
        torch.manual_seed(0)
        family.model(tokenizer).half().save_pretrained(path / name)
        family.save_processor(tokenizer, path / name)
    return path


@pytest.mark.parametrize("name", FAMILIES)
def test_demos_run_in_float32_with_tied_embeddings(demos, name):
    model, processor = load_module._load_demo(demos, name)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert {parameter.device.type for parameter in model.parameters()} == {"cpu"}
    assert not model.training
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
    ex = tam.explain(model, processor, tiny_models.picture(448, 448), "Describe the image.", max_new_tokens=2)
    assert ex.model_name == f"tam-demo-{name}"
    side = 224 // family_named(name).cell
    assert ex.grids == ((side, side),)


def test_a_family_without_videos_says_so(demos):
    model, processor = load_module._load_demo(demos, "llava")
    with pytest.raises(tam.UnsupportedModelError, match="takes no videos"):
        tam.explain(model, processor, video=[tiny_models.picture()] * 2, prompt="What moves?")


def test_only_demos_that_are_there_are_offered(demos):
    with pytest.raises(tam.UnknownDemoError, match=r"there is no demo model 'gpt'; there are 'lite', 'llava', 'qwen'$"):
        load_module._load_demo(demos, "gpt")
    with pytest.raises(tam.UnknownDemoError, match=f"there are {', '.join(map(repr, DEMOS))}$"):
        tam.load_demo("gpt")


@pytest.mark.parametrize("name", DEMOS)
def test_demos_need_no_torchvision(name):
    script = """
import sys
sys.modules["torchvision"] = None  # not to be imported
import tam_widget as tam
model, processor = tam.load_demo(sys.argv[1])
scene = tam.demo.scene(seed=7)
print(tam.explain(model, processor, scene.image, "Describe the image.", max_new_tokens=2).grids)
if hasattr(processor, "video_processor"):
    print(tam.explain(model, processor, video=[scene.image] * 3, prompt="What moves?", max_new_tokens=2).grids)
"""
    said = subprocess.run(
        [sys.executable, "-c", script, name], capture_output=True, text=True, check=True, timeout=600
    ).stdout.splitlines()
    picture = "((24, 24),)" if name == "noisy" else "((16, 16),)"
    assert said == ([picture] if name == "llava" else [picture, "((2, 10, 10),)"])


def test_the_bundled_demo_model_says_what_it_sees_and_looks_there():
    model, processor = tam.load_demo()
    scene = tam.demo.scene(seed=7)
    ex = tam.explain(model, processor, scene.image, "Describe the image.")
    assert ex.answer == scene.caption
    (height, width), (rows, columns) = scene.image.size[::-1], ex.grids[0]
    assert rows >= 16
    assert columns >= 16
    for thing in scene.objects:
        (token,) = ex.occurrences(thing.shape)[0][-1:]
        row, column = divmod(int(ex.heatmap(token).argmax()), columns)
        cell = thing.mask[row * height // rows : (row + 1) * height // rows, column * width // columns :]
        assert cell[:, : width // columns].any()


def test_a_missing_demo_model_says_how_to_get_it(tmp_path):
    with pytest.raises(tam.MissingDependencyError, match="pip install --force-reinstall tam-widget"):
        load_module._load_demo(tmp_path, "qwen")


def test_a_missing_torchvision_is_named_with_its_command(folder):
    script = """
import sys
sys.modules["torchvision"] = None  # not to be imported
import tam_widget as tam
try:
    tam.load(sys.argv[1])
except ImportError as error:
    print(type(error).__name__, error)
"""
    said = subprocess.run(
        [sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=True, timeout=600
    ).stdout
    assert said.startswith("MissingDependencyError")
    assert "pip install torchvision" in said


@pytest.fixture
def with_processor(monkeypatch):
    """Let AutoProcessor find a processor, as where torchvision is installed."""
    monkeypatch.setattr(load_module.AutoProcessor, "from_pretrained", lambda *_a, **_k: tiny_models.processor())


def test_a_folder_loads_in_its_own_type_ready_to_explain(folder, with_processor):
    model, processor = tam.load(str(folder))
    assert model.dtype == torch.bfloat16
    assert not model.training
    ex = tam.explain(model, processor, tiny_models.picture(), "Describe the image.", max_new_tokens=2)
    assert ex.model_name == folder.name


def test_keywords_pass_through(folder, with_processor):
    model, _ = tam.load(str(folder), dtype=torch.float32, device_map=None, attn_implementation="eager")
    assert model.dtype == torch.float32
    assert model.config._attn_implementation == "eager"


def test_what_the_processor_shares_is_handed_to_it(folder, monkeypatch):
    seen = {}

    def remember(_name, **kwargs):
        seen.update(kwargs)
        return tiny_models.processor()

    monkeypatch.setattr(load_module.AutoProcessor, "from_pretrained", remember)
    tam.load(str(folder), local_files_only=True, dtype=torch.float32)
    assert seen == {"local_files_only": True}


def test_a_bare_tokenizer_is_not_taken_for_a_processor(folder, monkeypatch):
    monkeypatch.setattr(load_module.AutoProcessor, "from_pretrained", lambda *_a, **_k: tiny_models.tokenizer())
    with pytest.raises(tam.UnsupportedModelError, match=r"no image processor .*Qwen2Tokenizer"):
        tam.load(str(folder))


def test_a_text_model_is_refused(tmp_path, with_processor):
    from transformers import Qwen2Config

    Qwen2Config().save_pretrained(tmp_path)
    with pytest.raises(tam.UnsupportedModelError, match="no vision-language model"):
        tam.load(str(tmp_path))


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ("operator torchvision::nms does not exist", "matches this torch: pip install --upgrade torch torchvision"),
        ("SmolVLM needs num2words", "num2words: pip install num2words"),
        ("something else went wrong", None),
    ],
)
def test_advice_names_the_package_and_the_command(monkeypatch, message, advice):
    monkeypatch.setattr(load_module.importlib.util, "find_spec", lambda _name: None)
    found = load_module._advice(message)
    assert (found is None) if advice is None else (advice in found)


def test_a_model_that_does_not_exist_keeps_the_hubs_own_error(tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        tam.load(str(tmp_path / "nowhere"))


def test_a_folder_without_a_processor_says_whose_to_take(tmp_path):
    bare = tmp_path / "bare"
    tiny_models.build().save_pretrained(bare)
    with pytest.raises(tam.UnsupportedModelError, match=r"holds no complete processor; take that of the model that it"):
        tam.load(str(bare))
    config = json.loads((bare / "config.json").read_text())
    (bare / "config.json").write_text(json.dumps(config | {"_name_or_path": "Qwen/Qwen2-VL-2B-Instruct"}))
    tiny_models.tokenizer().save_pretrained(bare)
    with pytest.raises(tam.UnsupportedModelError, match=r"take that of 'Qwen/Qwen2-VL-2B-Instruct': processor = Auto"):
        tam.load(str(bare))


def test_an_adapters_folder_names_its_base_model(tmp_path):
    import peft

    adapted = peft.get_peft_model(tiny_models.build(), peft.LoraConfig(target_modules=["q_proj"]))
    adapted.peft_config["default"].base_model_name_or_path = "Qwen/Qwen2-VL-7B-Instruct"
    adapted.save_pretrained(tmp_path)
    with pytest.raises(tam.UnsupportedModelError, match=r"take that of 'Qwen/Qwen2-VL-7B-Instruct'"):
        tam.load(str(tmp_path))


def test_a_folder_without_a_model_says_so(tmp_path):
    with pytest.raises(tam.UnsupportedModelError, match=r"holds no model: there is no config\.json"):
        tam.load(str(tmp_path))
