"""A sample to explain and judge, and the collections that hold samples."""

from __future__ import annotations

import operator
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, SupportsIndex

import numpy as np
from PIL import Image

from tam_widget.errors import DatasetError
from tam_widget.media.pictures import as_picture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["PROMPT", "Dataset", "LabelMasks", "LazyMasks", "Sample", "read_labels"]

PROMPT = "Describe this image."
"""What is asked where a data set brings no question of its own; the demo model was trained on it."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One picture with its question, right captions, and where the things are that a caption may name.

    Attributes
    ----------
    id : str
        Its name within the data set.
    source : PIL.Image.Image or callable
        The picture, or a function without arguments that loads it (from which :attr:`image` comes).
    prompt : str
        What the model is asked.
    references : tuple of str
        Right captions; may be empty.
    masks : mapping of str to ndarray of bool, shape (height, width)
        For each category that a word may name, where it is in the picture. A category that is not in this picture has
        a mask without a True pixel, so that its word is not mistaken for another's. Masks may load when first asked
        for.
    """

    id: str
    source: Image.Image | Callable[[], Image.Image]
    prompt: str
    references: tuple[str, ...] = ()
    masks: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)

    @cached_property
    def image(self) -> Image.Image:
        """The picture, upright RGB; loaded when first asked for."""
        source = self.source
        return as_picture(source if isinstance(source, Image.Image) else source())


class LazyMasks(Mapping[str, "NDArray[np.bool_]"]):
    """Masks that are made one by one when they are asked for; none is kept.

    Parameters
    ----------
    loaders : mapping of str to callable
        For each category a function without arguments that returns its mask, (height, width), bool.
    """

    def __init__(self, loaders: Mapping[str, Callable[[], NDArray[np.bool_]]]) -> None:
        self._loaders = dict(loaders)

    def __getitem__(self, name: str) -> NDArray[np.bool_]:
        return self._loaders[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaders)

    def __len__(self) -> int:
        return len(self._loaders)


class LabelMasks(Mapping[str, "NDArray[np.bool_]"]):
    """Masks of a label picture, whose pixels hold categories' ids.

    Parameters
    ----------
    labels : callable
        Returns the label picture, (height, width), integers; called once, when the first mask is asked for.
    ids : mapping of str to int
        Each category's id in it.
    """

    def __init__(self, labels: Callable[[], NDArray[np.integer]], ids: Mapping[str, int]) -> None:
        self._load = labels
        self.ids = dict(ids)

    @cached_property
    def labels(self) -> NDArray[np.integer]:
        """The label picture."""
        return self._load()

    def __getitem__(self, name: str) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = self.labels == self.ids[name]
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.ids)

    def __len__(self) -> int:
        return len(self.ids)


class Dataset(ABC):
    """A sized, indexable collection of samples, which travels between processes.

    Attributes
    ----------
    name : str
        As a report names it.
    notes : tuple of str
        What a report should say of it: samples without masks and the like.
    """

    name: str
    notes: tuple[str, ...] = ()

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def sample(self, index: int) -> Sample:
        """Return one sample; `index` lies in 0 … len − 1."""

    def __getitem__(self, index: SupportsIndex) -> Sample:
        place = operator.index(index)
        if not -len(self) <= place < len(self):
            raise IndexError(f"sample {place} is out of range: {self.name} has {len(self)}, counted from 0")
        return self.sample(place % len(self))

    def __iter__(self) -> Iterator[Sample]:
        return (self.sample(i) for i in range(len(self)))

    def __repr__(self) -> str:
        return f"<Dataset {self.name}: {len(self)} samples>"


def read_labels(
    picture: str | os.PathLike[str] | IO[bytes] | Image.Image | NDArray[Any],
) -> NDArray[np.integer]:
    """Read a label picture: one integer for each pixel, as it is stored; a palette's colours are not looked at.

    Returns
    -------
    ndarray of int or bool, shape (height, width)

    Raises
    ------
    DatasetError
        The file is missing or no picture, or it has colours instead of labels.
    """
    what = f"{str(picture)!r}" if isinstance(picture, str | os.PathLike) else "the label picture"
    try:
        labels = np.asarray(picture if isinstance(picture, Image.Image | np.ndarray) else Image.open(picture))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DatasetError(f"{what} is not a picture of labels that can be read: {error}") from error
    if labels.ndim != 2 or labels.dtype.kind not in "uib":  # noqa: PLR2004
        raise DatasetError(
            f"{what} must hold one integer for each pixel, the id of its category; its pixels have the shape "
            f"{labels.shape} and the type {labels.dtype}. Save it as an 8-bit grey or palette PNG"
        )
    return labels
