"""All keys and values that a layer attended to, whatever its cache does with them."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["Keys"]


class Keys:
    """Keys and values of every position so far, as references where the cache keeps them all.

    A cache that grows holds everything in what it returned last. One with a sliding window forgets, and a static one is
    written over: of these the new positions are copied, a step at a time.
    """

    def __init__(self) -> None:
        self._whole: tuple[Tensor, Tensor] | None = None
        self._pieces: list[tuple[Tensor, Tensor]] = []
        self._padded = False

    def add(self, key: Tensor, value: Tensor, start: int, length: int) -> int:
        """Take what a step attended to.

        Parameters
        ----------
        key, value : torch.Tensor, shape (1, heads, K, width)
            All keys and values of that step; a static cache has room for more than there are.
        start, length : int
            Where the step's own positions begin, and how many they are.

        Returns
        -------
        int
            The position of the first key.

        Raises
        ------
        ValueError
            A cache was written over before it could be told that it would be.
        """
        stop, count = start + length, key.shape[2]
        if count == stop and not self._padded:
            if start == 0:
                self._pieces.clear()  # the whole prefix again
            if not self._pieces:
                self._whole = (key, value)
                return 0
        if self._whole is not None:
            if self._whole[0].data_ptr() == key.data_ptr():
                raise ValueError("its cache writes over keys that were read before")
            self._pieces, self._whole = [self._whole], None
        self._padded = self._padded or count > stop
        first = 0 if count > stop else stop - count
        new = slice(start - first, stop - first)
        self._pieces.append((key[:, :, new].clone(), value[:, :, new].clone()))
        return first

    def all(self) -> tuple[Tensor, Tensor]:
        """Return keys and values of all positions, (heads, T, width) each."""
        key, value = self._whole or tuple(torch.cat(part, dim=2) for part in zip(*self._pieces, strict=True))
        return key[0], value[0]
