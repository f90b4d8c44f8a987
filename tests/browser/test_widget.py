"""How the widget behaves in JupyterLab, with explanations made up for the purpose."""

import re

import numpy as np
import pytest
from colours import blended, colour, contrast, luminance
from fake_explanation import TRIANGLE, WORD
from playwright.sync_api import expect

SETUP = """
from fake_explanation import LONG, Fake
from tam_widget.widget import TAMWidget
w = TAMWidget(Fake(), embed=False)
"""
EMBEDDED = "TAMWidget(Fake(), embed=True)"
RESTARTED = "The kernel was restarted; run the cell again to explore further."
LATER = 20  # a token of the fake answer after "triangle"


@pytest.fixture(scope="module")
def notebook(lab):
    cells = [
        SETUP,
        "w",
        "w",
        EMBEDDED,
        "TAMWidget(Fake(error=ValueError('no <b>map</b> today')), embed=False)",
        "narrow = TAMWidget(Fake())\nnarrow.layout.width = '300px'\nnarrow",
        "TAMWidget(Fake(LONG * 40), embed=False)",
    ]
    with lab.open("widget", cells) as opened:
        yield opened


def test_a_hover_is_answered_while_a_cell_runs(notebook):
    view = notebook.widget(1)
    notebook.execute("import time; time.sleep(900)")
    notebook.wait_for_kernel("busy")
    view.hover(TRIANGLE)
    view.expect("ready", WORD)
    assert view.overlay().max() > 0
    assert notebook.running
    notebook.command("notebook:interrupt-kernel")
    notebook.page.wait_for_function("!window.running")


def test_two_views_agree_on_what_is_looked_at_and_on_settings(notebook):
    one, other = notebook.widget(1), notebook.widget(2)
    other.token(LATER).click()
    other.leave()
    one.expect("ready", LATER)
    expect(one.token(LATER)).to_have_attribute("aria-pressed", "true")
    one.hover(TRIANGLE)
    one.expect("ready", WORD)
    other.expect("ready", WORD)
    before = one.overlay().max()
    assert other.overlay().max() == before
    notebook.execute("w.opacity = 0.35")
    expect(other.node.locator(".tam-opacity")).to_have_value("35")
    one.expect("ready", WORD)
    assert one.overlay().max() == pytest.approx(before / 2, abs=1)
    one.leave()
    one.expect("ready", LATER)
    other.token(LATER).click()
    other.leave()
    one.expect("empty")
    other.expect("empty")


def test_settings_change_the_overlay_at_once(notebook):
    view = notebook.widget(3)
    view.token(TRIANGLE).click()
    view.expect("ready", WORD)
    smooth = view.overlay()
    view.unfold()
    view.node.locator(".tam-smooth").uncheck()
    grid = view.overlay()
    assert len(np.unique(smooth)) > len(np.unique(grid))
    cell = grid.shape[0] // 16
    assert len(np.unique(grid[2 : cell - 2, 2 : cell - 2])) == 1
    inferno = view.colour_at(0.72, 0.68)
    view.node.locator(".tam-colormap").select_option("viridis")
    viridis = view.colour_at(0.72, 0.68)
    assert inferno[3] == viridis[3] > 0
    assert inferno[:3] != viridis[:3]
    view.node.locator(".tam-smooth").check()
    view.fold()
    view.token(TRIANGLE).click()


def test_nothing_moves(notebook):
    view = notebook.widget(3)
    boxes = """(widget) => [...widget.querySelectorAll(
            '.tam-token, .tam-picture, .tam-toolbar, .tam-toolbar *, .tam-detail')]
        .map((one) => { const {x, y, width, height} = one.getBoundingClientRect(); return [x, y, width, height]; })"""
    view.leave()
    view.expect("empty")
    before = view.node.evaluate(boxes)
    for token, shown in ((TRIANGLE, WORD), (0, "0 1"), (LATER, LATER), (11, 11)):
        view.hover(token)
        view.expect("ready", shown)
        assert view.node.evaluate(boxes) == before
    view.token(TRIANGLE).click()
    assert view.node.evaluate(boxes) == before
    view.token(TRIANGLE).click()


