"""Whatever a person calls a picture, as an upright RGB ``PIL.Image``.

Nothing is guessed: an array whose values or shape could mean two things is refused with the sentence that would
make it clear.
"""

from __future__ import annotations

import contextlib
import os
import warnings
from typing import IO, TYPE_CHECKING, Any, TypeAlias

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from tam_widget.errors import PictureError
from tam_widget.media.arrays import image_of, is_array, is_tensor, values_of
from tam_widget.media.limits import DEADLINE_S, Deadline, check_pixels
from tam_widget.media.signatures import HEAD, advice
from tam_widget.media.sources import is_source, opened
from tam_widget.media.wording import reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

__all__ = ["Picture", "as_picture"]

Picture: TypeAlias = (
    "str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | Image.Image | np.ndarray[Any, Any] | "
    "torch.Tensor"
)

_ANIMATED = frozenset({"GIF", "WEBP", "PNG", "AVIF"})  # an MPO's or a TIFF's second page is no next frame
_NO_PIXELS = frozenset({"EPS", "WMF"})  # Pillow would start another program to draw them
_16_BITS = frozenset({"PNG", "PPM"})  # where Pillow says "I", the file has 16 bits
_ALPHA = frozenset({"RGBA", "LA", "PA", "RGBa", "La"})
_SCAN, _MOST_SCANS = b"\xff\xda", 500  # cameras and encoders write up to a dozen
_UINT8_MAX = 255
_UINT16_MAX = 65535
_WHAT = "a picture is a path, a URL, the bytes of a file, a PIL image, an array or a tensor"


def as_picture(picture: Any) -> Image.Image:
    """Turn a picture of any kind into an upright RGB image of its own.

    Parameters
    ----------
    picture : str, os.PathLike, bytes, binary file object, PIL.Image.Image, numpy.ndarray or torch.Tensor
        A path; an ``http(s):``, ``file:`` or ``data:`` URL; the base64, the bytes or the file object of a picture's
        file; an image of any mode; or an array, also another library's that numpy can read: (H, W) or (H, W, C), and
        for torch (H, W) or (C, H, W), C in {1, 3, 4}. The other order is taken where the usual one does not fit.
        Integers lie in [0, 255] (uint16: [0, 65535]), floats in [0, 1], booleans are black and white.

    Returns
    -------
    PIL.Image.Image
        Mode RGB, rotated as its EXIF tag says, transparency laid over white, 16-bit values scaled to 8. Never the
        caller's own object.

    Raises
    ------
    PictureError
        The picture cannot be read, is animated, is empty, or its array is not one of those above; a file is no regular
        one; or a limit of :mod:`tam_widget.media.limits` is passed: 60 s, 1 GiB, 134 megapixels.
    """
    if isinstance(picture, Image.Image):
        return _decoded(picture, f"the {type(picture).__name__}")
    if is_source(picture):
        with opened(picture, Deadline(DEADLINE_S)) as (file, name):
            return _from_file(file, name)
    if is_array(picture):
        return _upright_rgb(image_of(values_of(picture), channels_last=not is_tensor(picture)))
    raise PictureError(f"{_WHAT}; got {type(picture).__name__}")


def _from_file(file: IO[bytes], name: str) -> Image.Image:
    head = file.read(HEAD) or b""
    file.seek(0)
    try:
        with _large_ones_expected():
            image = Image.open(file)
    except UnidentifiedImageError as error:  # its own message names a buffer that the user never saw
        found = advice(head) or "Pillow knows no such format"
        raise PictureError(f"{name} is not a picture that can be read: {found}") from error
    except Exception as error:  # a damaged file may make a decoder raise anything
        raise PictureError(f"{name} is not a picture that can be read: {advice(head) or reason(error)}") from error
    with image:
        if image.format in {"JPEG", "MPO"}:
            _check_scans(file, name)
        return _decoded(image, name)


def _check_scans(file: IO[bytes], name: str) -> None:
    """Refuse a progressive JPEG of very many scans: each goes over the whole picture, and takes a few bytes."""
    file.seek(0)
    scans, end = 0, b""
    while scans <= _MOST_SCANS and (piece := file.read(2**20)):
        scans += (end + piece).count(_SCAN)
        end = piece[-1:]
    if scans > _MOST_SCANS:
        raise PictureError(f"{name} is a JPEG of more than {_MOST_SCANS} scans, which takes too long to decode")


@contextlib.contextmanager
def _large_ones_expected() -> Iterator[None]:
    """Silence Pillow about photos that it finds large: :func:`check_pixels` decides."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def _decoded(image: Image.Image, name: str) -> Image.Image:
    """Turn an image whose pixels may still lie in its file into an upright RGB one."""
    try:
        return _upright_rgb(image)
    except PictureError:
        raise
    except Exception as error:  # as above
        raise PictureError(f"{name} is not a picture that can be read: {reason(error)}") from error


def _upright_rgb(image: Image.Image) -> Image.Image:
    check_pixels(*image.size)
    if image.format in _NO_PIXELS:
        raise PictureError(f"a picture of format {image.format} is a drawing, which has no pixels: save it as PNG")
    if image.format in _ANIMATED and getattr(image, "is_animated", False):
        raise PictureError(
            f"the {image.format} picture is animated; choose a frame: image = PIL.Image.open(...), image.seek(k), "
            "then image.copy()" + ("; or pass the file as video=" if image.format == "GIF" else "")
        )
    with _large_ones_expected():
        image.load()
    turned = image.getexif().get(ExifTags.Base.Orientation, 1) != 1
    upright = ImageOps.exif_transpose(image) if turned else image
    if upright.mode.startswith(("I", "F")):  # PIL's own conversion clips these at 255
        return _from_numbers(np.asarray(upright), image)
    if upright.mode in _ALPHA or "transparency" in upright.info:
        colour = upright if upright.mode == "RGBA" else upright.convert("RGBA")
        ground = Image.new("RGB", colour.size, "white")
        ground.paste(colour, mask=colour)
        return ground
    converted = upright.convert("RGB")  # a copy, where it is RGB already
    converted.info = {}  # ICC profiles, EXIF and comments are no business of the model
    return converted


def _from_numbers(values: np.ndarray[Any, Any], image: Image.Image) -> Image.Image:
    """Return an image of 16- or 32-bit values; PIL opens some 16-bit greyscale files as 32-bit integers."""
    wide = image.format in _16_BITS or _UINT8_MAX < values.max() <= _UINT16_MAX
    if image.mode == "I" and wide and values.min() >= 0:
        values = values.astype(np.uint16)
    # An image without a format was made from an array, and may hold 8 bits in a wider type.
    return image_of(values, channels_last=True, known_16_bits=image.format is not None).convert("RGB")
