"""Whatever a person calls a picture, as an upright RGB ``PIL.Image``.

Nothing is guessed: an array whose values or shape could mean two things is refused with the sentence that would
make it clear.
"""

from __future__ import annotations

import base64
import binascii
import io
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from tam_widget.errors import PictureError

if TYPE_CHECKING:
    import torch

__all__ = ["Picture", "as_picture"]

Picture: TypeAlias = "str | os.PathLike[str] | Image.Image | np.ndarray[Any, Any] | torch.Tensor"

_URL_TIMEOUT_S = 30.0
_URL_MAX_BYTES = 64 * 2**20
_CHANNELS = (1, 3, 4)
_ANIMATED = frozenset({"GIF", "WEBP", "PNG"})  # an MPO's or a TIFF's second page is no next frame
_ROUNDING = 1e-3  # how far above 1 an interpolated float picture may overshoot
_UINT8_MAX = 255
_UINT16_MAX = 65535
_WHAT = "a picture is a path, a URL, a PIL image, an array or a tensor"


def as_picture(picture: Any) -> Image.Image:
    """Turn a picture of any kind into an upright RGB image of its own.

    Parameters
    ----------
    picture : str, os.PathLike, PIL.Image.Image, numpy.ndarray or torch.Tensor
        A path, an ``http(s)`` or ``data:`` URL, an image of any mode, or an array: (H, W) or (H, W, C) for numpy,
        (H, W) or (C, H, W) for torch, C in {1, 3, 4}. The other order is taken where the usual one does not fit.
        Integers lie in [0, 255] (uint16: [0, 65535]), floats in [0, 1], booleans are black and white.

    Returns
    -------
    PIL.Image.Image
        Mode RGB, rotated as its EXIF tag says, transparency laid over white, 16-bit values scaled to 8. Never the
        caller's own object.

    Raises
    ------
    PictureError
        The picture cannot be read, is animated, is empty, or its array is not one of those above.
    """
    if isinstance(picture, Image.Image):
        return _upright_rgb(picture)
    if isinstance(picture, str) and picture.startswith(("http://", "https://", "data:")):
        return _from_bytes(_fetch(picture), picture[:80])
    if isinstance(picture, str | os.PathLike):
        return _from_file(Path(picture).expanduser())
    if isinstance(picture, np.ndarray):
        return _from_array(picture, channels_last=True)
    if type(picture).__module__.split(".")[0] == "torch" and hasattr(picture, "detach"):
        return _from_tensor(picture)
    raise PictureError(f"{_WHAT}; got {type(picture).__name__}")


