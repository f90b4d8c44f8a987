"""The main job, end to end: the demo model's answer, a hovered word, and colour on the thing that the word names."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tam_widget as tam

SEEDS = json.loads((Path(__file__).parent / "scenes.json").read_text())
SCENES = [(seed, count) for count, name in ((2, "two_objects"), (3, "three_objects")) for seed in SEEDS[name]]

INSIDE_TO_OUTSIDE = 10
INSIDE_TO_OTHERS = 5


@pytest.fixture(scope="module")
def notebook(lab):
    cells = ["import tam_widget as tam\nmodel, processor = tam.load_demo()"]
    for seed, count in SCENES:
        cells.append(
            f"scene = tam.demo.scene({seed}, objects={count})\n"
            "tam.explain(model, processor, scene.image, 'Describe this image.', max_new_tokens=64)"
        )
    with lab.open("overlay", cells) as opened:
        yield opened


def resized(mask, shape):
    return np.asarray(Image.fromarray(mask).resize(shape[::-1], Image.Resampling.NEAREST))


@pytest.mark.parametrize("number", range(len(SCENES)), ids=[f"{count}-objects-seed-{seed}" for seed, count in SCENES])
def test_a_word_lights_up_what_it_names(notebook, number):
    seed, count = SCENES[number]
    scene = tam.demo.scene(seed, objects=count)
    view = notebook.widget(number + 1)
    for thing in scene.objects:
        for word in (thing.colour, thing.shape):
            occurrences = view.tokens_of(word)
            assert occurrences, f"{word!r} is not in the answer: {view.node.locator('.tam-answer').inner_text()!r}"
            for tokens in occurrences:
                outside, others = look(view, tokens, scene, thing)
                assert outside >= INSIDE_TO_OUTSIDE, (
                    f"{word!r}: {outside:.1f} times as strong on the {thing.name} as off it"
                )
                assert others >= INSIDE_TO_OTHERS, (
                    f"{word!r}: {others:.1f} times as strong on the {thing.name} as elsewhere"
                )


def look(view, tokens, scene, thing):
    """Hover a word; how much stronger is its overlay on a thing than off it, and than on the other things?"""
    view.hover(tokens[-1])
    view.expect("ready", " ".join(map(str, tokens)))
    overlay = view.overlay()
    mask = resized(thing.mask, overlay.shape)
    others = resized(np.logical_or.reduce([one.mask for one in scene.objects if one is not thing]), overlay.shape)
    inside = overlay[mask].mean()
    floor = 1e-9  # an overlay that is nowhere else is infinitely stronger here; one that is nowhere is not
    return inside / max(overlay[~mask].mean(), floor), inside / max(overlay[others].mean(), floor)


def test_leaving_takes_the_overlay_away(notebook):
    view = notebook.widget(1)
    scene = tam.demo.scene(SCENES[0][0], objects=SCENES[0][1])
    token = view.tokens_of(scene.objects[0].shape)[0][0]
    view.hover(token)
    view.expect("ready", token)
    assert view.overlay().max() > 0
    view.leave()
    view.expect("empty", "")
    view.expect_no_pixels()


def test_a_pinned_token_survives_leaving_until_esc(notebook):
    view = notebook.widget(1)
    scene = tam.demo.scene(SCENES[0][0], objects=SCENES[0][1])
    first, second = (view.tokens_of(thing.colour)[0][0] for thing in scene.objects)
    view.token(first).click()
    view.leave()
    view.expect("ready", first)
    pinned = view.overlay()
    assert pinned.max() > 0
    view.hover(second)
    view.expect("ready", second)
    assert not np.array_equal(view.overlay(), pinned)
    view.leave()
    view.expect("ready", first)
    assert np.array_equal(view.overlay(), pinned)
    notebook.page.keyboard.press("Escape")
    view.expect("empty", "")
    view.expect_no_pixels()
