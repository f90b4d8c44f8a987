"""Small pictures and a video, and seeded ways of damaging them."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

__all__ = ["damaged", "picture_files", "video_file"]

_SAVED = {
    "PNG": {},
    "JPEG": {"quality": 80},
    "JPEG, progressive": {"progressive": True},
    "TIFF": {},
    "TIFF, LZW, two pages": {"compression": "tiff_lzw", "save_all": True},
    "GIF": {},
    "WEBP": {},
    "AVIF": {},
    "BMP": {},
    "ICO": {},
    "JPEG2000": {},
}


def picture_files() -> dict[str, bytes]:
    """Return one picture of 64×64 pixels in each format."""
    across, down = np.meshgrid(np.arange(64), np.arange(64))
    image = Image.fromarray(np.stack([across * 4, down * 4, across * down % 256], -1).astype(np.uint8))
    files = {}
    for name, options in _SAVED.items():
        buffer = io.BytesIO()
        pages = {"append_images": [image.rotate(90)]} if "save_all" in options else {}
        image.save(buffer, name.split(",")[0], **options, **pages)
        files[name] = buffer.getvalue()
    return files


def video_file(frames: int = 30, rate: int = 10, size: tuple[int, int] = (64, 48), **options: str) -> bytes:
    """Return an MP4 of noise that moves; ``options`` are the encoder's (libx264)."""
    import av

    noise = np.random.default_rng(0).integers(0, 256, (size[1] // 8, size[0] // 8, 3), np.uint8)
    noise = noise.repeat(8, 0).repeat(8, 1)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=rate, options={"preset": "ultrafast", **options})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(np.roll(noise, number, 1), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()


def damaged(file: bytes, seed: int) -> bytes:
    """Change 1 to 20 bytes, in half of the cases among the first 200, where the head is; cut one in five short."""
    rng = np.random.default_rng([seed, len(file)])
    content = np.frombuffer(file, np.uint8).copy()
    within = len(content) if rng.random() < 0.5 else min(200, len(content))
    places = rng.integers(0, within, rng.integers(1, 21))
    content[places] = rng.integers(0, 256, len(places))
    end = rng.integers(0, len(content)) if rng.random() < 0.2 else len(content)
    return content[:end].tobytes()
