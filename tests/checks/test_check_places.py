"""The place that a map marks, and others of its size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tam_widget.checks.places import marked, random_places

SHAPES = st.one_of(st.tuples(*[st.integers(2, 9)] * 2), st.tuples(*[st.integers(2, 4)] * 3))


def pieces(place):
    """How many connected pieces a place has."""
    left, count = {tuple(cell) for cell in np.argwhere(place).tolist()}, 0
    while left:
        count += 1
        todo = [left.pop()]
        while todo:
            cell = todo.pop()
            for axis in range(place.ndim):
                for step in (-1, 1):
                    near = (*cell[:axis], cell[axis] + step, *cell[axis + 1 :])
                    if near in left:
                        left.remove(near)
                        todo.append(near)
    return count


def test_the_place_is_what_lies_above_otsus_threshold():
    heatmap = np.zeros((6, 6), np.float32)
    heatmap[1:3, 2:4] = [[0.8, 0.9], [1.0, 0.7]]
    heatmap[5, 5] = 0.1
    np.testing.assert_array_equal(marked(heatmap), heatmap > 0.5)
    np.testing.assert_array_equal(marked(heatmap * 1e-6), heatmap > 0.5)  # however weak the map is


def test_at_most_a_third_is_marked_the_highest_first():
    heatmap = np.zeros((3, 4), np.float32)
    heatmap[:2] = np.arange(8).reshape(2, 4) + 20
    found = marked(heatmap)
    assert found.sum() == 4
    np.testing.assert_array_equal(found, heatmap >= 24)


def test_cells_that_were_not_seen_are_no_place():
    heatmap = np.full((3, 4), np.nan, np.float32)
    heatmap[1:] = np.arange(8).reshape(2, 4)
    found = marked(heatmap)
    assert found.sum() == 2
    assert not found[0].any()


def test_what_speaks_against_a_word_is_no_place_of_it():
    heatmap = np.full((4, 4), -2.0, np.float32)
    assert marked(heatmap - np.arange(16).reshape(4, 4)) is None
    heatmap[1, 2] = 0.5
    np.testing.assert_array_equal(marked(heatmap), heatmap > 0)


@pytest.mark.parametrize("value", [0.0, 0.5, np.nan])
def test_a_map_that_is_the_same_everywhere_marks_nothing(value):
    assert marked(np.full((4, 4), value, np.float32)) is None


@settings(deadline=None)
@given(arrays.arrays(np.float32, SHAPES, elements=st.floats(0, 1, width=32)), st.integers(0, 99))
def test_other_places_have_its_size_hang_together_and_touch_a_tenth_of_it(heatmap, seed):
    place = marked(heatmap)
    if place is None:
        return
    assert 1 <= place.sum() <= max(1, heatmap.size // 3)
    allowed = np.isfinite(heatmap)
    for other in random_places(place, allowed, 8, np.random.default_rng(seed)):
        assert other.sum() == place.sum()
        assert (other & place).sum() <= 0.1 * place.sum()


def test_other_places_are_connected_lie_where_they_may_and_are_the_same_again():
    place = np.zeros((10, 12), bool)
    place[4:8, 4:9] = True
    allowed = np.ones_like(place)
    allowed[:, -2:] = False
    found = random_places(place, allowed, 8, np.random.default_rng(3))
    assert [pieces(one) for one in found] == [1] * 8
    assert not any((one & ~allowed).any() for one in found)
    assert len({one.tobytes() for one in found}) > 1
    again = random_places(place, allowed, 8, np.random.default_rng(3))
    np.testing.assert_array_equal(found, again)


def test_in_a_video_a_place_may_reach_through_frames():
    place = np.zeros((4, 5, 5), bool)
    place[:, 1:3, 1:3] = True
    found = random_places(place, np.ones_like(place), 8, np.random.default_rng(0))
    assert [pieces(one) for one in found] == [1] * 8
    assert any(one.any(axis=(1, 2)).sum() > 1 for one in found)


def test_where_no_piece_is_large_enough_several_make_up_a_place():
    place = np.zeros((3, 12), bool)
    place[:, ::3] = True  # stripes with two columns between them
    found = random_places(place, np.ones_like(place), 8, np.random.default_rng(0))
    assert [int(one.sum()) for one in found] == [12] * 8
    assert all((one & place).sum() <= 1 for one in found)
