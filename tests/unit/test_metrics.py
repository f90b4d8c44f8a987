import numpy as np
import pytest

from tam_widget.evaluation import f1_iou, function_iou, object_iou, otsu_threshold, points_inside, to_mask_size


def slow_otsu(levels):
    """Otsu's threshold from its definition: the least variance within the two classes."""
    values = levels.ravel().astype(float)
    best, threshold = np.inf, None
    for t in range(255):
        low, high = values[values <= t], values[values > t]
        if len(low) and len(high):
            within = len(low) * low.var() + len(high) * high.var()
            if within < best * (1 - 1e-9):
                best, threshold = within, t
    return threshold


@pytest.mark.parametrize("seed", range(20))
def test_otsu_equals_the_definition(seed):
    rng = np.random.default_rng(seed)
    levels = np.where(
        rng.random((12, 9)) < rng.uniform(0.1, 0.9), rng.integers(0, 90, (12, 9)), rng.integers(60, 256, (12, 9))
    )
    assert otsu_threshold(levels.astype(np.uint8)) == slow_otsu(levels)


def test_otsu_of_one_level_leaves_no_foreground():
    levels = np.full((4, 4), 7, np.uint8)
    assert not (levels > otsu_threshold(levels)).any()


def test_object_iou_of_a_map_that_is_its_mask():
    mask = np.zeros((8, 8), bool)
    mask[2:5, 3:6] = True
    assert object_iou(mask.astype(np.uint8) * 200, mask) == 1.0
    assert object_iou((~mask).astype(np.uint8) * 200, mask) == 0.0
    half = mask.copy()
    half[2] = False
    assert object_iou(half.astype(np.uint8) * 200, mask) == pytest.approx(6 / 9)
    assert object_iou(np.zeros((8, 8), np.uint8), mask) == 0.0


def test_function_iou_counts_what_stays_below_the_nouns():
    levels = np.array([[0, 10], [100, 200]], np.uint8)
    assert function_iou(levels, [90, 110]) == 0.75
    assert function_iou(np.zeros((2, 2), np.uint8), [50]) == 1.0
    with pytest.raises(ValueError, match="at least one noun"):
        function_iou(levels, [])


def test_f1_is_the_harmonic_mean():
    assert f1_iou(0.5, 1.0) == pytest.approx(2 / 3)
    assert f1_iou(0.0, 0.0) == 0.0


def test_points_inside():
    mask = np.zeros((6, 6), bool)
    mask[1:4, 1:4] = True
    levels = np.zeros((6, 6), np.uint8)
    assert not points_inside(levels, mask)
    levels[2, 2] = 9
    assert points_inside(levels, mask)
    levels[5, 5] = 10
    assert not points_inside(levels, mask)


def test_resizing_keeps_cell_centres():
    heatmap = np.zeros((4, 4), np.float32)
    heatmap[1, 2] = 1.0
    resized = to_mask_size(heatmap, (20, 20))
    assert resized.dtype == np.uint8
    assert np.unravel_index(resized.argmax(), resized.shape) == (7, 12)
    assert resized.max() == 255
    assert to_mask_size(np.full((3, 5), 0.5, np.float32), (30, 50)).tolist() == [[127] * 50] * 30