def test_an_error_is_told_in_place_as_text(notebook):
    view = notebook.widget(4)
    view.hover(TRIANGLE)
    view.expect("error")
    expect(view.note).to_have_text("ValueError: no <b>map</b> today")
    expect(view.note).to_be_visible()
    view.leave()
    view.expect("empty")
    expect(view.note).to_be_hidden()


def test_walking_by_keyboard_leaves_the_notebook_alone(notebook):
    view = notebook.widget(3)
    keyboard = notebook.page.keyboard
    view.token(TRIANGLE).click()
    keyboard.press("Escape")
    cell = notebook.active_cell
    view.leave()
    keyboard.press("ArrowRight")
    after = TRIANGLE + 2
    view.expect("ready", after)
    expect(view.token(after)).to_be_focused()
    outline = view.token(after).evaluate("(token) => getComputedStyle(token).outlineStyle")
    assert outline == "solid"
    keyboard.press("ArrowLeft")
    view.expect("ready", WORD)
    keyboard.press("Home")
    view.expect("ready", "0 1")
    keyboard.press("ArrowDown")
    expect(view.canvas).not_to_have_attribute("data-token", "0 1")
    assert int(view.canvas.get_attribute("data-token").split()[0]) >= 4, "the line below is the answer"
    keyboard.press("End")
    last = view.node.locator(".tam-token").count() - 1
    view.expect("ready", last)
    keyboard.press("Enter")
    expect(view.token(last)).to_have_attribute("aria-pressed", "true")
    keyboard.press("Escape")
    expect(view.token(last)).to_have_attribute("aria-pressed", "false")
    keyboard.press("Escape")
    view.expect("empty")
    assert notebook.active_cell == cell
    assert view.token(TRIANGLE).get_attribute("aria-label").startswith('"triang", answer token 15, probability 0.')


def test_the_live_region_says_where_the_map_peaks(notebook):
    view = notebook.widget(3)
    view.hover(TRIANGLE)
    live = view.node.locator(".tam-page > .tam-live")
    expect(live).to_have_text(re.compile(r"triangle: [A-Z][a-z ]+ · \d+ % inside the contour"))


def test_text_is_readable_in_both_themes(notebook, theme):
    view = notebook.widget(3)
    ground = luminance(colour(view.node, "background-color"))
    assert (ground > 0.5) == (theme == "light")
    view.token(TRIANGLE).click()
    view.expect("ready", WORD)
    for selector, least in (
        (".tam-answer .tam-token:not(.tam-later):not(.tam-active)", 4.5),
        (".tam-prompt .tam-token", 4.5),
        (".tam-active", 4.5),
        (".tam-later", 4.5),
        (".tam-place", 4.5),
        (".tam-detail .tam-candidate-text", 4.5),
        (".tam-caption", 4.5),
        (".tam-toolbar .tam-button", 4.5),
        (".tam-toolbar", 4.5),
    ):
        for node in view.node.locator(selector).all():
            own = colour(node, "background-color")
            behind = luminance(own) if own[3] == 255 else blended(own, ground)
            got = contrast(luminance(colour(node, "color")), behind)
            assert got >= least, f"{selector} {node.inner_text()!r}: contrast {got:.2f}"
    view.token(TRIANGLE).click()


def test_the_notebooks_theme_wins_over_the_systems(lab):
    scheme = "(widget) => getComputedStyle(widget).colorScheme"
    with lab.open("scheme", [SETUP, EMBEDDED], color_scheme="dark") as notebook:
        view = notebook.widget(1)
        assert luminance(colour(view.node, "background-color")) > 0.5
        assert view.node.evaluate(scheme) == "light"
        notebook.page.emulate_media(color_scheme="light")
        notebook.theme("dark")
        try:
            assert luminance(colour(view.node, "background-color")) < 0.5
            assert view.node.evaluate(scheme) == "dark"
        finally:
            notebook.rest()


