"""What callers may pass in: one spelling each for index lists and keys, and specific errors for everything else."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Indices: TypeAlias = Sequence[int] | npt.NDArray[np.integer[Any]] | Tensor
Keys: TypeAlias = Sequence[str] | Sequence[int] | npt.NDArray[Any] | Tensor


def check_states(hidden: Tensor, weight: Tensor) -> None:
    """Raise unless `hidden` (P, d) and `weight` (V, d) are floating-point matrices of one width.

    Raises
    ------
    TypeError
        If one of them is no floating-point tensor (a quantised head holds integers, for example).
    ValueError
        If one of them is no matrix, or their widths differ.
    """
    for name, value, shape in (("hidden", hidden, "(positions, width)"), ("weight", weight, "(vocabulary, width)")):
        if not isinstance(value, Tensor):
            raise TypeError(f"{name} must be a torch tensor, not {type(value).__name__}")
        if not value.is_floating_point():
            raise TypeError(
                f"{name} must hold floating-point numbers, not {value.dtype}; dequantise the rows that are needed first"
            )
        if value.ndim != 2:  # noqa: PLR2004
            raise ValueError(
                f"{name} must have the shape {shape}, not {tuple(value.shape)}; pass one sequence, without a batch axis"
            )
    if hidden.shape[1] != weight.shape[1]:
        raise ValueError(
            f"hidden is {hidden.shape[1]} wide but weight is {weight.shape[1]} wide; they must come from one model"
        )


def index_tensor(values: Indices, name: str, size: int, of: str) -> Tensor:
    """Return `values` as a new int64 tensor on the CPU, each checked to be an index below `size`.

    Parameters
    ----------
    values
        Integers in one dimension: a sequence, an array or a tensor on any device.
    name
        What the caller knows them as, for errors.
    size
        How many things there are to index; negative indices do not count from the end.
    of
        What is indexed, for errors ("positions of hidden").

    Raises
    ------
    TypeError
        If they are no integers.
    ValueError
        If they have not one dimension.
    IndexError
        If one is out of range.
    """
    array = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{name} must have one dimension, not the shape {array.shape}")
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"{name} must hold integers, not {array.dtype}")
    indices = array.astype(np.int64)
    wrong = np.flatnonzero((indices < 0) | (indices >= size))
    if wrong.size:
        first = int(wrong[0])
        raise IndexError(f"{name}[{first}] is {indices[first]}, but there are {size} {of} (counted from 0)")
    return torch.from_numpy(indices)


def mask_tensor(mask: npt.NDArray[np.bool_] | Tensor, name: str, shape: tuple[int, int]) -> Tensor:
    """Return a bool mask as a tensor.

    Raises
    ------
    TypeError
        If it does not hold booleans.
    ValueError
        If it has another shape.
    """
    found = mask if isinstance(mask, Tensor) else torch.from_numpy(np.asarray(mask))
    if found.dtype != torch.bool:
        raise TypeError(f"{name} must hold booleans, not {found.dtype}")
    if tuple(found.shape) != shape:
        raise ValueError(f"{name} must have the shape {shape}, not {tuple(found.shape)}")
    return found


def key_list(keys: Keys, name: str) -> list[str] | list[int]:
    """Return `keys` as a list of all str or all int.

    Raises
    ------
    TypeError
        If they are neither all str nor all int.
    ValueError
        If they have not one dimension.
    """
    if isinstance(keys, str):
        raise TypeError(f"{name} must be a sequence of keys, one for each token, not one str")
    if isinstance(keys, Tensor | np.ndarray) and keys.ndim != 1:
        raise ValueError(f"{name} must have one dimension, not the shape {tuple(keys.shape)}")
    listed: list[Any] = keys.tolist() if isinstance(keys, Tensor | np.ndarray) else list(keys)
    if all(isinstance(key, str) for key in listed):
        return [str(key) for key in listed]
    if all(isinstance(key, int | np.integer) and not isinstance(key, bool) for key in listed):
        return [int(key) for key in listed]
    kinds = sorted({type(key).__name__ for key in listed})
    raise TypeError(f"{name} must be all str or all int, not {', '.join(kinds)}")


def equal_keys(query_keys: Sequence[str] | Sequence[int], keys: Sequence[str] | Sequence[int]) -> Tensor:
    """Return a (Q, T) bool tensor on the CPU: which keys of the text each query's key equals.

    Raises
    ------
    TypeError
        If one list holds str and the other int.
    """
    kinds = [type(listed[0]).__name__ for listed in (query_keys, keys) if listed]
    if len(set(kinds)) > 1:
        raise TypeError(f"query_keys are {kinds[0]} but keys are {kinds[1]}; they could never be equal")
    numbers: dict[str | int, int] = {}
    text = torch.tensor([numbers.setdefault(key, len(numbers)) for key in keys], dtype=torch.int64)
    query = torch.tensor([numbers.get(key, -1) for key in query_keys], dtype=torch.int64)
    return query[:, None] == text


def check_length(values: Sequence[object] | Tensor, name: str, length: int, like: str) -> None:
    """Raise ValueError unless `values` has as many entries as its companion `like`."""
    if len(values) != length:
        raise ValueError(f"{name} has {len(values)} entries but {like} has {length}; they must be equally long")
