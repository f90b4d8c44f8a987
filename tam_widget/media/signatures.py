"""What a file is by its first bytes, where it is no picture that Pillow reads: the message names it and a way out."""

from __future__ import annotations

import re

__all__ = ["HEAD", "advice", "is_media", "is_video"]

HEAD = 512
"""How many bytes from the beginning are looked at."""

_VIDEO = "it looks like a video: pass it as video="
_BY_START = (
    (b"\x1aE\xdf\xa3", _VIDEO),
    (b"FLV\x01", _VIDEO),
    (b"\x00\x00\x01\xba", _VIDEO),
    (b"OggS", _VIDEO),
    (b"%PDF", "it is a PDF: save a page of it as PNG"),
    (b"%!PS", "it is PostScript: save it as PNG"),
    (b"\xc5\xd0\xd3\xc6", "it is PostScript: save it as PNG"),
    (b"PK\x03\x04", "it is a ZIP archive: unpack it"),
    (b"\x1f\x8b", "it is packed with gzip: unpack it"),
    (b"\xfd7zXZ", "it is packed with xz: unpack it"),
    (b"BZh", "it is packed with bzip2: unpack it"),
    (b"\x28\xb5\x2f\xfd", "it is packed with Zstandard: unpack it"),
    (b"\x93NUMPY", "it is a NumPy file: pass the array, numpy.load(path)"),
    (b"version https://git-lfs", "it is a pointer of Git LFS: git lfs pull fetches the picture"),
    (b"\xff\x0a", "it is JPEG XL: save it as PNG or JPEG"),
    (b"\x00\x00\x00\x0cJXL ", "it is JPEG XL: save it as PNG or JPEG"),
)
_HEIC = "it is HEIC: pip install pillow-heif, then pillow_heif.register_heif_opener(); or save it as JPEG"
_AVIF = "it is AVIF, and damaged or of a kind that this Pillow cannot read; Pillow reads AVIF from 11.3 on"
_BRANDS = dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), _HEIC) | {
    b"avif": _AVIF,
    b"avis": _AVIF,
}
_BY_TEXT = (
    (re.compile(rb"<(?:[\w-]+:)?svg[\s>]", re.IGNORECASE), "it is an SVG drawing, which has no pixels: save it as PNG"),
    (
        re.compile(rb"\A(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|body|\?xml)", re.IGNORECASE),
        "it is a web page or other markup: pass the address of the picture itself",
    ),
    (re.compile(rb"\A(?:\xef\xbb\xbf)?\s*[{\[]"), "it looks like JSON"),
)
_PICTURES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"II*\x00", b"MM\x00*", b"BM", b"\x00\x00\x00\x0cjP  ")


def advice(head: bytes) -> str | None:
    """Return what bytes that are no readable picture look like, and what would work; None where that is unknown."""
    if not head:
        return "it is empty"
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], _VIDEO)
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return _VIDEO
    by_start = next((said for start, said in _BY_START if head.startswith(start)), None)
    return by_start or next((said for pattern, said in _BY_TEXT if pattern.search(head)), None)


def is_media(head: bytes) -> bool:
    """Tell whether bytes begin as pictures and videos do."""
    boxed = head[4:8] == b"ftyp" or (head[:4] == b"RIFF" and head[8:12] in {b"WEBP", b"AVI "})
    return boxed or head.startswith(_PICTURES) or is_video(head)


def is_video(head: bytes) -> bool:
    """Tell whether bytes begin as videos do."""
    return advice(head) == _VIDEO