def test_a_narrow_cell_stacks_and_fits(notebook):
    view = notebook.widget(5)
    picture = view.node.locator(".tam-picture").bounding_box()
    text = view.node.locator(".tam-text").bounding_box()
    assert text["y"] >= picture["y"] + picture["height"]
    assert picture["width"] >= 270
    assert view.fits(300)
    view.hover(TRIANGLE)
    view.expect("ready", WORD)


def test_a_long_answer_scrolls_beside_a_picture_that_stays(notebook):
    view = notebook.widget(6)
    last = view.node.locator(".tam-token").count() - 1
    assert last > 2000
    picture = view.node.locator(".tam-picture")
    before = picture.bounding_box()["y"]
    view.node.locator(".tam-text").evaluate("(text) => text.scrollTo(0, text.scrollHeight)")
    assert picture.bounding_box()["y"] == before
    view.hover(last)
    view.expect("ready", last)
    assert picture.bounding_box()["y"] == before


def test_a_restarted_kernel_is_explained(lab):
    with lab.open("restart", [SETUP, "w", EMBEDDED]) as notebook:
        asking, embedded = notebook.widget(1), notebook.widget(2)
        asking.hover(TRIANGLE)
        asking.expect("ready", WORD)
        notebook.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
        notebook.wait_for_kernel()
        asking.hover(LATER)
        asking.expect("error")
        expect(asking.note).to_have_text(RESTARTED)
        asking.hover(TRIANGLE)
        asking.expect("ready", WORD)  # what the browser has, it shows
        embedded.hover(LATER)
        embedded.expect("ready", LATER)
        notebook.run_all()
        notebook.widget(1).hover(LATER)
        notebook.widget(1).expect("ready", LATER)


def test_a_saved_notebook_hovers_without_its_kernel(lab):
    with lab.open("saved", [SETUP, "w", EMBEDDED]) as notebook:
        notebook.command("@jupyter-widgets/jupyterlab-manager:saveWidgetState")
        notebook.command("docmanager:save")
    with lab.reopen("saved") as notebook:
        asking, embedded = notebook.widget(1), notebook.widget(2)
        embedded.hover(TRIANGLE)
        embedded.expect("ready", WORD)
        assert embedded.overlay().max() > 0
        asking.hover(TRIANGLE)
        asking.expect("error")
        expect(asking.note).to_have_text("There is no kernel behind this page; run the notebook to explore further.")


def test_a_kernel_that_died_is_explained(lab):
    with lab.open("died", [SETUP, "w"]) as notebook:
        view = notebook.widget(1)
        notebook.execute("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
        notebook.page.locator(".jp-Dialog .jp-mod-accept").click()
        notebook.wait_for_kernel()
        view.hover(TRIANGLE)
        view.expect("error")
        expect(view.note).to_have_text(RESTARTED)


def test_a_kernel_that_forgot_the_widget_is_not_waited_for(lab):
    with lab.open("forgot", [SETUP, "w"]) as notebook:
        view = notebook.widget(1)
        notebook.run("get_ipython().kernel.comm_manager.comms.clear()")
        view.hover(TRIANGLE)
        view.expect("error")
        expect(view.note).to_have_text(RESTARTED)


def test_of_an_explanation_that_is_gone_the_output_shows_what_came_along(lab):
    show = "from tam_widget.widget import output_widget\nex = Fake()\nshown = output_widget(ex)\nshown"
    with lab.open("gone", [SETUP, show]) as notebook:
        view = notebook.widget(1)
        notebook.run("del ex")
        view.hover(TRIANGLE)
        view.expect("ready", WORD)
        notebook.run("shown.kernel_size = 5")
        view.hover(LATER)
        view.expect("error")
        expect(view.note).to_have_text(re.compile("deleted or overwritten; run its cell again"))


def test_a_slow_kernel_is_called_busy_and_answers_in_the_end(lab):
    with lab.open("busy", [SETUP, "TAMWidget(Fake(delay=10), embed=False)"]) as notebook:
        view = notebook.widget(1)
        view.hover(TRIANGLE)
        view.expect("busy")
        expect(view.note).to_have_text("Kernel busy, waiting…")
        view.expect("ready", WORD)
        assert view.overlay().max() > 0
