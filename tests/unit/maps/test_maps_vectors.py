"""The maps against numbers from the authors' released code, byte by byte."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tam_widget.maps import activation_maps, rank_gaussian_filter, token_activation_maps
from tam_widget.maps import rank_filter as rank_filter_module
from tam_widget.maps import tam as tam_module

VECTORS = sorted((Path(__file__).parents[2] / "data").glob("*.npz"))


@pytest.fixture(params=VECTORS, ids=lambda path: path.stem)
def vector(request):
    with np.load(request.param) as arrays:
        return dict(arrays)


@pytest.fixture(params=[1, 2, 5])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def text_of(vector):
    """The six arguments that describe the text, states as tensors and the rest as the arrays they are."""
    states = [torch.from_numpy(vector[name]) for name in ("hidden", "weight")]
    return (*states, *(vector[name] for name in ("class_ids", "positions", "keys", "image_positions")))


def filtered_bytes(maps, grids):
    if grids.shape[1] == 3:
        frames, height, width = grids[0]
        grids = np.array([[height, width]] * frames)
    pictures = maps.split([h * w for h, w in grids.tolist()], dim=1)
    filtered = [
        rank_gaussian_filter(picture.reshape(-1, h, w)).flatten(1)
        for picture, (h, w) in zip(pictures, grids.tolist(), strict=True)
    ]
    return (torch.cat(filtered, dim=1) * 255).floor().to(torch.uint8).numpy()


def test_there_are_vectors():
    assert len(VECTORS) == 5


def test_maps_equal_the_released_code(vector, threads):
    maps = token_activation_maps(*text_of(vector))[int(vector["first_explained"]) :]
    assert maps.dtype == torch.float32
    np.testing.assert_array_equal(filtered_bytes(maps, vector["grids"]), vector["maps"])


def test_maps_equal_the_released_code_one_by_one(vector):
    for index, expected in enumerate(vector["maps"], start=int(vector["first_explained"])):
        maps = activation_maps(*text_of(vector), tokens=[index]).image
        np.testing.assert_array_equal(filtered_bytes(maps, vector["grids"])[0], expected)


def test_maps_equal_the_released_code_in_small_blocks(vector, monkeypatch):
    monkeypatch.setattr("tam_widget.maps.activation._BLOCK", 7 * vector["hidden"].shape[1])
    monkeypatch.setattr(tam_module, "_BLOCK", 3 * (len(vector["image_positions"]) + len(vector["keys"])))
    monkeypatch.setattr(rank_filter_module, "_CPU_BLOCK", 150)
    maps = token_activation_maps(*text_of(vector))[int(vector["first_explained"]) :]
    np.testing.assert_array_equal(filtered_bytes(maps, vector["grids"]), vector["maps"])


def test_maps_are_those_of_a_head_cut_down_to_the_classes(vector):
    hidden, weight, class_ids, *rest = text_of(vector)
    classes, numbers = np.unique(class_ids, return_inverse=True)
    maps = token_activation_maps(hidden, weight[classes], numbers, *rest)
    assert torch.equal(maps, token_activation_maps(hidden, weight, class_ids, *rest))
