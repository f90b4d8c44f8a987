"""Scenes of things: what is drawn is what is said, and what is held out is not shown."""

import re
from pathlib import Path

import numpy as np
import pytest

from tam_widget import demo
from tam_widget.demo.scenery import things
from tam_widget.demo.scenery.changing import FRAMES
from tam_widget.demo.scenery.drawing import Placement
from tam_widget.demo.scenery.held_out import held_out_staging
from tam_widget.demo.scenery.language import plural
from tam_widget.demo.scenery.staging import THINGS_KINDS, THINGS_STILL
from tam_widget.demo.scenery.thing_questions import UNKNOWN_THING_ANSWER, UNSEEN_NAMES
from tam_widget.demo.scenery.thing_truth import true_of_things
from tam_widget.demo.scenery.things.catalogue import ARTISTS, THINGS, UNSEEN
from tam_widget.demo.scenery.things.drawing import PlacedThing, draw_things
from tam_widget.demo.scenery.things.grounds import GROUNDS, PLAIN
from tam_widget.demo.scenery.things.packed import packed_picture
from tam_widget.demo.training.kept_scenes import KeptScenes

ASSETS = Path(things.__file__).parent / "assets"
KEPT = KeptScenes()


def stagings(kind, count=60):
    return [held_out_staging(seed, kind)[0] for seed in range(count)]


@pytest.fixture(scope="module")
def learned_from():
    return [KEPT.staging(number) for number in range(400)]


@pytest.mark.parametrize("kind", THINGS_KINDS)
def test_a_seed_gives_the_same_scene(kind):
    first, second = demo.scene(7, kind), demo.scene(7, kind)
    assert [image.tobytes() for image in first.images] == [image.tobytes() for image in second.images]
    assert (first.caption, first.questions) == (second.caption, second.questions)
    assert demo.scene(8, kind).image.tobytes() != first.image.tobytes()


@pytest.mark.parametrize("kind", THINGS_KINDS)
def test_kinds_have_the_pictures_they_say(kind):
    pictures = {"things-moving": FRAMES, "things-pair": 2}.get(kind, 1)
    for scene in demo.scenes(6, kind):
        assert len(scene.images) == pictures
        assert {image.size for image in scene.images} == ({(224, 224)} if kind == "things-moving" else {(320, 320)})
        assert list(scene.media) == ["video" if kind == "things-moving" else "images"]
        assert all(thing.masks.shape == (pictures, *scene.image.size) for thing in scene.objects)
        assert np.sum([thing.masks for thing in scene.objects], axis=0).max() == 1  # each pixel shows one thing


def test_the_number_of_things_can_be_asked_for():
    for objects in (1, 2, 3, 4):
        assert {len(demo.scene(seed, "things", objects=objects).objects) for seed in range(3)} == {objects}
    with pytest.raises(ValueError, match="'things' has 1 to 4 objects; got 5"):
        demo.scene(0, "things", objects=5)


def test_there_are_many_things_with_two_drawings_each():
    assert len(THINGS) >= 100
    assert len({thing.plural for thing in THINGS.values()}) == len(THINGS)
    for name in THINGS:
        for artist in ARTISTS:
            drawing = packed_picture("drawings.zip", f"{name}-{artist}.webp")
            alpha = np.asarray(drawing.convert("RGBA"))[..., 3]
            assert 90 <= max(drawing.size) <= 160
            assert (alpha > 128).mean() > 0.08
            assert (alpha[[0, -1]].any(), alpha[:, [0, -1]].any()) == (True, True)  # nothing but the thing


def test_the_assets_are_small_and_their_sources_are_named():
    assert sum(file.stat().st_size for file in ASSETS.iterdir()) <= 3e6
    notice = " ".join((ASSETS / "NOTICE").read_text(encoding="utf-8").split())
    for said in ("Microsoft", "MIT License", "Noto Color Emoji", "SIL Open Font License 1.1", "Poly Haven", "CC0 1.0"):
        assert said in notice
    for ground in GROUNDS.keys() - PLAIN.keys():
        assert re.search(rf"grounds\.zip: [a-z, ]*\b{ground}\b", notice)
    assert "-fluent.webp" in notice
    assert "-noto.webp" in notice
    license_text = (ASSETS / "OFL.txt").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in license_text
    assert "Google Inc." in license_text


