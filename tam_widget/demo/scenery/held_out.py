"""Held-out scenes: what a user sees, measures and tests on; training never draws from this stream of chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from tam_widget.demo.scenery.language import caption, prompts_for
from tam_widget.demo.scenery.painting import paint
from tam_widget.demo.scenery.questions import all_questions, held_out_unknown
from tam_widget.demo.scenery.staging import FILMS, KINDS, THINGS_KINDS, Kind, Staging, side_of, stage
from tam_widget.demo.scenery.thing_questions import held_out_unknown_thing
from tam_widget.demo.scenery.things.placing import MOST_THINGS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tam_widget.demo.scenery.changing import Event
    from tam_widget.demo.scenery.question import Question

# The first word of the seed of every scene of a stream: the two streams share no scene, whatever the other words are.
HELD_OUT, TRAINING = 1, 2

_EVERY_KIND = (*KINDS, *THINGS_KINDS)

_MOST_OBJECTS = {
    "objects": 3,
    "text": 3,
    "moving": 2,
    "pair": 2,
    "things": MOST_THINGS,
    "things-unseen": MOST_THINGS,
    "things-pair": 2,
    "things-moving": 2,
}


@dataclass(frozen=True, eq=False)
class SceneObject:
    """One thing of a scene, with the pixels it covers.

    Attributes
    ----------
    name : str
        As the caption names it, such as ``"large blue triangle"`` or ``"cat"``.
    shape, colour, size : str
        Of the first picture. A sign's colour is white and its size empty. A thing's shape is its name, its colour empty
        where no one word says it, and its size empty.
    text : str
        What is written on a sign; else empty.
    words : tuple of frozenset of str
        For each picture or frame, the shape, colour, size and text that are true of the thing in it.
    masks : ndarray of bool, shape (pictures, height, width)
        True where the thing is seen, in each picture or frame; nowhere where it is hidden, to come or gone.
    """

    name: str
    shape: str
    colour: str
    size: str
    text: str
    words: tuple[frozenset[str], ...]
    masks: NDArray[np.bool_]

    @property
    def mask(self) -> NDArray[np.bool_]:
        """The pixels of the first picture, shape (height, width)."""
        first: NDArray[np.bool_] = self.masks[0]
        return first


@dataclass(frozen=True, eq=False)
class Scene:
    """One picture, two, or the frames of a film, with exact masks.

    Attributes
    ----------
    seed : int
    kind : str
        ``"objects"``, ``"count"``, ``"text"``, ``"overlap"``, ``"moving"`` or ``"pair"``; ``"things"``,
        ``"things-unseen"``, ``"things-pair"`` or ``"things-moving"``.
    images : tuple of PIL.Image.Image
        RGB; one, two of a pair, or eight frames.
    objects : tuple of SceneObject
    prompt : str
        A prompt that the caption answers.
    caption : str
        One right description; the demo models were trained on sentences of this form.
    questions : tuple of Question
        What can be asked about the scene, each with its kind and right answer.
    event : Event, optional
        What happens in a film or between two pictures, and to which of the objects.
    """

    seed: int
    kind: Kind
    images: tuple[Image.Image, ...]
    objects: tuple[SceneObject, ...]
    prompt: str
    caption: str
    questions: tuple[Question, ...]
    event: Event | None

    @property
    def image(self) -> Image.Image:
        """The picture, or the first."""
        return self.images[0]

    @property
    def media(self) -> dict[str, Any]:
        """The scene as :func:`tam_widget.explain` takes it: ``explain(model, processor, prompt=…, **scene.media)``."""
        return {"video": list(self.images)} if self.kind in FILMS else {"images": list(self.images)}

    def mask(self, word: str, image: int = 0) -> NDArray[np.bool_]:
        """Pixels of all things that a shape, colour, size or written word speaks of; shape (height, width).

        Parameters
        ----------
        word : str
        image : int
            Which picture or frame.

        Raises
        ------
        KeyError
            Where nothing in the scene is of that shape, colour, size or text.
        """
        masks = [thing.masks[image] for thing in self.objects if word in thing.words[image]]
        if not masks:
            names = ", ".join(" ".join(sorted(thing.words[image])) for thing in self.objects)
            raise KeyError(f"nothing in this scene is called {word!r}; there is: {names}")
        joined: NDArray[np.bool_] = np.logical_or.reduce(masks)
        return joined


def scene(
    seed: int,
    kind: Kind = "objects",
    *,
    objects: int | None = None,
    width: int | None = None,
    height: int | None = None,
) -> Scene:
    """Draw the held-out scene of a kind and seed; the same arguments give the same scene everywhere.

    Parameters
    ----------
    seed : int
        Not negative.
    kind : str
        ``"objects"``: one to three things that do not touch. ``"count"``: two to four of one shape, and maybe another
        thing. ``"text"``: a sign with a word or digit, and up to two things. ``"overlap"``: one thing on or in front of
        another. ``"moving"``: eight frames in which one thing moves, changes its size, comes or goes. ``"pair"``: two
        pictures and what has changed between them. ``"things"``: one to four things of the world, each in one of two
        artists' drawings, before a photograph, a texture or a plain ground; several of a kind among them, or one partly
        before another. ``"things-unseen"``: one of the things is drawn as no training sees it. ``"things-pair"`` and
        ``"things-moving"``: two pictures or eight frames, in which one of one or two things moves, comes or goes.
    objects : int, optional
        How many things, by chance when left out: 1 to 3 of the kinds ``"objects"`` and ``"text"``, the sign among
        them, 1 or 2 of ``"moving"`` and ``"pair"``, ``"things-pair"`` and
        ``"things-moving"``, 1 to 4 of ``"things"`` and ``"things-unseen"``.
    width, height : int, optional
        In pixels; 224 each, 196 of a pair, 140 of a film; 320 of things, and 224 of a film of them. The demo models of
        shapes were trained on sides from 168 to 252 for single pictures and read other sizes less well.

    Raises
    ------
    ValueError
        For a negative seed, another kind or another number of objects.
    """
    if seed < 0:
        raise ValueError(f"a scene's seed is 0 or more, not {seed}")
    if kind not in _EVERY_KIND:
        raise ValueError(f"a scene's kind is one of {', '.join(_EVERY_KIND)}, not {kind!r}")
    most = _MOST_OBJECTS.get(kind, 0)
    if objects is not None and not 1 <= objects <= most:
        number = f"has 1 to {most} objects" if most else "takes no number of objects"
        raise ValueError(f"a scene of the kind {kind!r} {number}; got {objects}")
    staging, rng = held_out_staging(seed, kind, objects=objects, width=width, height=height)
    pixels, masks = paint(staging, rng)
    every = all_questions(staging)
    ask_unknown = held_out_unknown_thing if staging.of_things else held_out_unknown
    every["unknown"] = [ask_unknown(int(staging.first.items[0].x))]
    return Scene(
        seed=seed,
        kind=kind,
        images=tuple(Image.fromarray(picture) for picture in pixels),
        objects=tuple(_object(staging, number, masks[:, number]) for number in range(masks.shape[1])),
        prompt=prompts_for(kind)[0],
        caption=caption(staging),
        questions=tuple(question for questions in every.values() for question in questions),
        event=staging.event,
    )


def held_out_staging(
    seed: int, kind: Kind, *, objects: int | None = None, width: int | None = None, height: int | None = None
) -> tuple[Staging, np.random.Generator]:
    """Stage the scene of a kind and seed, as :func:`scene` draws it, and return the chance that it is drawn with, too.

    Parameters
    ----------
    seed, kind, objects, width, height
        As for :func:`scene`.
    """
    # The first kind has the seeds that it had when it was the only one.
    rng = np.random.default_rng([HELD_OUT, seed, _EVERY_KIND.index(kind)] if kind != KINDS[0] else [HELD_OUT, seed])
    side = side_of(kind)
    return stage(kind, rng, width or side, height or side, objects=objects, held_out=True), rng


def scenes(count: int, kind: Kind = "objects", *, seed: int = 0) -> list[Scene]:
    """Draw the held-out scenes of `count` seeds, from `seed` on; see :func:`scene`."""
    return [scene(number, kind) for number in range(seed, seed + count)]


def _object(staging: Staging, number: int, masks: NDArray[np.bool_]) -> SceneObject:
    first, *_ = items = [placement.items[number] for placement in staging.placements]
    words = tuple(frozenset(filter(None, (item.shape, item.colour, item.size, item.text))) for item in items)
    return SceneObject(first.name, first.shape, first.colour, first.size, first.text, words, masks)
