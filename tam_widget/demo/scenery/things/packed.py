"""The pictures that scenes of things are made of, from the archives beside this file."""

from __future__ import annotations

import functools
import io
import zipfile
from pathlib import Path

from PIL import Image

__all__ = ["packed_picture"]

_ASSETS = Path(__file__).parent / "assets"


def packed_picture(archive: str, name: str) -> Image.Image:
    """Open a picture of an archive."""
    return Image.open(io.BytesIO(_files(archive)[name]))


@functools.cache
def _files(archive: str) -> dict[str, bytes]:
    """Read an archive once, a megabyte at most: a file that stays open would be shared with forked processes."""
    with zipfile.ZipFile(_ASSETS / archive) as packed:
        return {name: packed.read(name) for name in packed.namelist()}