def test_a_mask_is_where_the_thing_covers_the_ground():
    """What is under a thing does not show in its mask, and shows around it up to the shadow."""
    thing = PlacedThing("clock", "brown", "", 150.0, 170.0, 60.0, 0.1, artist="noto")
    (on_grass,), ((mask,),) = draw_things([Placement(320, 320, (thing,))], "grass", np.random.default_rng(0))
    (on_brick,), _ = draw_things([Placement(320, 320, (thing,))], "brick", np.random.default_rng(0))
    apart = np.abs(on_grass.astype(int) - on_brick).max(-1)
    eroded = mask.copy()
    for axis in (0, 1):
        for step in (-2, 2):
            eroded &= np.roll(mask, step, axis)
    assert mask.sum() > 5000
    assert np.median(apart[eroded]) == 0
    assert (apart[eroded] <= 1).mean() > 0.99
    assert np.median(apart[~mask]) > 5
    rows, columns = np.nonzero(mask)
    assert abs(columns.mean() - 150) < 6
    assert abs(rows.mean() - 170) < 6


def test_what_is_in_front_hides_what_is_behind():
    scenes = [scene for scene in demo.scenes(40, "things") if "in front of" in scene.caption]
    assert len(scenes) >= 3
    for scene in scenes:
        behind, front = scene.objects
        assert scene.caption.lower().split()[1] == front.name
        assert not (behind.mask & front.mask).any()
        assert behind.mask.sum() > 1200  # enough is left to know it by
        # They touch: a pixel of the one has a neighbour of the other.
        assert any((np.roll(front.mask, step, axis) & behind.mask).any() for axis in (0, 1) for step in (-2, 2))


@pytest.mark.parametrize("kind", THINGS_STILL)
def test_captions_name_what_is_there_and_count_it(kind):
    for staging, scene in zip(stagings(kind), (demo.scene(seed, kind) for seed in range(60)), strict=True):
        names = [thing.name for thing in scene.objects]
        words = re.findall(r"\w+", scene.caption.lower())
        for name in set(names):
            number = names.count(name)
            if number == 1:
                assert name in words
                assert words[words.index(name) - 1] == ("an" if name[0] in "aeiou" else "a")
            else:
                assert words[words.index(plural(name)) - 1] == ("two", "three", "four")[number - 2]
        assert {word for word in words if word in THINGS} <= set(names)
        assert [thing.name for thing in scene.objects] == [item.shape for item in staging.first.items]
        for name in set(names):
            joint = np.logical_or.reduce([thing.mask for thing in scene.objects if thing.name == name])
            assert (scene.mask(name) == joint).all()


def test_questions_of_every_kind_have_right_answers():
    asked = set()
    for seed in range(80):
        scene = demo.scene(seed, "things")
        sizes = {thing.name: thing.mask.sum() for thing in scene.objects}
        names = [thing.name for thing in scene.objects]
        for question in scene.questions:
            asked.add(question.kind)
            words = re.findall(r"\w+", question.answer.lower())
            match question.kind:
                case "existence":
                    name = question.text.rstrip("?").split()[-1]
                    assert (words[0] == "yes") == (name in names)
                case "count":
                    numbers = [names.count(name) for name in THINGS if f"many {plural(name)} are" in question.text]
                    spelled = {"no": 0, "one": 1, "two": 2, "three": 3, "four": 4}
                    assert [spelled[words[2]]] == numbers
                case "comparison" if " in front of " not in scene.caption:
                    one, other = re.findall(r"the (\w+)", question.text)
                    larger = question.answer.endswith("larger.")
                    said, left = (words[1], other if words[1] == one else one)
                    assert larger or question.answer.endswith("smaller.")
                    # Their longer sides differ clearly; their areas agree but for what is thin.
                    assert (sizes[said] > 0.5 * sizes[left]) if larger else (sizes[said] < 2 * sizes[left])
                case "colour":
                    thing = scene.objects[question.about]
                    assert thing.colour == words[-1]
    assert asked == {
        *{"colour", "place", "what", "count", "total", "existence", "relation", "comparison", "unknown"},
    }


def test_what_is_not_known_is_asked_with_names_that_no_scene_has():
    texts = {q.text for seed in range(20) for q in demo.scene(seed, "things").questions if q.kind == "unknown"}
    assert all(any(name in text for name in UNSEEN_NAMES) for text in texts)
    assert not set(UNSEEN_NAMES) & THINGS.keys()
    (answer,) = {q.answer for q in demo.scene(0, "things").questions if q.kind == "unknown"}
    assert answer == UNKNOWN_THING_ANSWER


