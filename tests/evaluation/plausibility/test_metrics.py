"""Measures of one map: against OpenCV, scikit-image, values worked out by hand, and the definitions, written slowly."""

import cv2
import numpy as np
import pytest
from skimage.filters import threshold_otsu

from tam_widget.evaluation import (
    energy_inside,
    f1_iou,
    function_iou,
    object_iou,
    otsu_threshold,
    pixel_precision,
    pixel_recall,
    points_inside,
    to_levels,
    to_mask_size,
)


def some_heatmap(rng, shape):
    """A map as the method makes them: dense or mostly zero, flat or peaked."""
    values = rng.random(shape).astype(np.float32) ** rng.uniform(1, 6)
    if rng.random() < 0.5:
        values[rng.random(shape) < 0.6] = 0
    return values


def some_levels(rng, shape):
    return np.floor(255 * some_heatmap(rng, shape)).astype(np.uint8)


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


@pytest.mark.parametrize("seed", range(200))
def test_resizing_and_threshold_are_opencv_s_and_scikit_image_s(seed):
    rng = np.random.default_rng(seed)
    grid = tuple(rng.integers(2, 40, 2))
    shape = tuple(rng.integers(20, 400, 2).tolist()) if seed % 3 else (grid[0] * 14, grid[1] * 14)
    heatmap = some_heatmap(rng, grid)
    levels = np.floor(255 * heatmap).astype(np.uint8)
    resized = to_mask_size(heatmap, shape)
    assert resized.dtype == np.uint8
    assert (resized == cv2.resize(levels, shape[::-1])).all()
    for picture in (levels, resized):
        threshold = otsu_threshold(picture)
        assert threshold == cv2.threshold(picture, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[0]
        assert threshold == threshold_otsu(picture)


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


@pytest.mark.parametrize("seed", range(200))
def test_every_measure_equals_its_definition_pixel_by_pixel(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(2, 12, 2))
    levels = some_levels(rng, shape) if seed else np.zeros(shape, np.uint8)
    mask = rng.random(shape) < rng.uniform(0, 0.8)
    threshold = otsu_threshold(levels)
    both = above = inside = either = energy = total = 0
    for row in range(shape[0]):
        for column in range(shape[1]):
            level, there = int(levels[row, column]), bool(mask[row, column])
            both += level > threshold and there
            above += level > threshold
            inside += there
            either += level > threshold or there
            energy += level * there
            total += level
    assert object_iou(levels, mask) == (both / either if either else 0)
    assert pixel_precision(levels, mask) == (both / above if above else 0)
    assert pixel_recall(levels, mask) == (both / inside if inside else 0)
    assert energy_inside(levels, mask) == (energy / total if total else 0)
    thresholds = rng.uniform(0, 255, 3).tolist()
    mean = sum(thresholds) / 3
    assert function_iou(levels, thresholds) == pytest.approx(
        sum(int(level) < mean for level in levels.ravel()) / levels.size
    )
    highest = [place for place in np.ndindex(shape) if levels[place] == levels.max()]
    if len(highest) == 1:
        assert points_inside(levels, mask) == mask[highest[0]]


def test_measures_of_a_map_worked_out_by_hand():
    mask = np.zeros((4, 4), bool)
    mask[:2, :2] = True
    levels = np.array([[200, 200, 0, 0], [200, 0, 0, 0], [0, 0, 200, 0], [0, 0, 0, 0]], np.uint8)
    assert object_iou(levels, mask) == pytest.approx(3 / 5)
    assert pixel_precision(levels, mask) == pytest.approx(3 / 4)
    assert pixel_recall(levels, mask) == pytest.approx(3 / 4)
    assert energy_inside(levels, mask) == pytest.approx(3 / 4)
    assert pixel_recall(levels, mask, threshold=200) == 0.0  # a threshold that is known already


def test_object_iou_of_a_map_that_is_its_mask():
    mask = np.zeros((8, 8), bool)
    mask[2:5, 3:6] = True
    assert object_iou(mask.astype(np.uint8) * 200, mask) == 1.0
    assert object_iou((~mask).astype(np.uint8) * 200, mask) == 0.0
    half = mask.copy()
    half[2] = False
    assert object_iou(half.astype(np.uint8) * 200, mask) == pytest.approx(6 / 9)


def test_a_map_or_a_mask_of_nothing_scores_nothing():
    nothing, mask = np.zeros((8, 8), np.uint8), np.ones((8, 8), bool)
    for measure in (object_iou, pixel_precision, pixel_recall, energy_inside):
        assert measure(nothing, mask) == 0.0
        assert measure(nothing + 1, ~mask) == 0.0


def test_sizes_that_differ_are_refused():
    with pytest.raises(ValueError, match="to_mask_size"):
        object_iou(np.zeros((4, 4), np.uint8), np.zeros((8, 8), bool))


def test_function_iou_counts_what_stays_below_the_nouns():
    levels = np.array([[0, 10], [100, 200]], np.uint8)
    assert function_iou(levels, [90, 112]) == 0.75
    assert function_iou(levels, [90, 110]) == 0.5  # 100 is not below 100
    assert function_iou(np.zeros((2, 2), np.uint8), [50]) == 1.0
    with pytest.raises(ValueError, match="at least one noun"):
        function_iou(levels, [])


def test_f1_is_the_harmonic_mean():
    assert f1_iou(0.5, 1.0) == pytest.approx(2 / 3)
    assert f1_iou(0.0, 0.0) == 0.0


def test_published_f1_follows_from_the_published_means():
    # TAM on Qwen2-VL-2B, table 1: COCO Caption, GranDf, OpenPSG.
    for objects, functions, f1 in ((27.37, 68.44, 39.1), (18.65, 88.97, 30.83), (26.26, 92.99, 40.95)):
        assert f1_iou(objects, functions) == pytest.approx(f1, abs=0.01)


def test_points_inside():
    mask = np.zeros((6, 6), bool)
    mask[1:4, 1:4] = True
    levels = np.zeros((6, 6), np.uint8)
    assert not points_inside(levels, mask)
    levels[2, 2] = 9
    assert points_inside(levels, mask)
    levels[5, 5] = 10
    assert not points_inside(levels, mask)


def test_of_several_highest_pixels_the_middle_one_points():
    levels = np.zeros((1, 5), np.uint8)
    levels[0, 1:4] = 9
    assert points_inside(levels, np.array([[False, False, True, False, False]]))
    assert not points_inside(levels, np.array([[False, True, False, True, False]]))


def test_resizing_keeps_cell_centres():
    heatmap = np.zeros((4, 4), np.float32)
    heatmap[1, 2] = 1.0
    resized = to_mask_size(heatmap, (20, 20))
    assert np.unravel_index(resized.argmax(), resized.shape) == (7, 12)
    assert resized.max() == 255
    assert to_mask_size(np.full((3, 5), 0.5, np.float32), (30, 50)).tolist() == [[127] * 50] * 30


@pytest.mark.parametrize("seed", range(10))
def test_a_grid_that_covers_more_than_the_picture_is_cut_to_it(seed):
    heatmap = some_heatmap(np.random.default_rng(seed), (5, 7))
    whole = to_mask_size(heatmap, (100, 140))
    assert (to_mask_size(heatmap, (80, 125), (-6, -11, 134, 89)) == whole[11:91, 6:131]).all()


def test_a_grid_that_covers_less_than_the_picture_reaches_on_with_its_outermost_cells():
    heatmap = some_heatmap(np.random.default_rng(3), (5, 7))
    inside = to_mask_size(heatmap, (100, 140))
    whole = to_mask_size(heatmap, (110, 160), (12, 4, 152, 104))
    assert (whole[20:90, 30:140] == inside[16:86, 18:128]).all()
    assert np.ptp(whole[:, :22].astype(int), axis=1).max() == 0
    assert np.ptp(whole[:14].astype(int), axis=0).max() <= 1  # OpenCV's rows round by themselves


def test_cells_that_were_not_seen_count_as_nothing():
    heatmap = np.array([[1.0, np.nan], [0.5, np.nan]], np.float32)
    assert to_levels(heatmap).tolist() == [[255, 0], [127, 0]]
    assert (to_mask_size(heatmap, (20, 20)) == to_mask_size(np.nan_to_num(heatmap), (20, 20))).all()
    assert not to_mask_size(np.full((2, 2), np.nan, np.float32), (8, 8)).any()


@pytest.mark.parametrize(
    ("heatmap", "message"),
    [
        (np.zeros(4), "rows and columns"),
        (np.zeros((0, 4)), "rows and columns"),
        (np.full((2, 2), 255.0), r"lies in \[0, 1\]; this one lies in \[255, 255\]"),
        (np.full((2, 2), -0.5), r"lies in \[0, 1\]"),
    ],
)
def test_what_is_no_map_is_refused(heatmap, message):
    with pytest.raises(ValueError, match=message):
        to_levels(heatmap)


def test_rounding_may_leave_the_unit_interval_by_a_little():
    assert to_levels(np.array([[1 + 1e-6, -1e-6]])).tolist() == [[255, 0]]


def test_a_shape_or_a_box_without_area_is_refused():
    with pytest.raises(ValueError, match="at least one pixel"):
        to_mask_size(np.zeros((2, 2)), (0, 5))
    with pytest.raises(ValueError, match="no area"):
        to_mask_size(np.zeros((2, 2)), (5, 5), (0, 5, 5, 5))
