"""Held-out scenes: what a user sees, measures and tests on; training never draws from this stream of chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from tam_widget.demo.drawing import Placement, draw, place
from tam_widget.demo.language import Question, all_questions, caption

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The first word of the seed of every scene of a stream: the two streams share no scene, whatever the other words are.
HELD_OUT, TRAINING = 1, 2

_MOST_OBJECTS = 3


@dataclass(frozen=True, eq=False)
class SceneObject:
    """One thing of a scene, with the pixels it covers.

    Attributes
    ----------
    name : str
        As the caption names it, such as ``"large blue triangle"``.
    shape, colour, size : str
    mask : ndarray of bool, shape (height, width)
        True where the thing is.
    """

    name: str
    shape: str
    colour: str
    size: str
    mask: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture of one to three things, with exact masks.

    Attributes
    ----------
    seed : int
    image : PIL.Image.Image
        RGB.
    objects : tuple of SceneObject
        In the order in which the caption names them.
    caption : str
        One right description; the demo model was trained on sentences of this form.
    questions : tuple of Question
        What can be asked about the scene, each with its kind and right answer.
    """

    seed: int
    image: Image.Image
    objects: tuple[SceneObject, ...]
    caption: str
    questions: tuple[Question, ...]

    def mask(self, word: str) -> NDArray[np.bool_]:
        """Pixels of all things that a shape, colour or size word speaks of; shape (height, width).

        Raises
        ------
        KeyError
            Where nothing in the scene is of that shape, colour or size.
        """
        masks = [thing.mask for thing in self.objects if word in (thing.shape, thing.colour, thing.size)]
        if not masks:
            names = ", ".join(thing.name for thing in self.objects)
            raise KeyError(f"nothing in this scene is called {word!r}; there is: {names}")
        joined: NDArray[np.bool_] = np.logical_or.reduce(masks)
        return joined


def scene(seed: int, *, objects: int | None = None, width: int = 224, height: int = 224) -> Scene:
    """Draw the held-out scene of a seed; the same seed and arguments give the same scene everywhere.

    Parameters
    ----------
    seed : int
        Not negative.
    objects : int, optional
        1, 2 or 3 things; by chance when left out.
    width, height : int
        In pixels. The demo model was trained on sides from 168 to 252 and reads other sizes less well.

    Raises
    ------
    ValueError
        For a negative seed or another number of objects.
    """
    if seed < 0:
        raise ValueError(f"a scene's seed is 0 or more, not {seed}")
    if objects is not None and not 1 <= objects <= _MOST_OBJECTS:
        raise ValueError(f"a scene has 1 to {_MOST_OBJECTS} objects, not {objects}")
    rng = np.random.default_rng([HELD_OUT, seed])
    placement: Placement = place(rng, width, height, objects=objects)
    pixels, masks = draw(placement, rng)
    things = tuple(
        SceneObject(item.name, item.shape, item.colour, item.size, mask)
        for item, mask in zip(placement.items, masks, strict=True)
    )
    questions = tuple(all_questions(placement))
    return Scene(seed, Image.fromarray(pixels), things, caption(placement), questions)
