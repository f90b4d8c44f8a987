"""Places asked about, by pointer, touch, keyboard and from Python: their value, and the words that looked there."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from picture.demo_notebook import FILM, SETUP, WIDGET, choose, pin, point, ranked, shown, thing
from tam_widget.explanation.region import merge


def test_the_value_under_the_pointer(view, explained):
    scene, explanation = explained
    tokens = pin(view, "triangle")
    values = merge([explanation.heatmap(token) for token in tokens], "mean")
    boxes = """(widget) => [...widget.querySelectorAll('.tam-token, .tam-picture, .tam-toolbar, .tam-legend')]
        .map((one) => JSON.stringify(one.getBoundingClientRect()))"""
    before = view.node.evaluate(boxes)
    readout = view.node.locator(".tam-readout")
    for shape in ("triangle", "circle"):
        y, x = (axis.mean() for axis in np.nonzero(thing(scene, shape).mask))
        row, column = int(y / scene.image.height * 16), int(x / scene.image.width * 16)
        view.page.mouse.move(*point(view, thing(scene, shape), scene))
        value = values[row, column]
        digits = f"{value:.2f}" if value == 0 or value >= 0.095 else r"[\d.e-]+"
        expect(readout).to_have_text(re.compile(rf"^{digits} at row {row + 1}, column {column + 1}$"))
        assert view.node.evaluate(boxes) == before
    view.leave()
    expect(readout).to_have_text(re.compile("^Click or draw"))


@pytest.mark.usefixtures("theme")
def test_a_click_on_the_star_names_the_star(view, explained):
    scene, explanation = explained
    star = thing(scene, "star")
    before = view.node.locator(".tam-reading").bounding_box()
    view.page.mouse.click(*point(view, star, scene))
    assert ranked(view)[0] in {"star", star.colour, star.size}
    assert set(ranked(view)[:3]) <= {"star", star.colour, star.size}
    assert view.node.locator(".tam-reading").bounding_box() == before, "nothing moves"
    expect(view.node.locator(".tam-asked")).to_be_visible()
    # The text lights up in proportion.
    y, x = (axis.mean() for axis in np.nonzero(star.mask))
    scores = np.nan_to_num(explanation.responses((x, y, x, y)))
    heat = [
        float(view.token(i).evaluate("(one) => parseFloat(one.style.getPropertyValue('--tam-heat'))"))
        for i in range(len(explanation.tokens))
    ]
    assert heat == pytest.approx((100 * scores / scores.max()).tolist(), abs=2.6)
    lit = view.token(int(scores.argmax())).evaluate("(one) => getComputedStyle(one).backgroundColor")
    dark = view.token(0).evaluate("(one) => getComputedStyle(one).backgroundColor")
    assert lit != dark
    view.page.keyboard.press("Escape")
    expect(view.node.locator(".tam-lookup")).to_be_hidden()
    expect(view.node.locator(".tam-asked")).to_have_count(0)


def test_a_listed_word_shows_its_map(view, explained):
    scene, _ = explained
    view.page.mouse.click(*point(view, thing(scene, "circle"), scene))
    first = ranked(view)[0]
    row = view.node.locator(".tam-ranked").first
    row.hover()
    view.expect("ready")
    assert shown(view) == view.tokens_of(first)[0]
    view.leave()
    view.expect("empty", "")
    row.focus()
    view.page.keyboard.press("Enter")
    view.expect("ready")
    expect(view.token(view.tokens_of(first)[0][0])).to_have_attribute("aria-pressed", "true")
    view.node.locator(".tam-close").click()
    expect(view.node.locator(".tam-lookup")).to_be_hidden()


def test_a_box_asks_for_what_it_holds(notebook, view, explained):
    scene, explanation = explained
    triangle = thing(scene, "triangle")
    ys, xs = np.nonzero(triangle.mask)
    pane = view.node.locator(".tam-pane").bounding_box()
    scale = pane["width"] / scene.image.width
    corners = [(xs.min(), ys.min()), (xs.max(), ys.max())]
    (x0, y0), (x1, y1) = [(pane["x"] + x * scale, pane["y"] + y * scale) for x, y in corners]
    view.page.mouse.move(x0, y0)
    view.page.mouse.down()
    view.page.mouse.move((x0 + x1) / 2, (y0 + y1) / 2)
    expect(view.node.locator(".tam-drawn")).to_be_visible()
    view.page.mouse.move(x1, y1)
    view.page.mouse.up()
    expect(view.node.locator(".tam-drawn")).to_have_count(0)
    assert ranked(view)[0] in {"triangle", triangle.colour, triangle.size}
    drawn = view.node.locator(".tam-asked").bounding_box()
    assert (drawn["x"], drawn["y"]) == pytest.approx((x0, y0), abs=1)
    assert (drawn["width"], drawn["height"]) == pytest.approx((x1 - x0, y1 - y0), abs=1)
    region = notebook.ask("w.region")
    assert (region["image"], region["frame"]) == (0, None)
    width, height = scene.image.size
    assert region["box"] == pytest.approx(
        [xs.min() / width, ys.min() / height, xs.max() / width, ys.max() / height], abs=0.01
    )
    scores = explanation.responses(tuple(np.array(region["box"]) * [width, height, width, height]))
    best = view.node.locator(".tam-lookup li:not(.tam-none) .tam-probability").first.inner_text()
    assert float(best) == pytest.approx(float(np.nanmax(scores)), abs=0.01)


def test_python_asks_and_the_page_follows(notebook, view, explained):
    scene, _ = explained
    circle = thing(scene, "circle")
    y, x = (float(axis.mean()) / 224 for axis in np.nonzero(circle.mask))
    notebook.run(f"w.region = {{'image': 0, 'frame': None, 'box': ({x}, {y}, {x}, {y})}}")
    assert set(ranked(view)[:2]) == {"blue", "circle"}
    expect(view.node.locator(".tam-lookup .tam-name")).to_have_text(f"Row {int(y * 16) + 1}, column {int(x * 16) + 1}")
    notebook.run("w.region = None")
    expect(view.node.locator(".tam-lookup")).to_be_hidden()


def test_another_method_asks_again(notebook, view, explained):
    scene, explanation = explained
    star = thing(scene, "star")
    y, x = (float(axis.mean()) for axis in np.nonzero(star.mask))
    view.page.mouse.click(*point(view, star, scene))
    ranked(view)
    best = view.node.locator(".tam-lookup li:not(.tam-none) .tam-probability").first
    before = best.inner_text()
    choose(view, "kernel_size", "1")
    scores = np.nan_to_num(explanation.responses((x, y, x, y), kernel_size=1))
    assert before != f"{scores.max():.2f}"
    expect(best).to_have_text(f"{scores.max():.2f}")


def test_cells_by_keyboard(notebook, view):
    picture, keyboard = view.node.locator(".tam-picture"), view.page.keyboard
    picture.focus()
    notebook.wait_for_cell(WIDGET)
    readout, cursor = view.node.locator(".tam-readout"), view.node.locator(".tam-cursor")
    keyboard.press("ArrowRight")
    expect(cursor).to_be_visible()
    expect(readout).to_have_text("row 8, column 8")
    keyboard.press("ArrowRight")
    keyboard.press("ArrowDown")
    expect(readout).to_have_text("row 9, column 9")
    for key in ("Shift+ArrowDown", "Shift+ArrowRight", "Shift+ArrowRight"):
        keyboard.press(key)
    expect(view.node.locator(".tam-stage .tam-live")).to_have_text("rows 9–10, columns 9–11")
    keyboard.press("Enter")
    expect(view.node.locator(".tam-lookup .tam-name")).to_have_text("Rows 9–10, columns 9–11")
    assert notebook.active_cell == WIDGET
    expect(picture).to_be_focused()
    box = notebook.ask("w.region")["box"]
    assert box == pytest.approx([8 / 16, 8 / 16, 11 / 16, 10 / 16])
    keyboard.press("Escape")
    expect(view.node.locator(".tam-lookup")).to_be_hidden()
    picture.blur()
    expect(cursor).to_have_count(0)


def test_a_tap_asks_and_a_finger_still_scrolls(lab, explained):
    scene, _ = explained
    with lab.open("touch", [SETUP, "w", "film"], has_touch=True) as notebook:
        view = notebook.widget(WIDGET)
        notebook.page.touchscreen.tap(*point(view, thing(scene, "circle"), scene))
        assert set(ranked(view)[:2]) == {"blue", "circle"}
        touch = "(picture) => getComputedStyle(picture).touchAction"
        assert view.node.locator(".tam-picture").evaluate(touch) == "pan-y"
        frame = notebook.widget(FILM).node.locator(".tam-picture").first
        assert frame.evaluate(touch) == "pan-x pan-y"
