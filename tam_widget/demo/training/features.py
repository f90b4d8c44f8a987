"""What a frozen tower makes of the scenes of a training, kept so that each is drawn and looked at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from tam_widget.demo.training.kept_scenes import KeptStaging
from tam_widget.models.own.efficientnet_lite import FEATURES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tam_widget.demo.scenery.staging import Staging
    from tam_widget.demo.training.kept_scenes import KeptScenes

__all__ = ["FeatureCache"]


class FeatureCache:
    """Features and cell colours of kept scenes, in files; each is made when it is first asked for.

    Parameters
    ----------
    folder : Path
        Holds ``features.npy``, ``colours.npy`` and ``made.npy``; made where they are not there.
    scenes : KeptScenes
    tower : EfficientNetLiteModel
    processor : transformers.BaseImageProcessor
        What makes the tower's input of a picture.
    """

    def __init__(self, folder: Path, scenes: KeptScenes, tower: Any, processor: Any) -> None:
        self._scenes, self._tower, self._processor = scenes, tower, processor
        side = tower.config.image_size // tower.config.patch_size
        self._side = side
        folder.mkdir(parents=True, exist_ok=True)
        self._features = _array(folder / "features.npy", (scenes.count, side**2, FEATURES), np.float16)
        self._colours = _array(folder / "colours.npy", (scenes.count, side, side, 3), np.uint8)
        self._made = _array(folder / "made.npy", (scenes.count,), np.bool_)

    def of(self, stagings: Sequence[Staging]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the mean colours of the cells of B scenes and the tower's features.

        Returns
        -------
        colours : tensor of uint8, shape (B, 1, 1, rows, columns, 3)
        features : tensor of float16, shape (B, 1, N, C)
        """
        kept = [staging for staging in stagings if isinstance(staging, KeptStaging)]
        missing = [staging for staging in kept if not self._made[staging.number]]
        if missing:
            self._make(missing)
        numbers = [staging.number for staging in kept]
        colours, features = self._colours[numbers][:, None, None], self._features[numbers][:, None]
        return torch.from_numpy(colours), torch.from_numpy(features)

    @torch.no_grad()
    def _make(self, stagings: Sequence[KeptStaging]) -> None:
        pictures = [self._scenes.picture(staging) for staging in stagings]
        pixels = self._processor(pictures, return_tensors="pt")["pixel_values"]
        features = self._tower.features(pixels.to(memory_format=torch.channels_last))
        for staging, picture, one in zip(stagings, pictures, features, strict=True):
            self._features[staging.number] = one.half().numpy()
            self._colours[staging.number] = np.asarray(picture.resize((self._side,) * 2, Image.Resampling.BOX))
            self._made[staging.number] = True


def _array(file: Path, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    if file.exists():
        there = np.lib.format.open_memmap(file, mode="r+")
        if there.shape == shape:
            return there
    return np.lib.format.open_memmap(file, mode="w+", dtype=dtype, shape=shape)
