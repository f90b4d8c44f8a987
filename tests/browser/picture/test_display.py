"""How the map is shown: settings, scale, side by side, in little room."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from picture.demo_notebook import NARROW, SETUP, WIDGET, choose, levels, pin, ranked


def pixels(node):
    return np.asarray(Image.open(io.BytesIO(node.screenshot(animations="disabled"))).convert("RGB")).astype(float)


def test_settings_unfold_by_keyboard_and_move_nothing_above(view):
    before = view.node.locator(".tam-pictures").bounding_box()
    settings, more = view.node.locator(".tam-settings"), view.node.locator(".tam-more")
    expect(settings).to_be_hidden()
    more.focus()
    view.page.keyboard.press("Enter")
    expect(more).to_have_attribute("aria-expanded", "true")
    expect(settings).to_be_visible()
    view.page.keyboard.press("Tab")
    expect(settings.locator(".tam-opacity")).to_be_focused()
    expect(settings.locator(".tam-help")).to_have_text("How strongly the overlay covers the picture.")
    expect(more).not_to_have_class(re.compile("tam-changed"))
    settings.locator("[data-setting=scale]").select_option("answer")
    expect(more).to_have_class(re.compile("tam-changed"))
    more.focus()
    view.page.keyboard.press("Space")
    expect(settings).to_be_hidden()
    assert view.node.locator(".tam-pictures").bounding_box() == before
    assert "RdBu_r" not in view.node.locator(".tam-colormap option").all_text_contents()


def test_one_scale_for_the_whole_answer(view, explained):
    _, explanation = explained
    tokens = pin(view, "star")
    _, peak = levels(explanation, tokens)
    expect(view.node.locator(".tam-peak")).to_have_text(f"{peak:.2f}")
    assert view.overlay().max() / 255 == pytest.approx(0.7, abs=0.01)
    choose(view, "scale", "answer")
    said = [token.index for token in explanation.tokens if token.role == "answer"]
    top = float(np.nanmax(explanation.maps().images[0][said]))
    expect(view.node.locator(".tam-peak")).to_have_text(f"{top:.2f}")
    assert peak < 0.9 * top, "else this test shows nothing"
    assert view.overlay().max() / 255 == pytest.approx(0.7 * peak / top, abs=0.01)


@pytest.mark.usefixtures("theme")
def test_side_by_side(view):
    pin(view, "triangle")
    plain = view.node.locator(".tam-picture")
    view.unfold()
    view.node.locator(".tam-opacity").fill("0")
    bare = pixels(plain)
    view.node.locator(".tam-opacity").fill("70")
    choose(view, "display", "side")
    panes = view.node.locator(".tam-pane")
    expect(panes).to_have_count(2)
    left, right = (pane.bounding_box() for pane in panes.all())
    assert left["y"] == right["y"]
    assert (left["width"], left["height"]) == pytest.approx((right["width"], right["height"]), abs=0.1)
    assert left["x"] + left["width"] <= right["x"]
    untouched = np.asarray(Image.fromarray(pixels(panes.first).astype(np.uint8)).resize(bare.shape[1::-1]))
    assert np.abs(untouched - bare).mean() < 3
    # Beside the picture the colours are those of the map, weak ones too.
    assert view.overlay().min() / 255 == pytest.approx(0.7, abs=0.01)
    choose(view, "display", "blend")
    expect(panes).to_have_count(1)


@pytest.mark.parametrize("display", ["blend", "side"])
def test_everything_fits_into_a_narrow_cell(notebook, view, display):
    narrow = notebook.widget(NARROW)
    narrow.unfold()
    notebook.run(f"narrow.display = {display!r}; narrow.region = dict(image=0, frame=None, box=(0.1, 0.1, 0.5, 0.5))")
    ranked(narrow)
    assert narrow.fits(300)
    panes = narrow.node.locator(".tam-pane")
    expect(panes).to_have_count(2 if display == "side" else 1)
    assert all(pane.bounding_box()["width"] >= (130 if display == "side" else 270) for pane in panes.all())
    edge = narrow.node.bounding_box()["x"] + 300
    for node in narrow.node.locator(".tam-stage :is(input, select, button), .tam-ranked:visible").all():
        box = node.bounding_box()
        assert box["x"] + box["width"] <= edge
    narrow.node.locator(".tam-more").click()


def test_nothing_is_lost_at_twice_the_size(lab):
    with lab.open("zoomed", [SETUP, "w"], size=(640, 500), device_scale_factor=2) as notebook:
        view = notebook.widget(WIDGET)
        view.unfold()
        assert view.node.evaluate("(widget) => widget.scrollWidth <= widget.clientWidth")
        pin(view, "triangle")
        view.node.locator(".tam-contour").check()
        assert view.overlay().shape[0] == 2 * round(view.node.locator(".tam-pane").bounding_box()["height"])
