import numpy as np
import pytest

from tam_widget import demo
from tam_widget.demo.scenery.changing import FRAMES
from tam_widget.demo.scenery.drawing import COLOURS, SHAPES, SIGN, SIGN_WORDS, SIZES, draw
from tam_widget.demo.scenery.held_out import TRAINING
from tam_widget.demo.scenery.staging import KINDS
from tam_widget.demo.scenery.still import place

SEEDS = range(12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_the_same_scene(kind):
    first, second = demo.scene(7, kind), demo.scene(7, kind)
    assert [image.tobytes() for image in first.images] == [image.tobytes() for image in second.images]
    assert (first.caption, first.questions) == (second.caption, second.questions)
    assert demo.scene(8, kind).image.tobytes() != first.image.tobytes()


def test_scenes_are_those_of_the_seeds():
    several = demo.scenes(3, "text", seed=5)
    assert [(scene.kind, scene.seed) for scene in several] == [("text", 5), ("text", 6), ("text", 7)]
    assert several[1].image.tobytes() == demo.scene(6, "text").image.tobytes()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", SEEDS)
def test_masks_are_the_pixels_of_their_objects(seed, kind):
    scene = demo.scene(seed, kind)
    pixels = np.stack([np.asarray(image, float) for image in scene.images])
    masks = np.stack([thing.masks for thing in scene.objects])
    assert masks.shape == (len(scene.objects), *pixels.shape[:3])
    assert masks.sum(0).max() == 1  # each pixel shows one thing
    for thing in scene.objects:
        colours = pixels[thing.masks]
        if thing.shape == SIGN:
            assert np.median(colours) > 225  # paper, with ink on it
            assert (colours.mean(1) < 80).mean() > 0.05
        elif scene.event is None or scene.event.verb != "recolour":
            # The colour inside the mask is the object's own, up to its jitter and the ground's noise.
            assert np.abs(colours.mean(0) - COLOURS[thing.colour]).max() < 20
    ground = [picture[~mask] for picture, mask in zip(pixels, masks.any(0), strict=True)]
    assert max(colours.std(0).max() for colours in ground) < 45


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_have_the_pictures_they_say(kind):
    for scene in demo.scenes(12, kind):
        assert len(scene.images) == {"moving": FRAMES, "pair": 2}.get(kind, 1)
        assert list(scene.media) == ["video" if kind == "moving" else "images"]
        assert (scene.event is None) == (kind not in {"moving", "pair"} or scene.caption == "Nothing changed.")


def test_a_thing_on_another_hides_what_is_under_it():
    scene = next(scene for scene in demo.scenes(20, "overlap") if " on a " in scene.caption)
    under, over = (thing.mask for thing in scene.objects)
    rows, columns = np.where(over)
    box = np.zeros_like(over)
    box[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = True
    assert under[box & ~over].mean() > 0.8  # it is all around
    assert not (under & over).any()


@pytest.mark.parametrize("seed", range(40))
def test_films_show_what_their_caption_says(seed):
    scene = demo.scene(seed, "moving")
    mover = scene.objects[scene.event.item]
    sizes = mover.masks.sum((1, 2))
    middles = [np.argwhere(mask).mean(0) for mask in mover.masks if mask.any()]
    down, right = (middles[-1] - middles[0]) / scene.image.height
    match scene.event.verb:
        case "move":
            ways = {"left": -right, "right": right, "up": -down, "down": down}
            assert max(ways, key=ways.get) == scene.event.direction
            assert ways[scene.event.direction] > 0.35
            assert f"moves {scene.event.direction}" in scene.caption
        case "grow":
            assert sizes[-1] > 2 * sizes[0]
        case "shrink":
            assert sizes[-1] < sizes[0] / 2
        case "appear":
            assert sizes[0] == 0 < sizes[-1]
        case _:
            assert sizes[0] > 0 == sizes[-1]
    assert scene.event.verb + "s" in scene.caption
    for other in scene.objects:
        if other is not mover:
            assert (other.masks == other.mask).all()
            assert scene.caption.endswith(f"{other.colour} {other.shape} stays.")


def test_films_and_pairs_know_every_event():
    films = {scene.event.verb for scene in demo.scenes(60, "moving")}
    assert films == {"move", "grow", "shrink", "appear", "disappear"}
    pairs = {scene.event.verb if scene.event else None for scene in demo.scenes(60, "pair")}
    assert pairs == {"recolour", "move", "grow", "shrink", "appear", "disappear", None}


@pytest.mark.parametrize("seed", range(40))
def test_pairs_differ_as_their_caption_says(seed):
    scene = demo.scene(seed, "pair")
    first, second = (np.asarray(image, float) for image in scene.images)
    if scene.event is None:
        assert all((thing.masks[0] == thing.masks[1]).all() for thing in scene.objects)
        return
    for number, thing in enumerate(scene.objects):
        if number != scene.event.item:
            assert (thing.masks[0] == thing.masks[1]).all()
    before, after = scene.objects[scene.event.item].masks
    match scene.event.verb:
        case "recolour":
            assert (before == after).all()
            assert np.abs(first[before].mean(0) - second[after].mean(0)).max() > 60
        case "appear" | "disappear":
            assert bool(before.any()) == (scene.event.verb == "disappear")
            assert bool(after.any()) == (scene.event.verb == "appear")
        case "grow":
            assert after.sum() > 1.3 * before.sum()
        case "shrink":
            assert after.sum() < before.sum() / 1.3
        case _:
            assert not (before & after).all()


def test_a_word_s_mask_joins_all_it_speaks_of():
    scene = demo.scene(0)  # two circles
    assert (scene.mask("circle") == (scene.objects[0].mask | scene.objects[1].mask)).all()
    assert (scene.mask("blue") == scene.objects[0].mask).all()
    with pytest.raises(KeyError, match="blue circle large"):
        scene.mask("star")
    with pytest.raises(KeyError, match="''"):
        scene.mask("")
    sign = demo.scene(1, "text")
    (text,) = [thing.text for thing in sign.objects if thing.text]
    assert (sign.mask(text) == sign.mask("sign")).all()
    recoloured = next(scene for scene in demo.scenes(30, "pair") if scene.event and scene.event.verb == "recolour")
    before, after = recoloured.caption.rstrip(".").split()[-3::2]
    for picture, (colour, other) in enumerate([(before, after), (after, before)]):
        assert (recoloured.mask(colour, picture) == recoloured.objects[recoloured.event.item].masks[picture]).all()
        with pytest.raises(KeyError, match=colour):
            recoloured.mask(other, picture)
    film = demo.scene(0, "moving")
    thing = film.objects[0]
    assert (film.mask(thing.shape, 5) == thing.masks[5]).all()


def test_every_word_occurs():
    things = [thing for kind in ("objects", "text") for scene in demo.scenes(150, kind) for thing in scene.objects]
    assert {thing.shape for thing in things} == {*SHAPES, SIGN}
    assert {thing.colour for thing in things} == {*COLOURS, "white"}
    assert {thing.size for thing in things} == {*SIZES, ""}
    assert {thing.text for thing in things} == {*SIGN_WORDS, ""}


def test_training_draws_other_scenes():
    """The streams differ in the first word of their seeds; no held-out picture is among many of training."""
    held_out = {demo.scene(seed).image.tobytes() for seed in range(40)}
    for step in range(40):
        rng = np.random.default_rng([TRAINING, 0, step])
        pixels, _ = draw(place(rng, 224, 224), rng)
        assert pixels.tobytes() not in held_out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1}, "seed is 0 or more, not -1"),
        ({"seed": 0, "objects": 0}, "'objects' has 1 to 3 objects; got 0"),
        ({"seed": 0, "objects": 4}, "'objects' has 1 to 3 objects; got 4"),
        ({"seed": 0, "kind": "moving", "objects": 3}, "'moving' has 1 to 2 objects; got 3"),
        ({"seed": 0, "kind": "count", "objects": 1}, "'count' takes no number of objects; got 1"),
        ({"seed": 0, "kind": "film"}, "objects, count, .*, things, .*things-moving, not 'film'"),
        ({"seed": 0, "kind": "pair", "width": 4, "height": 4}, "does not fit into 4×4 pixels"),
    ],
)
def test_impossible_scenes_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        demo.scene(**arguments)
