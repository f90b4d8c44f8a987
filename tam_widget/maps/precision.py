"""The floating-point type that the method calculates in."""

import torch
from torch import Tensor

# Where float64 exists and is quick enough for the few operations of the method.  Elsewhere (MPS has none) float32 has
# to do.
_FLOAT64_DEVICES = frozenset({"cpu", "cuda"})


def working_dtype(device: torch.device) -> torch.dtype:
    """Return the type for scores and statistics on `device`: float64 where there is one, else float32.

    Results are float32, but calculating in float32 is not enough for maps that can be compared byte by byte: the order
    in which a matrix product adds depends on the library, the number of threads and the size of the batch, causal
    inference subtracts nearly equal numbers, and a last-digit change then moves a value across a step of the 8-bit
    map.  Calculated in float64 and rounded once, a map is the same alone and in a batch.  It also keeps autocast and
    TF32 out, which would silently calculate in 8 or 11 bits.
    """
    return torch.float64 if device.type in _FLOAT64_DEVICES else torch.float32


def widened(values: Tensor, dtype: torch.dtype) -> Tensor:
    """Return values in a working type; those of 16 bits by way of float32, which torch does in half the time."""
    return (values.float() if values.dtype.itemsize < torch.float32.itemsize else values).to(dtype)