def test_no_training_sees_the_drawings_and_grounds_that_are_held_out(learned_from):
    assert len(UNSEEN) == len(THINGS) // 10
    assert set(UNSEEN.values()) == set(ARTISTS)
    grounds = {staging.ground for staging in learned_from}
    assert grounds == {name for name, ground in GROUNDS.items() if not ground.held_out}
    shown = {(item.shape, item.artist) for staging in learned_from for item in staging.first.items}
    assert not shown & set(UNSEEN.items())
    assert shown & {(name, next(a for a in ARTISTS if a != artist)) for name, artist in UNSEEN.items()}


def test_held_out_scenes_stand_before_held_out_grounds():
    for kind in THINGS_KINDS:
        grounds = {staging.ground for staging in stagings(kind)}
        assert grounds <= {name for name, ground in GROUNDS.items() if ground.held_out} | PLAIN.keys()
    items = [item for staging in stagings("things") for item in staging.first.items]
    assert not {(item.shape, item.artist) for item in items} & set(UNSEEN.items())


def test_one_thing_at_least_of_an_unseen_scene_is_drawn_as_no_training_sees_it():
    for staging in stagings("things-unseen"):
        assert any(UNSEEN.get(item.shape) == item.artist for item in staging.first.items)


def test_a_ground_is_not_asked_about_what_it_shows_itself(learned_from):
    for staging in learned_from:
        shown = GROUNDS[staging.ground].shows
        assert not shown & {item.shape for item in staging.first.items}
        assert not shown & true_of_things(staging).keys()
    for seed in range(40):
        staging, _ = held_out_staging(seed, "things")
        asked = " ".join(question.text for question in demo.scene(seed, "things").questions)
        assert not any(re.search(rf"\b{name}s?\b", asked) for name in GROUNDS[staging.ground].shows)


def test_words_are_true_of_what_is_there(learned_from):
    for staging in learned_from[:50]:
        truth = true_of_things(staging)
        names = [item.shape for item in staging.first.items]
        assert {name for name in THINGS if truth.get(name)} == set(names)
        for number, word in enumerate(("two", "three", "four"), 2):
            assert truth.get(word, False) == (number in map(names.count, names))


@pytest.mark.parametrize("seed", range(20))
def test_films_show_what_their_caption_says(seed):
    scene = demo.scene(seed, "things-moving")
    mover = scene.objects[scene.event.item]
    shown = [mask.any() for mask in mover.masks]
    match scene.event.verb:
        case "move":
            middles = [np.argwhere(mask).mean(0) for mask in mover.masks]
            down, right = (middles[-1] - middles[0]) / scene.image.height
            ways = {"left": -right, "right": right, "up": -down, "down": down}
            assert max(ways, key=ways.get) == scene.event.direction
            assert ways[scene.event.direction] > 0.3
            assert f"{mover.name} moves {scene.event.direction}" in scene.caption
        case "appear":
            assert (shown[0], shown[-1]) == (False, True)
        case _:
            assert (shown[0], shown[-1]) == (True, False)
    for other in scene.objects:
        if other is not mover:
            assert (other.masks == other.mask).all()


def test_pairs_differ_in_what_their_caption_says():
    verbs = set()
    for scene in demo.scenes(40, "things-pair"):
        verbs.add(scene.event.verb if scene.event else "")
        for number, thing in enumerate(scene.objects):
            same = (thing.masks[0] == thing.masks[1]).all()
            assert same == (scene.event is None or scene.event.item != number)
        if scene.event:
            assert scene.objects[scene.event.item].name in scene.caption
        else:
            assert scene.caption == "Nothing changed."
    assert verbs == {"move", "appear", "disappear", ""}


def test_kept_scenes_are_the_same_for_the_same_number():
    first, again = KEPT.staging(300), KEPT.staging(300)
    assert first == again
    assert KEPT.picture(first).tobytes() == KEPT.picture(again).tobytes()
    rng = np.random.default_rng(0)
    assert min(staging.number for staging in KEPT.draw(rng, 0.0, 200)) >= KEPT.checked
    assert max(staging.number for staging in KEPT.draw_checked("things", rng, 200)) < KEPT.checked
