"""Arrays and tensors as 8-bit pixels; what could mean two things is refused with the sentence that makes it clear."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from tam_widget.errors import PictureError
from tam_widget.media.limits import MOST_VIDEO_PIXELS, check_pixels
from tam_widget.media.wording import reason

if TYPE_CHECKING:
    import torch

__all__ = ["image_of", "is_array", "is_tensor", "levels_of", "values_of"]

_CHANNELS = (1, 3, 4)
_ROUNDING = 1e-3  # how far above 1 an interpolated float picture may overshoot
_UINT8_MAX = 255
_UINT16_MAX = 65535
_BLOCK = 2**22  # values converted at a time: a float picture is not copied as a whole
_NUMBERS = "uif"
_MOST_VALUES = max(_CHANNELS) * MOST_VIDEO_PIXELS  # checked before a copy is made


def is_tensor(given: Any) -> bool:
    """Tell whether something is a torch tensor, without importing torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(given, torch.Tensor)


def is_array(given: Any) -> bool:
    """Tell whether something is a tensor or an array of any library that numpy can read."""
    return is_tensor(given) or (hasattr(given, "__array__") and hasattr(given, "shape"))


def values_of(given: Any) -> np.ndarray[Any, Any]:
    """Return an array's or a tensor's values as a plain numpy array.

    Raises
    ------
    PictureError
        It has no values that can be read as they are: a meta, sparse, quantised or nested tensor, a masked array.
    """
    if is_tensor(given):
        _check_tensor(given)
    elif np.ma.is_masked(given):
        raise PictureError("values of the array are masked: say what stands in their place, as array.filled(0)")
    try:
        count = math.prod(given.shape)
        values = _plain(given) if count <= _MOST_VALUES else None
    except Exception as error:  # whatever another library or a subclass raises, such as for an array on a GPU
        raise PictureError(
            f"the values of the {type(given).__name__} cannot be read: {reason(error)}; pass a numpy array"
        ) from error
    if values is None:
        raise PictureError(f"the array has {count:,} values; {_MOST_VALUES:,} are the most that are read")
    return values


