"""Views put together: where the model looked, on one grid over the whole picture."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tam_widget as tam
from tam_widget.models.layout import View
from tam_widget.models.stitch import stitch


def view(kind, box, rows, columns, start, frame=0):  # noqa: PLR0917
    return View(kind, box, np.arange(start, start + rows * columns).reshape(rows, columns), frame)


def test_a_whole_picture_is_its_own_grid():
    (panel,) = stitch([view("main", (0, 0, 64, 48), 6, 8, 10)], 0, (64, 48))
    assert (panel.grid, panel.box, panel.corner, panel.frame) == ((6, 8), (0, 0, 64, 48), (0, 0), None)
    np.testing.assert_array_equal(panel.positions, np.arange(10, 58).reshape(6, 8))


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 5), st.integers(1, 5), st.randoms())
def test_tiles_in_any_order_give_one_grid(down, across, rows, columns, random):
    whole = np.arange(down * across * rows * columns).reshape(down * rows, across * columns)
    high, wide = 7.5 * rows, 5.25 * columns
    tiles = [
        View(
            "tile",
            (x * wide, y * high, (x + 1) * wide, (y + 1) * high),
            whole[y * rows : (y + 1) * rows, x * columns : (x + 1) * columns],
        )
        for y in range(down)
        for x in range(across)
    ]
    random.shuffle(tiles)
    (panel,) = stitch(tiles, 3, (round(across * wide), round(down * high)))
    np.testing.assert_array_equal(panel.positions, whole)
    assert panel.image == 3
    assert panel.box == pytest.approx((0, 0, across * wide, down * high))


def test_a_global_view_stands_beside_the_tiles_and_alone_it_is_the_map():
    tiles = [view("tile", (0, 0, 50, 40), 2, 2, 4), view("tile", (50, 0, 100, 40), 2, 2, 8)]
    small = view("global", (0, 0, 100, 40), 2, 2, 0)
    stitched, coarse = stitch([small, *tiles], 0, (100, 40))
    assert (stitched.kind, stitched.grid) == ("stitched", (2, 4))
    np.testing.assert_array_equal(stitched.positions, [[4, 5, 8, 9], [6, 7, 10, 11]])
    assert (coarse.kind, coarse.grid) == ("global", (2, 2))
    (alone,) = stitch([small], 0, (100, 40))
    assert alone.kind == "stitched"


def test_what_was_cut_away_is_unseen_around_what_was_seen():
    # The middle square of a wide picture: two and a half cells were cut off at each side.
    (panel,) = stitch([view("main", (50, 0, 150, 100), 5, 5, 0)], 0, (200, 100))
    assert panel.grid == (5, 9)  # half a cell at each side is not worth a column
    assert panel.corner == (0, 2)
    assert panel.box == (10, 0, 190, 100)
    spread = panel.spread(np.ones((3, 5, 5), np.float32))
    assert spread.shape == (3, 5, 9)
    assert np.isnan(spread[:, :, [0, 1, 7, 8]]).all()
    assert (spread[:, :, 2:7] == 1).all()


def test_padding_is_cut_off():
    # A picture of 100 × 30 pixels in the upper left of a canvas of 120 × 120.
    (panel,) = stitch([view("main", (0, 0, 120, 120), 6, 6, 0)], 0, (100, 30))
    assert panel.grid == (2, 5)
    assert panel.box == (0, 0, 100, 40)
    np.testing.assert_array_equal(panel.positions, [[0, 1, 2, 3, 4], [6, 7, 8, 9, 10]])
    # And in the middle of it.
    (panel,) = stitch([view("main", (-10, -45, 110, 75), 6, 6, 0)], 0, (100, 30))
    assert panel.box == pytest.approx((-10, -5, 110, 35))
    assert panel.positions[0, 0] == 12


def test_frames_come_in_order_with_their_numbers():
    frames = [view("frame", (0, 0, 8, 8), 2, 2, 4 * k, frame=2 * k) for k in (2, 0, 1)]
    panels = stitch(frames, 0, (8, 8))
    assert [panel.frame for panel in panels] == [0, 2, 4]
    assert [int(panel.positions[0, 0]) for panel in panels] == [0, 4, 8]


def test_crops_of_whole_pixels_still_lie_on_one_grid():
    crops = [view("crop", (0, 0, 334, 300), 4, 4, 0), view("crop", (334, 0, 668, 300), 4, 4, 16)]
    crops.append(view("crop", (668, 0, 1000, 300), 4, 4, 32))
    (panel,) = stitch(crops, 0, (1000, 300))
    assert panel.grid == (4, 12)
    assert panel.box == pytest.approx((0, 0, 1000, 300))


@pytest.mark.parametrize(
    ("views", "message"),
    [
        ([], "0 parts and 0 global"),
        ([view("global", (0, 0, 8, 8), 1, 1, 0)] * 2, "2 parts|overlap"),
        ([view("tile", (0, 0, 4, 8), 2, 2, 0), view("tile", (0, 0, 4, 8), 2, 2, 4)], "overlap"),
        ([view("tile", (0, 0, 4, 4), 2, 2, 0), view("tile", (4, 4, 8, 8), 2, 2, 4)], "leave 8 cells of it open"),
        ([view("tile", (0, 0, 4, 8), 4, 2, 0), view("tile", (4, 1, 8, 8), 4, 2, 8)], "do not lie on one grid"),
        ([view("frame", (0, 0, 8, 8), 2, 2, 0), view("frame", (0, 0, 8, 8), 4, 4, 4, 1)], "different grids"),
    ],
)
def test_what_does_not_fit_together_is_refused(views, message):
    with pytest.raises(tam.LayoutError, match=message):
        stitch(views, 0, (8, 8))
