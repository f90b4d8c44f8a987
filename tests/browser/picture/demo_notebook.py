"""A notebook that shows what the demo model says about a scene, and what a person does to the picture there."""

import numpy as np
from playwright.sync_api import expect

from tam_widget.explanation.region import merge

SETUP = """
import json
import tam_widget as tam
from fake_explanation import Fake
from tam_widget.widget import TAMWidget
model, processor = tam.load_demo()
scene = tam.demo.scene(9, objects=3)
explanation = tam.explain(model, processor, scene.image, 'Describe this image.', max_new_tokens=64)
w = TAMWidget(explanation, smooth=False)
film = TAMWidget(Fake(frames=12, sizes=[(640, 360)], grid=(9, 16)))
narrow = TAMWidget(explanation)
made_up = TAMWidget(Fake(), smooth=False, unit='token')
narrow.layout.width = '300px'
"""
CELLS = (SETUP, "w", "film", "narrow", "made_up")
WIDGET, FILM, NARROW, MADE_UP = range(1, 5)


def pin(view, word):
    """Click a word of the answer; the tokens whose map is shown."""
    view.token(view.tokens_of(word)[0][0]).click()
    view.expect("ready")
    return shown(view)


def shown(view):
    return [int(token) for token in view.canvas.get_attribute("data-token").split()]


def levels(explanation, tokens, **method):
    """A map's levels as the page has them, and its peak."""
    values = merge([explanation.heatmap(token, **method) for token in tokens], "mean")
    peak = float(np.nanmax(values))
    return np.rint(values.astype(float) / peak * 254), peak


def choose(view, setting, value):
    view.unfold().locator(f"[data-setting={setting}]").select_option(value)


def point(view, thing, scene):
    """Where a thing's middle is on the page."""
    y, x = (axis.mean() for axis in np.nonzero(thing.mask))
    box = view.node.locator(".tam-pane").last.bounding_box()
    return box["x"] + x / scene.image.width * box["width"], box["y"] + y / scene.image.height * box["height"]


def ranked(view):
    """The words of the list, best first."""
    expect(view.node.locator(".tam-lookup")).to_have_attribute("data-open", "")
    expect(view.node.locator(".tam-lookup li:not(.tam-none)").first).to_be_visible()
    return view.node.locator(".tam-lookup li:not(.tam-none) .tam-candidate-text").all_inner_texts()


def thing(scene, name):
    return next(one for one in scene.objects if one.shape == name)
