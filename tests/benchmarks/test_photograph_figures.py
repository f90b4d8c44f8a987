"""A photograph and its mask are cut alike, whichever way it lies."""

import numpy as np
import pytest
from PIL import Image

from photographs import middle, middle_of_mask


@pytest.mark.parametrize("size", [(12, 7), (7, 12), (9, 9)])
def test_picture_and_mask_show_the_same_middle(size):
    width, height = size
    mask = np.random.default_rng(0).random((height, width)) > 0.5
    picture = Image.fromarray((255 * mask).astype(np.uint8))
    shown = middle(picture)
    assert shown.size == (min(size), min(size))
    np.testing.assert_array_equal(np.asarray(shown) > 0, middle_of_mask(mask))
    left = (width - min(size)) // 2
    assert (np.asarray(shown)[0, 0] > 0) == mask[(height - min(size)) // 2, left]
