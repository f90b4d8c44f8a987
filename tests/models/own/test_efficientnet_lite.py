"""The tower of the demo that speaks of things: where its features lie, how it is folded, that transformers knows it."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModel

from tam_widget.models.own.efficientnet_lite import FEATURES, EfficientNetLiteConfig, EfficientNetLiteModel

sys.path.append(str(Path(__file__).parents[3] / "parts"))

import build_tower

OPENS = "assert type(AutoModel.from_pretrained({folder!r})).__name__ == 'EfficientNetLiteModel'"


@pytest.fixture(scope="module")
def tower():
    torch.manual_seed(0)
    made = EfficientNetLiteModel(EfficientNetLiteConfig()).eval()
    with torch.no_grad():
        for name, weight in made.named_parameters():
            if "embedding" not in name and weight.ndim > 1:  # so that what comes in also comes out
                weight.normal_(0, (2 / weight[0].numel()) ** 0.5)
    return made


@pytest.fixture(scope="module")
def folder(tower, tmp_path_factory):
    made = tmp_path_factory.mktemp("tower")
    tower.save_pretrained(made)
    return str(made)


def test_it_is_as_large_as_the_one_that_was_trained(tower):
    weights = sum(weight.numel() for name, weight in tower.named_parameters() if "embedding" not in name)
    assert weights == 3_350_000


def test_transformers_knows_it(tower, folder):
    assert type(AutoConfig.from_pretrained(folder)) is EfficientNetLiteConfig
    again = AutoModel.from_pretrained(folder, dtype=torch.float32)
    assert type(again) is EfficientNetLiteModel
    for (name, one), two in zip(tower.state_dict().items(), again.state_dict().values(), strict=True):
        assert torch.equal(one, two), name


@torch.no_grad()
def test_a_picture_gives_fourteen_rows_of_fourteen_features(tower):
    seen = tower(torch.rand(2, 3, 224, 224) * 2 - 1)
    assert seen.last_hidden_state.shape == (2, 196, 1280)
    assert seen.hidden_states[-1] is seen.last_hidden_state
    with pytest.raises(ValueError, match="224×224 pixels, not of 256×224"):
        tower(torch.zeros(1, 3, 224, 256))


@torch.no_grad()
@pytest.mark.parametrize(("down", "right"), [(0, 0), (2, 0), (0, 2), (-2, 2)])
def test_a_feature_lies_where_its_pixels_do(down, right):
    """Filters that weigh all around them alike spread what they see far around, and do not shift it."""
    evens = EfficientNetLiteModel(EfficientNetLiteConfig()).eval()
    for name, weight in evens.named_parameters():
        weight.fill_(0 if name.endswith("bias") else 1 / weight[0].numel())
    pixels = torch.zeros(1, 3, 224, 224)
    rows, columns = (slice(96 + 16 * way, 128 + 16 * way) for way in (down, right))
    pixels[:, :, rows, columns] = 1
    seen = evens.features(pixels)[0].sum(-1).view(14, 14)
    found = [float((seen.sum(1 - axis) * torch.arange(14)).sum() / seen.sum()) - 6.5 for axis in (0, 1)]
    for way, at in zip((down, right), found, strict=True):
        assert abs(at) < 0.2 if way == 0 else at / way > 0.2, found


@torch.no_grad()
def test_where_a_feature_lies_is_added_to_it(tower):
    placed = tower.placed(torch.zeros(1, 196, FEATURES)).view(14, 14, -1)
    rows, columns = tower.row_embedding.weight, tower.column_embedding.weight
    expected = rows[5] - rows[2] + columns[9] - columns[1]
    torch.testing.assert_close(placed[5, 9] - placed[2, 1], expected, atol=1e-5, rtol=0)


@torch.no_grad()
def test_norms_are_folded_into_the_convolutions_before_them(tower):
    """What the trained weights are called and shaped like, made by chance: a block before and after."""
    chance = torch.Generator().manual_seed(1)
    before = _before(tower, chance)
    folded = build_tower.folded(before)
    assert folded.keys() == {name for name in tower.state_dict() if "embedding" not in name}
    pixels = torch.randn(2, 96, 8, 8, generator=chance)
    whole = torch.nn.functional.batch_norm(
        torch.nn.functional.conv2d(pixels, before["_blocks.1._project_conv.weight"]),
        *(before[f"_blocks.1._bn2.{part}"] for part in ("running_mean", "running_var", "weight", "bias")),
        eps=1e-3,
    )
    short = torch.nn.functional.conv2d(pixels, folded["blocks.1.project.weight"], folded["blocks.1.project.bias"])
    torch.testing.assert_close(short, whole, atol=1e-4, rtol=1e-4)


def _before(tower, chance):
    """Weights as the package has them: convolutions without a bias, and norms."""
    named = {"stem": ("_conv_stem", "_bn0"), "head": ("_conv_head", "_bn1")}
    for block in range(16):
        for part, number in (("expand", 0), ("depthwise", 1), ("project", 2)):
            named[f"blocks.{block}.{part}"] = (f"_blocks.{block}._{part}_conv", f"_blocks.{block}._bn{number}")
    found = {}
    for name, (convolution, norm) in named.items():
        if f"{name}.weight" in tower.state_dict():
            weight = tower.state_dict()[f"{name}.weight"]
            found[f"{convolution}.weight"] = torch.randn(weight.shape, generator=chance)
            for part in ("running_mean", "weight", "bias"):
                found[f"{norm}.{part}"] = torch.randn(len(weight), generator=chance)
            found[f"{norm}.running_var"] = torch.rand(len(weight), generator=chance) + 0.5
    return found


def run(*lines):
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "imports",
    [
        ("import tam_widget", "from transformers import AutoModel"),
        ("from transformers import AutoModel", "import tam_widget"),
        ("import transformers", "import tam_widget", "from transformers import AutoModel"),
        ("import tam_widget", "from transformers import LlavaForConditionalGeneration, pipeline, AutoModel"),
    ],
)
def test_the_order_of_imports_makes_no_difference(folder, imports):
    run(*imports, OPENS.format(folder=folder))


def test_nothing_is_loaded_before_it_is_needed_and_nothing_stays_behind():
    run(
        "import sys",
        "before = list(sys.meta_path)",
        "import tam_widget",
        "assert not {'torch', 'transformers'} & sys.modules.keys()",
        "assert len(sys.meta_path) == len(before) + 1",
        "from transformers import AutoModel",
        "assert not any('tam_widget' in type(finder).__module__ for finder in sys.meta_path)",
    )
