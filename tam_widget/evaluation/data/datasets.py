"""Data sets to judge maps on: the demo's scenes, a plain folder, the rows of a table, and the released three.

Each is a :class:`Dataset`: sized, indexable, and picklable, for runs of several processes.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from tam_widget.errors import DatasetError
from tam_widget.evaluation.data.layouts import (
    COCO_CATEGORIES,
    COCO_PROMPT,
    GRANDF_PROMPT,
    OPENPSG_PROMPT,
    RELEASED_NAMES,
    coco_captions,
    grandf,
    openpsg,
)
from tam_widget.evaluation.data.rows import from_rows
from tam_widget.evaluation.data.samples import PROMPT, Dataset, LazyMasks, Sample
from tam_widget.media.pictures import as_picture

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tam_widget.demo.scenery.staging import Kind

__all__ = [
    "COCO_CATEGORIES",
    "COCO_PROMPT",
    "GRANDF_PROMPT",
    "OPENPSG_PROMPT",
    "RELEASED_NAMES",
    "Dataset",
    "Sample",
    "coco_captions",
    "demo_scenes",
    "from_folder",
    "from_rows",
    "grandf",
    "open_dataset",
    "openpsg",
]

FIRST_SEED = 10_000  # of the held-out scenes that the demo model's figures are measured on
_SUFFIXES = frozenset([".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"])


def demo_scenes(
    count: int = 100, first_seed: int = FIRST_SEED, *, kind: Kind = "objects", prompt: str = PROMPT
) -> Dataset:
    """Return scenes of the demo, with exact masks for every shape and colour word, or for every thing's name.

    A word's mask covers all that is seen of all things of that shape, colour or name; signs have masks for what is
    written on them, too. The scene's own caption is the reference. Of colour words, those are scored that the tagger
    counts as nouns: all by the closed list, few by NLTK's.

    Parameters
    ----------
    count : int
        How many, at least 1.
    first_seed : int
        The seed of the first scene; the others follow.
    kind : {"objects", "count", "text", "overlap", "things", "things-unseen"}
        See :func:`tam_widget.demo.scene`; films and pairs have no single picture to judge a map on.
    prompt : str

    Raises
    ------
    DatasetError
        A count below 1, a negative seed or another kind.
    """
    from tam_widget.demo.scenery.staging import STILL, THINGS_STILL

    if count < 1 or first_seed < 0:
        raise DatasetError(f"demo scenes are counted from 1, their seeds from 0; got {count} from seed {first_seed}")
    if kind not in (single := (*STILL, *THINGS_STILL)):
        raise DatasetError(f"demo scenes of one picture are {', '.join(single)}; got {kind!r}")
    return _DemoScenes(count, first_seed, kind, prompt)


class _DemoScenes(Dataset):
    def __init__(self, count: int, first_seed: int, kind: Kind, prompt: str) -> None:
        of_kind = "" if kind == "objects" else f"of the kind {kind}, "
        self.name = f"demo scenes {of_kind}{first_seed} to {first_seed + count - 1}"
        self._count, self._first, self._kind, self._prompt = count, first_seed, kind, prompt

    def __len__(self) -> int:
        return self._count

    def sample(self, index: int) -> Sample:
        from tam_widget.demo import scene
        from tam_widget.demo.scenery.drawing import COLOURS, SHAPES, SIGN, SIGN_WORDS
        from tam_widget.demo.scenery.staging import THINGS_STILL
        from tam_widget.demo.scenery.things.catalogue import THINGS

        drawn = scene(self._first + index, self._kind)
        nothing = np.zeros((drawn.image.height, drawn.image.width), bool)
        there = {word for thing in drawn.objects for word in (thing.shape, thing.colour, thing.text)}
        of_shapes = (*SHAPES, *COLOURS, *((SIGN, *SIGN_WORDS) if self._kind == "text" else ()))
        words = tuple(THINGS) if self._kind in THINGS_STILL else of_shapes
        masks = {word: drawn.mask(word) if word in there else nothing for word in words}
        return Sample(f"scene {drawn.seed}", drawn.image, self._prompt, (drawn.caption,), masks)


def from_folder(root: str | os.PathLike[str], *, prompt: str | None = None) -> Dataset:
    """Open a folder of pictures, with captions and masks beside them.

    ::

        images/kitchen.jpg
        captions/kitchen.txt              right captions, one a line; optional
        masks/kitchen/potted plant.png    where it is: all that is not black; optional, any number
        prompt.txt                        what to ask; optional

    The categories are all names of masks in the folder, so that a word is not mistaken for another's where its own
    thing is not in the picture.

    Parameters
    ----------
    root : path
    prompt : str, optional
        In place of ``prompt.txt``; "Describe this image." where there is neither.

    Raises
    ------
    DatasetError
        There are no pictures, or there is a caption or mask whose picture is missing.
    """
    return _Folder(Path(root).expanduser(), prompt)


class _Folder(Dataset):
    def __init__(self, root: Path, prompt: str | None) -> None:
        self.name = str(root)
        pictures = [p for p in sorted((root / "images").glob("*")) if p.suffix.lower() in _SUFFIXES]
        if not pictures:
            raise DatasetError(f"{root / 'images'} holds no picture (looked for {', '.join(sorted(_SUFFIXES))})")
        self._pictures = {path.stem: path for path in pictures}
        if len(self._pictures) < len(pictures):
            raise DatasetError(f"two pictures in {root / 'images'} differ only in their ending: names must be unique")
        self._captions = {path.stem: path for path in sorted((root / "captions").glob("*.txt"))}
        self._masks = {
            folder.name: {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() in _SUFFIXES}
            for folder in sorted((root / "masks").glob("*"))
            if folder.is_dir()
        }
        for what, found in (("caption", self._captions), ("folder of masks", self._masks)):
            stray = sorted(found.keys() - self._pictures.keys())
            if stray:
                raise DatasetError(
                    f"{root} has a {what} {stray[0]!r}, but no picture of that name in images/, "
                    f"which begins with {pictures[0].name!r}"
                )
        self._names = sorted({name for masks in self._masks.values() for name in masks})
        asked = root / "prompt.txt"
        self._prompt = prompt or (asked.read_text(encoding="utf-8").strip() if asked.is_file() else "") or PROMPT
        self._stems = tuple(self._pictures)
        bare = sum(not self._masks.get(stem) for stem in self._stems)
        if bare:
            self.notes = (f"{bare} of {len(self)} samples have no mask: all of it counts as background",)

    def __len__(self) -> int:
        return len(self._stems)

    def sample(self, index: int) -> Sample:
        stem = self._stems[index]
        picture, masks = self._pictures[stem], self._masks.get(stem, {})
        captions = self._captions[stem].read_text(encoding="utf-8").splitlines() if stem in self._captions else []
        loaders: dict[str, Callable[[], NDArray[np.bool_]]] = {
            name: partial(_drawn, masks[name])
            if name in masks
            else partial(_nothing, next(iter(masks.values()), picture))
            for name in self._names
        }
        references = tuple(line.strip() for line in captions if line.strip())
        return Sample(stem, partial(as_picture, picture), self._prompt, references, LazyMasks(loaders))


def _drawn(path: Path) -> NDArray[np.bool_]:
    """Read a mask: whatever is not black."""
    try:
        with Image.open(path) as image:
            values = np.asarray(image)
            mode = image.mode
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DatasetError(f"{path} is not a mask that can be read: {error}") from error
    if mode in {"LA", "PA", "RGBA", "RGBa", "La"}:
        raise DatasetError(f"the mask {path} has an alpha channel: save it in black and white")
    drawn: NDArray[np.bool_] = values.astype(bool)
    return drawn if drawn.ndim == 2 else np.logical_or.reduce(drawn, axis=-1)  # noqa: PLR2004


def _nothing(like: Path) -> NDArray[np.bool_]:
    image = as_picture(like)
    return np.zeros((image.height, image.width), bool)


def open_dataset(spec: str, *, prompt: str | None = None) -> Dataset:
    """Open a data set by a short text, as the command line names it.

    Parameters
    ----------
    spec : str
        ``"demo"``, ``"demo:500"`` (so many scenes), ``"demo:overlap:500"`` (of a kind), ``"coco:/path"``,
        ``"grandf:/path"``, ``"openpsg:/path"``, ``"folder:/path"``.
    prompt : str, optional
        In place of the data set's own.

    Raises
    ------
    DatasetError
        Another kind, a number that is none, or what the data set itself refuses.
    """
    kind, colon, rest = spec.partition(":")
    asked: dict[str, Any] = {} if prompt is None else {"prompt": prompt}
    if kind == "demo":
        *kinds, number = rest.split(":")
        if colon and not (number.isascii() and number.isdigit() and len(kinds) <= 1):
            raise DatasetError(f"'demo' takes a number of scenes, as in 'demo:500' or 'demo:overlap:500'; got {spec!r}")
        asked |= dict(zip(["kind"], kinds, strict=False))
        return demo_scenes(*([int(number)] if colon else []), **asked)
    openers: dict[str, Callable[..., Dataset]] = {
        "coco": coco_captions,
        "grandf": grandf,
        "openpsg": openpsg,
        "folder": from_folder,
    }
    if kind not in openers or not rest:
        ways = ", ".join(f"{name}:/path" for name in openers)
        raise DatasetError(f"a data set is called demo, demo:500, {ways}; got {spec!r}")
    return openers[kind](rest, **asked)
