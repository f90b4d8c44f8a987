"""The rank Gaussian filter against its definition, window by window."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tam_widget.maps import rank_filter as rank_filter_module
from tam_widget.maps import rank_gaussian_filter

sizes = st.sampled_from([1, 3, 3, 5, 7])
# Few distinct values make constant windows and ties, many make none.
cells = st.one_of(st.sampled_from([0.0, 0.25, 1.0]), st.floats(0, 1, width=32))
signed_cells = st.one_of(st.sampled_from([-1.0, 0.0, 1.0]), st.floats(-(2.0**100), 2.0**100, width=32))


def maps_of(elements, min_dims=2, max_dims=3):
    return hnp.arrays(np.float32, hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, max_side=7), elements=elements)


def windows_of(one_map, size):
    padded = np.pad(one_map, size // 2, mode="reflect")
    return np.lib.stride_tricks.sliding_window_view(padded, (size, size)).reshape(*one_map.shape, -1)


def slow_filter(one_map, size):
    """The filter as its definition reads, in float64."""
    result = np.zeros(one_map.shape)
    for index in np.ndindex(*one_map.shape):
        window = np.sort(windows_of(one_map.astype(np.float64), size)[index])
        mean, deviation = window.mean(), window.std()
        if mean == 0:
            continue
        centre = (size**2 - 1) // 2
        if window[0] == window[-1]:
            result[index] = window[centre]
            continue
        weights = np.exp(-((np.arange(size**2) - centre) ** 2) / (2 * (deviation / mean) ** 2))
        result[index] = (weights * window).sum() / weights.sum()
    return result


@given(maps_of(cells), sizes)
def test_equals_the_definition(maps, size):
    filtered = rank_gaussian_filter(torch.from_numpy(maps), size).numpy()
    for one_map, one_filtered in zip(
        maps.reshape(-1, *maps.shape[-2:]), filtered.reshape(-1, *maps.shape[-2:]), strict=True
    ):
        np.testing.assert_allclose(one_filtered, slow_filter(one_map, size), rtol=1e-6, atol=1e-9)


@given(maps_of(signed_cells, max_dims=2), sizes, st.sampled_from([np.float32, np.float64]))
def test_stays_within_the_range_of_each_window_and_is_never_nan(one_map, size, dtype):
    # A third has no short binary form, so that float64 means are rounded too.
    one_map = one_map.astype(dtype) / dtype(3)
    filtered = rank_gaussian_filter(torch.from_numpy(one_map), size).numpy()
    windows = windows_of(one_map, size)
    assert (filtered >= windows.min(-1)).all()
    assert (filtered <= windows.max(-1)).all()


@given(maps_of(cells), sizes)
def test_float32_equals_float64(maps, size):
    narrow, wide = torch.from_numpy(maps), torch.from_numpy(maps.astype(np.float64))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tam_widget.maps.precision._FLOAT64_DEVICES", frozenset())
        calculated_in_float32 = rank_gaussian_filter(narrow, size)
    calculated_in_float64 = rank_gaussian_filter(wide, size)
    assert calculated_in_float32.dtype == torch.float32
    assert calculated_in_float64.dtype == torch.float64
    torch.testing.assert_close(calculated_in_float32.double(), calculated_in_float64, rtol=0, atol=1e-5)


@given(maps_of(cells, min_dims=3, max_dims=4), sizes)
def test_a_batch_equals_one_by_one(maps, size):
    batch = torch.from_numpy(maps)
    one_by_one = [rank_gaussian_filter(one, size) for one in batch.flatten(0, -3)]
    assert torch.equal(rank_gaussian_filter(batch, size).flatten(0, -3), torch.stack(one_by_one))


@given(maps_of(cells, max_dims=2), sizes, st.sampled_from([2.0**-40, 0.5, 4.0, 2.0**40]))
def test_scales_with_its_input(one_map, size, factor):
    filtered = rank_gaussian_filter(torch.from_numpy(one_map).double(), size)
    scaled = rank_gaussian_filter(torch.from_numpy(one_map).double() * factor, size)
    torch.testing.assert_close(scaled, filtered * factor, rtol=1e-12, atol=0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (1, 9), (9, 1), (2, 2), (2, 1), (3, 2)])
@pytest.mark.parametrize("size", [1, 3, 5, 7, 11])
def test_maps_smaller_than_the_window(shape, size):
    one_map = torch.rand(shape, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(
        rank_gaussian_filter(one_map, size).double(),
        torch.from_numpy(slow_filter(one_map.numpy(), size)),
        rtol=1e-6,
        atol=0,
    )


@pytest.mark.parametrize("size", [1, 3, 5])
@pytest.mark.parametrize("constant", [0.0, 0.1, 1 / 3, 1.0, -0.7, 1e-30, 3e30])
def test_a_constant_map_is_left_as_it_is(constant, size):
    one_map = torch.full((4, 5), constant)
    assert torch.equal(rank_gaussian_filter(one_map, size), one_map)


def test_a_constant_window_beside_a_varying_one():
    one_map = torch.full((3, 8), 0.3)
    one_map[:, 6:] = 0.9
    filtered = rank_gaussian_filter(one_map)
    assert torch.equal(filtered[:, :5], one_map[:, :5])
    assert ((filtered[:, 5] > 0.3) & (filtered[:, 5] < 0.9)).all()


def test_a_window_of_mean_zero_is_zero():
    one_map = torch.tensor([[-2.0, 1.0, 1.0]]).repeat(3, 1)
    assert rank_gaussian_filter(one_map)[1, 1] == 0


def test_a_lone_bright_cell_is_removed_and_an_area_kept():
    one_map = torch.full((9, 9), 0.1)
    one_map[1, 1] = 1
    one_map[4:8, 4:8] = 1
    filtered = rank_gaussian_filter(one_map)
    assert filtered[1, 1] < 0.2
    assert filtered[5, 5] == 1


def test_each_map_is_filtered_on_its_own():
    maps = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(2))
    changed = maps.clone()
    changed[0, 1] = 0
    same = (rank_gaussian_filter(maps) == rank_gaussian_filter(changed)).all(-1).all(-1)
    assert same.tolist() == [[True, False, True], [True, True, True]]


@pytest.mark.parametrize("size", [3, 5])
def test_blocks_do_not_show(size, monkeypatch):
    maps = torch.rand(11, 6, 8, generator=torch.Generator().manual_seed(3))
    whole = rank_gaussian_filter(maps, size)
    monkeypatch.setattr(rank_filter_module, "_CPU_BLOCK", 1)
    assert torch.equal(rank_gaussian_filter(maps, size), whole)


def test_the_input_is_neither_changed_nor_needs_to_be_contiguous():
    maps = torch.rand(6, 5, 4, generator=torch.Generator().manual_seed(4)).permute(2, 1, 0)
    copy = maps.clone(memory_format=torch.contiguous_format)
    assert torch.equal(rank_gaussian_filter(maps), rank_gaussian_filter(copy))
    assert torch.equal(maps, copy)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_comes_back_as_float32(dtype):
    maps = torch.rand(3, 4, generator=torch.Generator().manual_seed(5)).to(dtype)
    assert torch.equal(rank_gaussian_filter(maps), rank_gaussian_filter(maps.float()))


@pytest.mark.parametrize("size", [3, 5])
def test_a_nan_spreads_to_its_windows_and_no_further(size):
    maps = torch.rand(2, 9, 9, generator=torch.Generator().manual_seed(6))
    clean = rank_gaussian_filter(maps, size)
    maps[0, 4, 4] = torch.nan
    filtered = rank_gaussian_filter(maps, size)
    reach = torch.arange(9).sub(4).abs() <= size // 2
    expected = torch.stack([reach[:, None] & reach, torch.zeros(9, 9, dtype=torch.bool)])
    assert torch.equal(filtered.isnan(), expected)
    assert torch.equal(filtered[~expected], clean[~expected])


def test_no_maps_at_all():
    assert rank_gaussian_filter(torch.zeros(0, 3, 4)).shape == (0, 3, 4)


@pytest.mark.parametrize("size", [0, 2, 4, -1, -3])
def test_a_size_that_is_not_a_positive_odd_number_raises(size):
    with pytest.raises(ValueError, match=f"kernel_size must be a positive odd number, not {size}"):
        rank_gaussian_filter(torch.zeros(3, 3), size)


@pytest.mark.parametrize(
    ("maps", "error", "message"),
    [
        (torch.zeros(3, 3, dtype=torch.uint8), TypeError, "floating-point tensor, not torch.uint8"),
        (np.zeros((3, 3)), TypeError, "floating-point tensor, not ndarray"),
        (torch.zeros(9), ValueError, r"not \(9,\)"),
        (torch.zeros(2, 0, 3), ValueError, r"not \(2, 0, 3\)"),
    ],
)
def test_what_is_no_map_raises(maps, error, message):
    with pytest.raises(error, match=message):
        rank_gaussian_filter(maps)


def test_a_fractional_size_raises():
    with pytest.raises(TypeError):
        rank_gaussian_filter(torch.zeros(3, 3), 3.0)
