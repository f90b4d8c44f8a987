"""The processor tried: what it makes of black, of white and of ramps in the place of a conversation's pictures.

Between what it makes of black and of white, what it makes of a ramp says which place of the picture each number shows;
a number that is the same for black and for white shows none: padding.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from PIL import Image

from tam_widget.media.videos import Video

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    Medium = Image.Image | Video

__all__ = ["LEVELS", "Ramps"]

LEVELS = 255
"""Of a ramp: the share of a picture's side that one step of it stands for is the inverse."""

_PERIODS = 4  # of the dither in a cell: few enough to outlive a resampling, enough to average out
_FAINT = 0.5  # of the contrast: a number with less is padding, with the picture's edge blurred into it
_MOST = 512  # answers kept for each processor

_KEPT: WeakKeyDictionary[Any, dict[Any, Any]] = WeakKeyDictionary()


class Ramps:
    """Ramps through the processor's call of one conversation, with the sizes, neighbours and options of that call.

    Red grows from the left edge of a picture to the right, green from the top to the bottom, blue from the first
    frame of a video to the last; a picture has no blue.

    Parameters
    ----------
    call : callable
        Repeats the processor's call with other pictures and videos of the same sizes; returns its output.
    processor : transformers.ProcessorMixin
        Whose call it is.
    media : sequence of PIL.Image.Image or Video
        The conversation's.
    lengths : sequence of int
        How many tokens each takes.
    inputs : mapping
        The call's output on the conversation's own pictures.
    """

    def __init__(
        self,
        call: Callable[[Sequence[Medium]], Mapping[str, Any]],
        processor: Any,
        media: Sequence[Medium],
        lengths: Sequence[int],
        inputs: Mapping[str, Any],
    ) -> None:
        self._call = call
        self._processor = processor
        self._media = tuple(media)
        self._lengths = tuple(lengths)
        self._inputs = inputs

    def kept(self, question: Any, answer: Callable[[], Any]) -> Any:
        """Return the answer to a question about these ramps, which is kept as long as the processor.

        It is asked again where a setting of the processor, the size of a picture or of an input is another.
        """
        sizes = tuple(_size(medium) for medium in self._media)
        key = (question, sizes, self._lengths, repr(_cut(self._inputs)), _settings(self._processor))
        kept = _KEPT.setdefault(self._processor, {})
        if key not in kept:
            found = answer()
            while len(kept) >= _MOST:
                del kept[next(iter(kept))]
            kept[key] = found
        return kept[key]

    def places(self, name: str) -> NDArray[np.float64] | None:
        """Return which place each number of an input shows.

        Parameters
        ----------
        name : str
            Of the input, such as ``"pixel_values"``.

        Returns
        -------
        numpy.ndarray of float64 or None
            As the input. Of a red number the share of the picture's width to its left, of a green one the share of
            the height above it, of a blue one the share of the frames before it; NaN where the number shows nothing
            of the picture. None where the processor treats a ramp otherwise than the picture, or has no such input.
        """
        if name not in self._inputs or not all(_same(made, self._inputs) for made in self._made):
            return None
        dark, light, between = (made[name].double().numpy() for made in self._made)
        contrast = light - dark
        shows = np.abs(contrast) > _FAINT * np.abs(contrast).max()
        found: NDArray[np.float64] = np.divide(between - dark, contrast, out=np.full_like(dark, np.nan), where=shows)
        return found

    @cached_property
    def _made(self) -> tuple[Mapping[str, Any], ...]:
        pairs = list(zip(self._media, self._lengths, strict=True))
        return tuple(
            self._call([_painted(medium, length, level) for medium, length in pairs]) for level in (0, LEVELS, None)
        )


def _same(made: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    """Whether a trial's output is cut as the real one, and written out in as many tokens."""
    return torch.equal(made["input_ids"], given["input_ids"]) and _cut(made) == _cut(given)


def _cut(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the shapes of the pictures' inputs, and the numbers of those that are whole: grids and sizes."""
    text = inputs["input_ids"].shape
    tensors = {name: value for name, value in inputs.items() if isinstance(value, torch.Tensor) and value.shape != text}
    return {
        name: (tuple(value.shape), None if value.is_floating_point() else value.tolist())
        for name, value in tensors.items()
    }


def _settings(processor: Any) -> str:
    """Return the settings that say how pictures are cut."""
    parts = [getattr(processor, f"{kind}_processor", None) for kind in ("image", "video")]
    own = {name: value for name, value in vars(processor).items() if isinstance(value, (int, float, str, dict))}
    return repr([own, *(part.to_dict() for part in parts if part is not None)])


def _size(medium: Medium) -> tuple[int, int, int]:
    return medium.width, medium.height, len(medium.frames) if isinstance(medium, Video) else 0


def _painted(medium: Medium, length: int, level: int | None) -> Medium:
    """Return a picture or video of that size in one grey, or with the ramps."""
    size, count = (medium.width, medium.height), len(medium.frames) if isinstance(medium, Video) else 0
    if level is not None:
        plain = Image.new("RGB", size, (level, level, level))
        return replace(medium, frames=(plain,) * count) if isinstance(medium, Video) else plain
    cell = (size[0] * size[1] * max(1, count) / length) ** 0.5
    if isinstance(medium, Video):
        frames = tuple(_ramp(*size, cell, number / max(1, count - 1)) for number in range(count))
        return replace(medium, frames=frames)
    return _ramp(*size, cell, 0.0)


def _ramp(width: int, height: int, cell: float, blue: float) -> Image.Image:
    """Return a ramp whose steps between the 256 levels are dithered, so that they average out over a cell."""
    x, y = (np.arange(side) + 0.5 for side in (width, height))
    phase = [np.modf(along * _PERIODS / cell)[0] for along in (x, y)]
    pixels = np.empty((height, width, 3), dtype=np.uint8)
    pixels[:, :, 0] = x[None, :] / width * LEVELS + phase[1][:, None]
    pixels[:, :, 1] = y[:, None] / height * LEVELS + phase[0][None, :]
    pixels[:, :, 2] = round(blue * LEVELS)
    return Image.fromarray(pixels)
