"""The rank Gaussian filter: a rank-weighted mean that removes lone bright cells (step 7)."""

import math
import operator

import torch
from torch import Tensor

from tam_widget.maps.precision import working_dtype

# Cells filtered at a time, by a 3 × 3 window; fewer by larger ones, whose sorted values take more.  A block is held
# about twenty times over (sorted planes, sums, weights).  On the CPU that should fit into the cache, and stay below the
# size from which torch takes a second thread, whose start costs more than it saves; on an accelerator the block should
# be large enough to be worth the start of a kernel.
_CPU_BLOCK = 2**14
_DEVICE_BLOCK = 2**20

# Sorts nine values that come as three sorted triples, as pairs to compare and exchange (the rest of the network of 25
# comparisons that starts by sorting triples).
_MERGE_TRIPLES = (
    *((0, 3), (3, 6), (0, 3)),
    *((1, 4), (4, 7), (1, 4)),
    *((2, 5), (5, 8), (2, 5)),
    *((1, 3), (5, 7), (2, 6), (4, 6), (2, 4), (2, 3), (5, 6)),
)


@torch.no_grad()
def rank_gaussian_filter(maps: Tensor, kernel_size: int = 3) -> Tensor:
    """Filter each map by the rank Gaussian filter: step 7 of Li et al., ICCV 2025 (arXiv 2506.23270).

    The k² values of each window are sorted; rank j, counted from 0, is weighted by ``exp(−(j − c)² / (2 (σ / μ)²))``,
    where c = (k² − 1) / 2 is the centre rank and σ and μ are the window's population standard deviation and mean; the
    result is the weighted mean.  The evener a window, the nearer the result is to its median; the more it varies, the
    nearer to its mean.

    Parameters
    ----------
    maps
        (…, h, w), floating-point and finite, each (h, w) filtered on its own: one per picture or frame.  A NaN spreads
        to the windows around it.
    kernel_size
        Side k of the window in cells, odd.  Maps smaller than the window are fine: padding is that of
        ``numpy.pad(mode="reflect")``, which mirrors without repeating the edge, as often as needed, and repeats the
        only row or column of 1×w and h×1 maps.

    Returns
    -------
    Tensor
        Like `maps`, on the same device; float64 for float64, else float32.  Each value lies within the range of its
        window.  It is the constant where a window is constant (σ = 0), and 0 where μ = 0.

    Raises
    ------
    TypeError
        If `maps` is no floating-point tensor or `kernel_size` no integer.
    ValueError
        If `maps` has less than two dimensions or no cells, or `kernel_size` is not a positive odd number.
    """
    if not isinstance(maps, Tensor) or not maps.is_floating_point():
        found = maps.dtype if isinstance(maps, Tensor) else type(maps).__name__
        raise TypeError(f"maps must be a floating-point tensor, not {found}")
    kernel_size = operator.index(kernel_size)
    if kernel_size < 1 or kernel_size % 2 == 0:
        raise ValueError(
            f"kernel_size must be a positive odd number, not {kernel_size}: an even window has no centre cell"
        )
    if maps.ndim < 2 or 0 in maps.shape[-2:]:  # noqa: PLR2004
        raise ValueError(
            f"maps must have the shape (…, h, w) with at least one row and one column, not {tuple(maps.shape)}"
        )

    height, width = maps.shape[-2:]
    flat = maps.reshape(-1, height, width)
    result = torch.empty(flat.shape, dtype=torch.promote_types(maps.dtype, torch.float32), device=maps.device)
    margin = kernel_size // 2
    rows = _reflected(height, margin).to(maps.device)
    columns = _reflected(width, margin).to(maps.device)
    cells = _CPU_BLOCK if maps.device.type == "cpu" else _DEVICE_BLOCK
    if kernel_size > 3:  # noqa: PLR2004
        cells = cells * 9 // kernel_size**2
    step = max(1, cells // (len(rows) * len(columns)))
    bands = max(1, round(len(rows) * len(columns) / max(1, cells)))  # of a map that is larger than a block
    band = math.ceil(height / bands)
    for start in range(0, len(flat), step):
        wide = flat[start : start + step].to(working_dtype(maps.device))
        padded = wide.index_select(1, rows).index_select(2, columns)
        for top in range(0, height, band):
            bottom = min(top + band, height)
            result[start : start + step, top:bottom] = _filter(padded[:, top : bottom + 2 * margin], kernel_size)
    return result.view(maps.shape)


def _reflected(length: int, margin: int) -> Tensor:
    """Return the indices that pad an axis by `margin` on both sides as ``numpy.pad(mode="reflect")`` does."""
    period = max(1, 2 * (length - 1))
    index = torch.arange(-margin, length + margin) % period
    return torch.minimum(index, period - index) if length > 1 else torch.zeros_like(index)


def _filter(padded: Tensor, size: int) -> Tensor:
    """Return the (m, h, w) filtered maps of (m, h + size − 1, w + size − 1) padded ones.

    The maps are laid end to end, so that a cell's neighbour in the next column or row lies a fixed number of values
    on, and every step below is one pass over unbroken memory.  Windows that run over the edge of a map come out as
    numbers of no meaning, cut off at the end.
    """
    count, rows, columns = padded.shape
    cells = padded.reshape(-1)
    ranked = _ranked(cells, columns, size)

    mean = _window_sum(cells, columns, size).div_(size * size)
    mean_square = _window_sum(cells * cells, columns, size).div_(size * size)
    squared_mean = mean * mean
    # Subtracting the two loses digits only where σ is far below μ; there every weight but the centre's is 0 anyway.
    variance = mean_square.sub_(squared_mean)
    # Rank c ± d has the weight q^(d²) with q = exp(−μ² / 2σ²): q, q⁴, q⁹ … follow by multiplying with q³, q⁵, q⁷ …
    # It is taken as a power of 2 because torch's exp calls for a second thread for even the smallest block.
    base = torch.where(variance > 0, squared_mean.div_(variance.mul_(-2 * math.log(2))).exp2_(), 0)
    base_square = base * base
    weight, step = base.clone(), base.clone()
    centre = len(ranked) // 2
    total, norm, pair = ranked[centre].clone(), torch.ones_like(base), torch.empty_like(base)
    for distance in range(1, centre + 1):
        torch.add(ranked[centre - distance], ranked[centre + distance], out=pair)
        total.addcmul_(weight, pair)
        norm.add_(weight, alpha=2)
        weight.mul_(step.mul_(base_square))
    # Rounding must not carry a mean out of its window's range, by however little.
    total.div_(norm).masked_fill_(mean == 0, 0).clamp_(ranked[0], ranked[-1])

    laid_out = padded.new_empty(cells.shape)
    laid_out[: len(total)] = total
    return laid_out.view(count, rows, columns)[:, : rows - size + 1, : columns - size + 1]


def _ranked(cells: Tensor, columns: int, size: int) -> list[Tensor]:
    """Return size² tensors: of each window, the lowest value, the second lowest, and so on."""
    length = len(cells) - (size - 1) * (columns + 1)
    if size != 3:  # noqa: PLR2004
        windows = [cells[row * columns + column :][:length] for row in range(size) for column in range(size)]
        return list(torch.stack(windows, dim=-1).sort(dim=-1).values.unbind(dim=-1))
    # The three windows over a column of three cells share its order, so columns are sorted first, once.
    triple = [cells[row * columns : len(cells) - (2 - row) * columns] for row in range(3)]
    for low, high in ((0, 1), (1, 2), (0, 1)):
        _exchange(triple, low, high)
    ranked = [triple[rank][column:][:length] for column in range(3) for rank in range(3)]
    for low, high in _MERGE_TRIPLES:
        _exchange(ranked, low, high)
    return ranked


def _exchange(planes: list[Tensor], low: int, high: int) -> None:
    planes[low], planes[high] = torch.minimum(planes[low], planes[high]), torch.maximum(planes[low], planes[high])


def _window_sum(cells: Tensor, columns: int, size: int) -> Tensor:
    """Return the sum of each window's cells, first down the columns, then along the rows."""
    length = len(cells) - (size - 1) * columns
    down = cells[:length].clone()
    for row in range(1, size):
        down += cells[row * columns :][:length]
    length -= size - 1
    total = down[:length].clone()
    for column in range(1, size):
        total += down[column:][:length]
    return total
