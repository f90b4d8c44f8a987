"""Build the drawings and backgrounds of the scenes of things from the packages that carry them.

``python parts/build_things.py`` writes ``tam_widget/demo/scenery/things/assets``. Nobody needs it who only uses the
package. It fetches, with npm and apt-get, the packages that ``assets/NOTICE`` names, and needs OpenEXR (``pip install
OpenEXR``) and scikit-image besides what the package itself needs.
"""

from __future__ import annotations

import argparse
import base64
import io
import re
import subprocess
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import OpenEXR
import skimage
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from tam_widget.demo.scenery.things.catalogue import THINGS
from tam_widget.demo.scenery.things.grounds import PANORAMAS, TEXTURES

_ASSETS = Path(__file__).parents[1] / "tam_widget/demo/scenery/things/assets"
_FLUENT = "@lobehub/fluent-emoji-3d@1.1.0"
_PANORAMAS = "@pmndrs/assets@1.7.0"
_NOTO = "fonts-noto-color-emoji"
_PHOTOGRAPHS = {"camera": "camera.png", "cat": "chelsea.png", "coffee": "coffee.png", "rocket": "rocket.jpg"}
_PHOTOGRAPH_WIDTH = 400
_NOTO_SIZE = 109  # the only one that the font has pictures of
_BRIGHT = 60.0  # light of the sun
_SIDES = {"small": 120, "middle": 136, "large": 152}  # pixels of the longer side, at most
_WRITTEN = (2026, 1, 1, 0, 0, 0)  # the same archive every time


def main() -> None:
    """Fetch, build, and say how large it came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=_ASSETS)
    out = parser.parse_args().out
    with tempfile.TemporaryDirectory() as name:
        packages = Path(name)
        _write(out / "drawings.zip", _drawings(_npm(_FLUENT, packages), _noto(packages)))
        _write(out / "photographs.zip", _photographs())
        _write(out / "grounds.zip", _panoramas(_npm(_PANORAMAS, packages)) | _textures())
    for path in sorted(out.iterdir()):
        print(f"{path.name}: {path.stat().st_size:,} bytes")


def _drawings(fluent: Path, noto: Path) -> dict[str, bytes]:
    font = ImageFont.truetype(noto, _NOTO_SIZE)
    found = {}
    for thing in THINGS.values():
        code = f"{ord(thing.sign):x}"
        (file,) = [path for end in ("", "-fe0f") if (path := fluent / "assets" / f"{code}{end}.webp").is_file()]
        canvas = Image.new("RGBA", (160, 160))
        ImageDraw.Draw(canvas).text((8, 8), thing.sign, font=font, embedded_color=True)
        for artist, drawn in (("fluent", Image.open(file).convert("RGBA")), ("noto", canvas)):
            whole = drawn.crop(drawn.getbbox())
            whole.thumbnail((_SIDES[thing.size],) * 2, Image.Resampling.LANCZOS)
            found[f"{thing.name}-{artist}.webp"] = _webp(whole, quality=82, alpha_quality=100)
    return found


def _panoramas(package: Path) -> dict[str, bytes]:
    found = {}
    for name in PANORAMAS:
        packed = re.search(r"base64,([\w+/=]+)", (package / f"hdri/{name}.exr.js").read_text())
        assert packed is not None  # noqa: S101
        with tempfile.NamedTemporaryFile(suffix=".exr") as file:
            file.write(base64.b64decode(packed[1]))
            file.flush()
            light = np.asarray(OpenEXR.File(file.name).channels()["RGB"].pixels, np.float32)[..., :3]
        found[f"{name}.webp"] = _webp(_developed(light), quality=88)
    return found


def _developed(light: np.ndarray) -> Image.Image:
    """Make a picture of light as a film would; where its compression made the sun negative, there is sun."""
    sun = (light < -_BRIGHT * np.median(light)).any(-1)
    exposed = 1 - np.exp(-0.4 * np.clip(light, 0, _BRIGHT) / np.median(light))
    exposed[sun] = 1
    picture = Image.fromarray((255 * exposed ** (1 / 2.2)).astype(np.uint8))
    glare = picture.filter(ImageFilter.MaxFilter(9)).filter(ImageFilter.GaussianBlur(2))
    around = Image.fromarray((255 * sun).astype(np.uint8)).filter(ImageFilter.MaxFilter(9))
    return Image.composite(glare, picture, around.filter(ImageFilter.GaussianBlur(1)))


def _textures() -> dict[str, bytes]:
    folder = Path(skimage.__file__).parent / "data"
    return {
        f"{name}.webp": _webp(Image.open(folder / f"{name}.png").convert("L").resize((320, 320)), quality=75)
        for name in TEXTURES
    }


def _photographs() -> dict[str, bytes]:
    folder = Path(skimage.__file__).parent / "data"
    found = {}
    for name, file in _PHOTOGRAPHS.items():
        photograph = Image.open(folder / file).convert("RGB")
        height = photograph.height * _PHOTOGRAPH_WIDTH // photograph.width
        smaller = photograph.resize((_PHOTOGRAPH_WIDTH, height), Image.Resampling.LANCZOS)
        found[f"{name}.webp"] = _webp(smaller, quality=85)
    return found


def _webp(picture: Image.Image, **options: int) -> bytes:
    written = io.BytesIO()
    picture.save(written, "WEBP", method=6, exact=False, **options)
    return written.getvalue()


def _write(path: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _WRITTEN), content)


def _npm(package: str, folder: Path) -> Path:
    done = subprocess.run(["npm", "pack", package, "--silent"], cwd=folder, check=True, capture_output=True, text=True)  # noqa: S603, S607
    into = folder / re.sub(r"\W", "_", package)
    with tarfile.open(folder / done.stdout.split()[-1]) as archive:
        archive.extractall(into, filter="data")
    return into / "package"


def _noto(folder: Path) -> Path:
    subprocess.run(["apt-get", "download", "-qq", _NOTO], cwd=folder, check=True)  # noqa: S603, S607
    (package,) = folder.glob(f"{_NOTO}_*.deb")
    subprocess.run(["dpkg", "-x", str(package), str(folder / "noto")], check=True)  # noqa: S603, S607
    (font,) = (folder / "noto").rglob("NotoColorEmoji.ttf")
    return font


if __name__ == "__main__":
    main()
