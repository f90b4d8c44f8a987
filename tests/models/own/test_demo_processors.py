"""Videos for the demo without torchvision, held to transformers' own video processor."""

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import Qwen2VLVideoProcessor
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from tam_widget.models.own.demo_processors import DemoVideoProcessor

SIDES = {"patch_size": 7, "merge_size": 2, "temporal_patch_size": 2}
SIZE = {"shortest_edge": 98 * 98, "longest_edge": 140 * 140}


@pytest.fixture(scope="module")
def videos():
    return DemoVideoProcessor(Qwen2VLImageProcessorPil(**SIDES), {"size": SIZE})


def frames(count, height, width):
    return np.random.default_rng(0).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("count", [1, 2, 5, 8])
@pytest.mark.parametrize(("height", "width"), [(98, 112), (140, 140), (196, 70)])
def test_frames_of_a_size_to_keep_become_the_same_numbers(videos, count, height, width):
    theirs = Qwen2VLVideoProcessor(**SIDES, size=SIZE, cap_pixels_per_frame=False)
    given = frames(count, height, width)
    ours, expected = videos([given]), theirs([given], return_tensors="pt")
    assert torch.equal(ours["video_grid_thw"], expected["video_grid_thw"])
    torch.testing.assert_close(ours["pixel_values_videos"], expected["pixel_values_videos"], atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("height", "width", "grid"),
    [(224, 224, (20, 20)), (56, 56, (14, 14)), (100, 200, (14, 28)), (480, 640, (16, 22)), (126, 126, (18, 18))],
)
def test_other_frames_are_resized_to_whole_cells_in_their_shape(videos, height, width, grid):
    made = videos([frames(3, height, width)])
    assert made["video_grid_thw"].tolist() == [[2, *grid]]
    assert made["pixel_values_videos"].shape == (2 * grid[0] * grid[1], 3 * 2 * 7 * 7)
    assert 98 * 98 <= 49 * grid[0] * grid[1] <= 140 * 140


def test_frames_may_be_pictures_and_videos_several(videos):
    one, two = frames(2, 98, 98), frames(4, 112, 98)
    made = videos([[Image.fromarray(frame) for frame in video] for video in (one, two)])
    assert made["video_grid_thw"].tolist() == [[1, 14, 14], [2, 16, 14]]
    apart = [videos(video)["pixel_values_videos"] for video in (one, two)]
    assert torch.equal(made["pixel_values_videos"], torch.cat(apart))
