"""What things stand before: views of photographed places, textures, and plain grounds."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from tam_widget.demo.scenery.things.packed import packed_picture

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Ground:
    """What things stand before.

    Attributes
    ----------
    name : str
    held_out : bool
        Whether no training sees it.
    shows : frozenset of str
        Things that it shows itself: nobody puts them there or asks whether there are any.
    """

    name: str
    held_out: bool = False
    shows: frozenset[str] = frozenset()


def _grounds(held_out: str, **shows: str) -> dict[str, Ground]:
    return {name: Ground(name, name in held_out.split(), frozenset(things.split())) for name, things in shows.items()}


PANORAMAS = _grounds(
    "dawn lobby sunset venice",
    apartment="door bulb",
    bridge="",
    city="house bus car",
    dawn="plant",
    forest="tree leaf plant",
    hall="",
    lobby="sofa door plant",
    night="tree plant star",
    park="tree plant cloud",
    sky="cloud",
    sunrise="tree plant cloud",
    sunset="tree house cloud plant boat",
    venice="castle house boat",
    warehouse="",
)
"""Photographs of all that is around one point, by name."""

TEXTURES = _grounds("gravel", brick="", grass="plant", gravel="")
"""Photographs of surfaces, without colour, by name."""

_COLOURS = {"brick": (168, 122, 102), "grass": (112, 138, 74), "gravel": (150, 142, 134)}

PLAIN = _grounds("", paper="", plaster="")
"""Made grounds, by name; their colours are held out by chance alone."""

GROUNDS = PANORAMAS | TEXTURES | PLAIN
_SHARES = {"panorama": 0.6, "texture": 0.15, "plain": 0.25}


def choose_ground(rng: np.random.Generator, *, held_out: bool) -> Ground:
    """Choose what things shall stand before: one that training sees, or one that it does not."""
    draw = rng.random()
    kind = PANORAMAS if draw < _SHARES["panorama"] else TEXTURES if draw > 1 - _SHARES["texture"] else PLAIN
    choice = [ground for ground in kind.values() if ground.held_out == held_out or kind is PLAIN]
    return choice[int(rng.integers(len(choice)))]


def draw_ground(ground: Ground, rng: np.random.Generator, width: int, height: int) -> NDArray[np.float32]:
    """Draw a ground, each time another part of it.

    Returns
    -------
    ndarray of float32, shape (height, width, 3)
        From 0 to 255.
    """
    if ground.name in PANORAMAS:
        view = Image.fromarray(_view(_photograph(ground.name), rng, width, height).astype(np.uint8))
        drawn = np.asarray(view.resize((width, height), Image.Resampling.BICUBIC), np.float32)
    elif ground.name in TEXTURES:
        drawn = _surface(_photograph(ground.name), _COLOURS[ground.name], rng, width, height)
    else:
        drawn = _plain(rng, width, height, uneven=ground.name == "plaster")
    return drawn + np.float32(rng.uniform(1, 3)) * rng.standard_normal((height, width, 1), np.float32)


@functools.cache
def _photograph(name: str) -> NDArray[np.float32]:
    picture = packed_picture("grounds.zip", f"{name}.webp").convert("RGB")
    if name in PANORAMAS:  # a view of a few of its pixels shall be soft, not in steps
        picture = picture.resize((3 * picture.width, 3 * picture.height), Image.Resampling.BICUBIC)
    return np.asarray(picture, np.float32)


def _view(panorama: NDArray[np.float32], rng: np.random.Generator, width: int, height: int) -> NDArray[np.float32]:
    """Look into a panorama (equirectangular), at half the size, more often down than up.

    The angle is 60 to 95 degrees.
    """
    width, height = width // 2, height // 2  # nothing in it is fine enough for more
    turn, tilt = np.float32(rng.uniform(0, 2 * math.pi)), math.radians(rng.uniform(-32, 4))
    half = math.tan(math.radians(rng.uniform(60, 95)) / 2)
    x = np.linspace(-half, half, width, dtype=np.float32)[None, :]
    y = np.linspace(half, -half, height, dtype=np.float32)[:, None] * np.float32(height / width)
    up = y * math.cos(tilt) + math.sin(tilt)
    ahead = math.cos(tilt) - y * math.sin(tilt)
    east = (np.arctan2(x, ahead) + turn) / (2 * math.pi) % 1
    down = 0.5 - np.arctan2(up, np.hypot(x, ahead)) / math.pi
    seen = _at(panorama, down * panorama.shape[0] - 0.5, east * panorama.shape[1] - 0.5)
    return np.clip(seen, 0, 255)


def _at(picture: NDArray[np.float32], row: NDArray[np.float32], column: NDArray[np.float32]) -> NDArray[np.float32]:
    """Read a picture between its pixels; it goes on at the right where it began at the left."""
    high, wide = picture.shape[:2]
    top, left = np.floor(row).astype(np.int64), np.floor(column).astype(np.int64)
    down, right = (row - top)[..., None], (column - left)[..., None]
    rows = [np.clip(top + step, 0, high - 1) for step in (0, 1)]
    columns = [(left + step) % wide for step in (0, 1)]
    upper, lower = (picture[at, columns[0]] * (1 - right) + picture[at, columns[1]] * right for at in rows)
    found: NDArray[np.float32] = upper * (1 - down) + lower * down
    return found


def _surface(
    texture: NDArray[np.float32],
    colour: tuple[int, int, int],
    rng: np.random.Generator,
    width: int,
    height: int,
) -> NDArray[np.float32]:
    """Cut a part out, in about a colour, with less contrast than it has, lit from one side."""
    side = int(rng.integers(150, 320))
    top, left = rng.integers(texture.shape[0] - side + 1), rng.integers(texture.shape[1] - side + 1)
    part = Image.fromarray(texture[top : top + side, left : left + side].astype(np.uint8))
    grey = np.asarray(part.resize((width, height), Image.Resampling.BICUBIC), np.float32)
    relief = (grey - grey.mean()) * np.float32(rng.uniform(0.35, 0.7))
    own = np.array(colour, np.float32) * np.float32(rng.uniform(0.8, 1.2)) + rng.uniform(-14, 14, 3)
    surface: NDArray[np.float32] = _lit(own.astype(np.float32), rng, width, height) + relief
    return surface


def _plain(rng: np.random.Generator, width: int, height: int, *, uneven: bool) -> NDArray[np.float32]:
    """Make a sheet of one colour, lit from one side; an uneven one has clouds of several sizes."""
    sheet = _lit(_tint(rng), rng, width, height)
    if not uneven:
        return sheet
    clouds = np.zeros((height, width), np.float32)
    for cells in (3, 7, 15, 31):
        rough = Image.fromarray(rng.normal(0, 1, (cells, cells)).astype(np.float32))
        clouds += np.asarray(rough.resize((width, height), Image.Resampling.BICUBIC)) / np.float32(math.sqrt(cells))
    return sheet + np.float32(rng.uniform(6, 16)) * clouds[..., None]


def _tint(rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw a colour that nothing cries out of."""
    light, strength = rng.uniform(95, 225), rng.uniform(0, 34)
    hue = rng.uniform(0, 2 * math.pi)
    around = np.cos(hue + np.arange(3) * 2 * math.pi / 3)
    return (light + strength * around).astype(np.float32)


def _lit(colour: NDArray[np.float32], rng: np.random.Generator, width: int, height: int) -> NDArray[np.float32]:
    """Spread a colour, lighter to one side and darker to the corners."""
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    angle = rng.uniform(0, 2 * math.pi)
    light = 1 + np.float32(rng.uniform(0.03, 0.14)) * (x * math.cos(angle) + y * math.sin(angle))
    light = light - np.float32(rng.uniform(0, 0.1)) * (x**2 + y**2)
    lit: NDArray[np.float32] = (light[..., None] * colour).astype(np.float32)
    return lit