def image_of(array: np.ndarray[Any, Any], *, channels_last: bool, known_16_bits: bool = False) -> Image.Image:
    """Return a picture's array as an image of mode L, RGB or RGBA.

    Parameters
    ----------
    array : numpy.ndarray, shape (H, W), (H, W, C) or (C, H, W)
        Any type that :func:`levels_of` takes.
    channels_last : bool
        Which end holds the channels where both could.
    known_16_bits : bool
        As for :func:`levels_of`.
    """
    ordered = _height_width_channels(array, channels_last=channels_last)
    pixels = np.ascontiguousarray(levels_of(ordered, known_16_bits=known_16_bits))
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def levels_of(array: np.ndarray[Any, Any], *, known_16_bits: bool = False) -> np.ndarray[Any, Any]:
    """Return values as uint8 of the same shape.

    Parameters
    ----------
    array : numpy.ndarray
        Integers in [0, 255] (uint16: [0, 65535]), floats in [0, 1], or booleans.
    known_16_bits : bool
        A file said that 65535 is white. Without it uint16 values that reach 255 at most are refused: they are black, or
        those of an 8-bit picture in a wider type.

    Raises
    ------
    PictureError
        Another type, or values beyond the range of theirs.
    """
    kind, sixteen_bits = array.dtype.kind, array.dtype.kind == "u" and array.dtype.itemsize == 2  # noqa: PLR2004
    if array.dtype == np.uint8:
        return array
    if kind == "b":
        return array.view(np.uint8) * np.uint8(_UINT8_MAX)
    if kind not in _NUMBERS:
        raise PictureError(f"an array of {array.dtype} is no picture; pass uint8, or floats in [0, 1]")
    low, high = float(array.min()), float(array.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        bad = array.size - np.count_nonzero(np.isfinite(array))
        raise PictureError(f"{bad:,} of the picture's {array.size:,} values are NaN or infinite, which no colour is")
    if kind == "f":
        if low >= -_ROUNDING and high <= 1 + _ROUNDING:
            return _converted(array, _from_unit)
        hint = "pass floats in [0, 1]: divide by 255, or undo the model's normalisation"
    elif sixteen_bits:
        if known_16_bits or high == 0 or high > _UINT8_MAX:
            return _converted(array, _from_16_bits)
        hint = (
            f"of {_UINT16_MAX} that is black; where {_UINT8_MAX} is white, pass array.astype(numpy.uint8), "
            "else scale it as it shall look"
        )
    elif low >= 0 and high <= _UINT8_MAX:
        return array.astype(np.uint8)
    else:
        hint = "pass uint8, or integers in [0, 255]; 16 bits as uint16"
    raise PictureError(f"the values of the {array.dtype} picture run from {low:g} to {high:g}; {hint}")


def _check_tensor(tensor: torch.Tensor) -> None:
    import torch

    if tensor.is_meta:
        raise PictureError("a tensor on the meta device has no values: make the picture on the CPU or a GPU")
    if tensor.is_quantized:
        raise PictureError("the tensor is quantised: pass tensor.dequantize(), with values in [0, 1]")
    if tensor.is_nested:
        raise PictureError("a nested tensor is no picture: pass a list of its tensors, tensor.unbind()")
    if tensor.layout != torch.strided:
        raise PictureError(f"the tensor's layout is {tensor.layout}, not a dense one: pass tensor.to_dense()")


def _plain(given: Any) -> np.ndarray[Any, Any]:
    if is_tensor(given):
        import torch

        # A subclass, such as torchvision's tv_tensors.Image, is a tensor with more to say about itself.
        given = given.detach().as_subclass(torch.Tensor).cpu()
        given = (given.float() if given.is_floating_point() else given).numpy()  # numpy has no bfloat16
    values: np.ndarray[Any, Any] = np.asarray(given)
    return values


def _height_width_channels(array: np.ndarray[Any, Any], *, channels_last: bool) -> np.ndarray[Any, Any]:
    shape = array.shape
    if 0 in shape:
        raise PictureError(f"the picture is empty: an array of shape {shape}")
    if array.ndim == 4:  # noqa: PLR2004 - a batch
        raise PictureError(f"an array of shape {shape} is a batch of pictures; pass a list of them, or array[0]")
    if array.ndim not in {2, 3}:
        raise PictureError(
            f"an array of shape {shape} is no picture; pass (H, W), (H, W, C) or (C, H, W) with C in {_CHANNELS}"
        )
    ordered = array[..., None] if array.ndim == 2 else _channels_last(array, channels_last=channels_last)  # noqa: PLR2004
    check_pixels(ordered.shape[1], ordered.shape[0])
    return ordered


def _channels_last(array: np.ndarray[Any, Any], *, channels_last: bool) -> np.ndarray[Any, Any]:
    for last in (channels_last, not channels_last):
        if array.shape[-1 if last else 0] in _CHANNELS:
            return array if last else np.moveaxis(array, 0, -1)
    raise PictureError(
        f"neither end of the shape {array.shape} is a number of channels; "
        f"pass (H, W, C) or (C, H, W) with C in {_CHANNELS}"
    )


def _converted(array: np.ndarray[Any, Any], convert: Any) -> np.ndarray[Any, Any]:
    levels = np.empty(array.shape, np.uint8)
    rows = max(1, _BLOCK * len(array) // array.size)
    for start in range(0, len(array), rows):
        levels[start : start + rows] = convert(array[start : start + rows])
    return levels


def _from_unit(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    levels: np.ndarray[Any, Any] = np.rint(np.clip(values, 0, 1).astype(np.float64) * _UINT8_MAX)
    return levels


def _from_16_bits(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    levels: np.ndarray[Any, Any] = np.rint(values / (_UINT16_MAX / _UINT8_MAX))
    return levels