def _fetch(url: str) -> bytes:
    if url.startswith("data:"):
        head, comma, body = url.partition(",")
        if not comma or not head.endswith(";base64"):
            raise PictureError("a data: URL must hold base64, as in data:image/png;base64,…")
        try:
            return base64.b64decode(body, validate=True)
        except binascii.Error as error:
            raise PictureError(f"the data: URL's base64 is broken: {error}") from error
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "tam-widget"})  # noqa: S310 (http or https)
        with urllib.request.urlopen(request, timeout=_URL_TIMEOUT_S) as reply:  # noqa: S310 (as above)
            data: bytes = reply.read(_URL_MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # URLError and HTTPError are OSErrors; a malformed URL is a ValueError
        raise PictureError(f"cannot fetch {url}: {error}") from error
    if len(data) > _URL_MAX_BYTES:
        raise PictureError(f"{url} is larger than {_URL_MAX_BYTES // 2**20} MiB; download it and pass the file")
    return data


def _from_file(path: Path) -> Image.Image:
    try:
        return _from_bytes(path.read_bytes(), str(path))
    except FileNotFoundError as error:
        raise PictureError(f"there is no file {str(path)!r} (looked in {Path.cwd()})") from error
    except OSError as error:
        raise PictureError(f"cannot read {str(path)!r}: {error}") from error


def _from_bytes(data: bytes, name: str) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            return _upright_rgb(image)
    except PictureError:
        raise
    except UnidentifiedImageError as error:  # its own message names a buffer that the user never saw
        raise PictureError(f"{name!r} is not a picture that can be read: Pillow knows no such format") from error
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise PictureError(f"{name!r} is not a picture that can be read: {error}") from error


def _upright_rgb(image: Image.Image) -> Image.Image:
    if 0 in image.size:
        raise PictureError(f"the picture is empty: {image.width}×{image.height} pixels")
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format in _ANIMATED:
        raise PictureError(
            f"the {image.format} picture has {frames} frames; choose one: image.seek(k), then image.copy()"
        )
    try:
        upright = ImageOps.exif_transpose(image)
    except (OSError, ValueError) as error:
        raise PictureError(f"the picture cannot be decoded: {error}") from error
    if upright.mode.startswith(("I", "F")):  # PIL's own conversion clips these at 255
        values = np.asarray(upright)
        if upright.mode == "I" and values.min() >= 0 and _UINT8_MAX < values.max() <= _UINT16_MAX:
            values = values.astype(np.uint16)  # PIL opens some 16-bit greyscale files as 32-bit integers
        return _from_array(values, channels_last=True)
    if upright.mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in upright.info:
        colour = upright.convert("RGBA")
        ground = Image.new("RGBA", colour.size, "white")
        return Image.alpha_composite(ground, colour).convert("RGB")
    converted = upright.convert("RGB")
    converted.info = {}  # ICC profiles, EXIF and comments are no business of the model
    return converted.copy() if converted is image else converted


def _from_tensor(tensor: torch.Tensor) -> Image.Image:
    plain = tensor.detach().cpu()
    if plain.is_floating_point():
        plain = plain.float()  # numpy has no bfloat16
    return _from_array(plain.numpy(), channels_last=False)


def _from_array(array: np.ndarray[Any, Any], *, channels_last: bool) -> Image.Image:
    pixels = _to_uint8(_height_width_channels(array, channels_last=channels_last))
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    return _upright_rgb(image)


def _height_width_channels(array: np.ndarray[Any, Any], *, channels_last: bool) -> np.ndarray[Any, Any]:
    shape = array.shape
    if 0 in shape:
        raise PictureError(f"the picture is empty: an array of shape {shape}")
    if array.ndim == 2:  # noqa: PLR2004 - height and width
        return array[..., None]
    if array.ndim == 4:  # noqa: PLR2004 - a batch
        raise PictureError(f"an array of shape {shape} is a batch of pictures; pass a list of them, or array[0]")
    if array.ndim != 3:  # noqa: PLR2004
        raise PictureError(
            f"an array of shape {shape} is no picture; pass (H, W), (H, W, C) or (C, H, W) with C in {_CHANNELS}"
        )
    for last in (channels_last, not channels_last):
        if shape[-1 if last else 0] in _CHANNELS:
            return array if last else np.moveaxis(array, 0, -1)
    raise PictureError(
        f"neither end of the shape {shape} is a number of channels; pass (H, W, C) or (C, H, W) with C in {_CHANNELS}"
    )


def _to_uint8(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * _UINT8_MAX
    if array.dtype.kind not in "uif":
        raise PictureError(f"an array of {array.dtype} is no picture; pass uint8, or floats in [0, 1]")
    low, high = float(array.min()), float(array.max())  # NaN makes both NaN, and every comparison below false
    if array.dtype.kind == "f":
        if low >= -_ROUNDING and high <= 1 + _ROUNDING:
            return np.asarray(np.rint(np.clip(array, 0, 1) * _UINT8_MAX), dtype=np.uint8)
        hint = "pass floats in [0, 1]: divide by 255, or undo the model's normalisation"
    elif array.dtype.kind == "u" and array.dtype.itemsize == 2:  # noqa: PLR2004 - 16 bits, of either byte order
        return np.asarray(np.rint(array / (_UINT16_MAX / _UINT8_MAX)), dtype=np.uint8)
    elif low >= 0 and high <= _UINT8_MAX:
        return array.astype(np.uint8)
    else:
        hint = "pass uint8, or integers in [0, 255]"
    raise PictureError(f"the values of the {array.dtype} picture run from {low:g} to {high:g}; {hint}")
