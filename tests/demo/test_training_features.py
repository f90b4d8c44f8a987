"""What a frozen tower makes of a scene is kept, the same as it would make it again."""

import numpy as np
import pytest
import torch

from tam_widget.demo.training.families.lite import picture_processor
from tam_widget.demo.training.features import FeatureCache
from tam_widget.demo.training.kept_scenes import KeptScenes
from tam_widget.models.own.efficientnet_lite import FEATURES, EfficientNetLiteConfig, EfficientNetLiteModel

SCENES = KeptScenes(count=12, checked=4)


@pytest.fixture(scope="module")
def tower():
    torch.manual_seed(0)
    return EfficientNetLiteModel(EfficientNetLiteConfig()).eval()


def test_features_are_the_tower_s_and_are_made_once(tower, tmp_path, monkeypatch):
    cache = FeatureCache(tmp_path / "features", SCENES, tower, picture_processor())
    stagings = [SCENES.staging(number) for number in (5, 9, 5)]
    colours, features = cache.of(stagings)
    assert (colours.shape, colours.dtype) == ((3, 1, 1, 14, 14, 3), torch.uint8)
    assert (features.shape, features.dtype) == ((3, 1, 196, FEATURES), torch.float16)
    picture = SCENES.picture(stagings[1])
    with torch.no_grad():
        expected = tower.features(picture_processor()([picture], return_tensors="pt")["pixel_values"])
    torch.testing.assert_close(features[1, 0].float(), expected[0], atol=2e-3, rtol=2e-3)
    assert torch.equal(features[0], features[2])
    corner = np.asarray(picture, float)[:22, :22].mean((0, 1))  # of 320 pixels in 14 cells
    assert np.abs(colours[1, 0, 0, 0, 0].numpy() - corner).max() < 6

    def refuse(*_):
        raise AssertionError("drawn again")

    monkeypatch.setattr(KeptScenes, "picture", refuse)
    again = FeatureCache(tmp_path / "features", SCENES, tower, picture_processor()).of(stagings)
    assert torch.equal(again[0], colours)
    assert torch.equal(again[1], features)
    with pytest.raises(AssertionError, match="drawn again"):
        cache.of([SCENES.staging(7)])
