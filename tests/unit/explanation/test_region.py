"""Maps over a part of a picture."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tam_widget.explanation.region import mean_over

GRID = (0.0, 0.0, 80.0, 60.0)
MAPS = np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 24


def test_a_cell_a_point_and_the_whole():
    np.testing.assert_allclose(mean_over(MAPS, GRID, (20, 40, 40, 60)), MAPS[:, 2, 1])
    np.testing.assert_allclose(mean_over(MAPS, GRID, (39, 41, 39, 41)), MAPS[:, 2, 1])
    np.testing.assert_allclose(mean_over(MAPS, GRID, GRID), MAPS.mean(axis=(1, 2)), rtol=1e-6)


def test_a_cell_counts_by_how_much_of_it_the_box_holds():
    # A quarter of the first cell beside half of the second: their upper halves, 5 and 20 of 20 pixels wide.
    found = mean_over(MAPS, GRID, (15, 0, 40, 10))
    np.testing.assert_allclose(found, (MAPS[:, 0, 0] * 5 + MAPS[:, 0, 1] * 20) / 25, rtol=1e-6)


def test_what_was_not_seen_does_not_count():
    maps = MAPS.copy()
    maps[:, :, 0] = np.nan
    np.testing.assert_allclose(mean_over(maps, GRID, (0, 0, 40, 20)), MAPS[:, 0, 1])
    assert np.isnan(mean_over(maps, GRID, (0, 0, 20, 60))).all()


def test_the_grid_may_reach_beyond_the_picture():
    np.testing.assert_allclose(mean_over(MAPS, (-20, 0, 60, 60), (0, 0, 20, 20)), MAPS[:, 0, 1])


@pytest.mark.parametrize("box", [(5, 5, 4, 6), (5, 5, 6, 4), (100, 0, 120, 20), (-5, 5, -5, 5)])
def test_a_box_that_holds_nothing_is_refused(box):
    with pytest.raises(ValueError, match="box"):
        mean_over(MAPS, GRID, box)


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_the_mean_lies_between_the_extremes(ends):
    left, right = sorted((ends[0] * 80, ends[1] * 80))
    top, bottom = sorted((ends[2] * 60, ends[3] * 60))
    if 80 in (left, right) or 60 in (top, bottom) or right - left < 1e-6 or bottom - top < 1e-6:
        return
    found = mean_over(MAPS, GRID, (left, top, right, bottom))
    assert (found >= MAPS.min(axis=(1, 2)) - 1e-6).all()
    assert (found <= MAPS.max(axis=(1, 2)) + 1e-6).all()
