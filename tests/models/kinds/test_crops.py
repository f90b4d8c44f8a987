"""What LLaVA's image processors leave of a picture, cut or padded: the pixel at each place is the one that is said."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from transformers import CLIPImageProcessor
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from tam_widget.models.families import llava

CROP = 16


@pytest.mark.parametrize("kind", [CLIPImageProcessor, CLIPImageProcessorPil])
@pytest.mark.parametrize("width", [12, 13, 16, 19, 20])
@pytest.mark.parametrize("height", [13, 14, 21])
def test_a_crop_begins_at_the_pixel_that_is_said(kind, width, height):
    plain = {"do_resize": False, "do_normalize": False, "do_rescale": False}
    settings = kind(crop_size={"height": CROP, "width": CROP}, **plain)
    down, across = np.mgrid[1 : height + 1, 1 : width + 1]
    picture = np.stack([across, down, np.full_like(down, 200)], axis=-1).astype(np.uint8)
    made = settings(images=Image.fromarray(picture), return_tensors="np")["pixel_values"][0]
    place = SimpleNamespace(width=width, height=height)
    rows, columns, (left, top, right, bottom) = llava.shown(place, settings, made.shape[-2:], 1)
    assert (rows, columns, right - left, bottom - top) == (CROP,) * 4
    shown = made[2] > 0  # the rest is padding
    y, x = np.nonzero(shown)
    np.testing.assert_array_equal(made[0][shown], x + left + 1)
    np.testing.assert_array_equal(made[1][shown], y + top + 1)
    assert shown.sum() == min(width, CROP) * min(height, CROP)
