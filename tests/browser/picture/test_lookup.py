"""The picture as an instrument: scale, contour, display, the method taken apart, values, places asked about, time."""

import io
import re

import numpy as np
import pytest
from fake_explanation import BLUE, Fake
from PIL import Image
from playwright.sync_api import expect

import tam_widget as tam
from tam_widget.evaluation.plausibility.metrics import otsu_threshold
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
WIDGET, FILM, NARROW, MADE_UP = 1, 2, 3, 4
USUAL = (
    "smooth=False, scale='token', display='blend', contour=False, threshold=None, causal_inference=True, "
    "kernel_size=3, part='map', region=None, pinned=[], opacity=0.7, unit='word'"
)


@pytest.fixture(scope="module")
def explained():
    model, processor = tam.load_demo()
    scene = tam.demo.scene(9, objects=3)
    return scene, tam.explain(model, processor, scene.image, "Describe this image.", max_new_tokens=64)


@pytest.fixture(scope="module")
def notebook(lab):
    with lab.open("instrument", [SETUP, "w", "film", "narrow", "made_up"]) as opened:
        yield opened


@pytest.fixture
def view(notebook):
    """The demo scene's widget, as it began."""
    view = notebook.widget(WIDGET)
    yield view
    view.leave()
    notebook.run(f"for one in (w, narrow):\n    for name, value in dict({USUAL}).items(): setattr(one, name, value)")
    more = view.node.locator(".tam-more")
    if more.get_attribute("aria-expanded") == "true":
        more.click()
    view.expect("empty", "")
    expect(view.node.locator(".tam-asked")).to_have_count(0)


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


def pixels(node):
    return np.asarray(Image.open(io.BytesIO(node.screenshot(animations="disabled"))).convert("RGB")).astype(float)


def unfold(view):
    more = view.node.locator(".tam-more")
    if more.get_attribute("aria-expanded") == "false":
        more.click()
    return view.node.locator(".tam-settings")


def choose(view, setting, value):
    unfold(view).locator(f"[data-setting={setting}]").select_option(value)


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


def test_settings_unfold_by_keyboard_and_move_nothing_above(view):
    before = view.node.locator(".tam-pictures").bounding_box()
    settings, more = view.node.locator(".tam-settings"), view.node.locator(".tam-more")
    expect(settings).to_be_hidden()
    more.focus()
    view.page.keyboard.press("Enter")
    expect(more).to_have_attribute("aria-expanded", "true")
    expect(settings).to_be_visible()
    view.page.keyboard.press("Tab")
    expect(settings.locator("[data-setting=scale]")).to_be_focused()
    expect(more).not_to_have_class(re.compile("tam-changed"))
    settings.locator("[data-setting=scale]").select_option("answer")
    expect(more).to_have_class(re.compile("tam-changed"))
    more.focus()
    view.page.keyboard.press("Space")
    expect(settings).to_be_hidden()
    assert view.node.locator(".tam-pictures").bounding_box() == before
    assert "RdBu_r" not in view.node.locator(".tam-colormap option").all_inner_texts()


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


@pytest.mark.parametrize("smooth", [True, False])
@pytest.mark.parametrize("threshold", [0.5, None])
def test_the_contour_lies_on_the_threshold(notebook, view, explained, smooth, threshold):
    _, explanation = explained
    tokens = pin(view, "triangle")
    plain = white(view)
    notebook.run(f"w.threshold = {threshold}; w.smooth = {smooth}; w.contour = True")
    expect(view.node.locator(".tam-contour")).to_be_checked()
    view.page.wait_for_function(
        "(canvas) => { const d = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;"
        " return d.some((_, i) => i % 4 === 0 && d[i] + d[i + 1] + d[i + 2] + d[i + 3] === 1020); }",
        arg=view.canvas.element_handle(),
    )
    line = white(view) & ~plain
    assert line.sum() > 100
    level, _ = levels(explanation, tokens)
    at = threshold * 254 if threshold else otsu_threshold(level.astype(np.uint8)) + 0.5
    high, wide = line.shape
    if smooth:
        values = np.asarray(Image.fromarray(level.astype(np.float32)).resize((wide, high), Image.Resampling.BILINEAR))
        inner = np.zeros_like(line)
        inner[3:-3, 3:-3] = True
        steep = np.maximum(*(np.abs(one) for one in np.gradient(values)))
        ys, xs = np.nonzero(line & inner)
        assert (np.abs(values[ys, xs] - at) <= 2.5 * steep[ys, xs] + 2).mean() > 0.98
    else:
        above = level > at
        edges = np.zeros_like(line)
        rows, columns = level.shape
        for row in range(rows):
            for column in range(columns):
                for axis, (down, across) in enumerate(((1, 0), (0, 1))):
                    y, x = row + down, column + across
                    if y < rows and x < columns and above[row, column] != above[y, x]:
                        edge = round((y if axis == 0 else x) * (high / rows if axis == 0 else wide / columns))
                        start, end = (
                            round(one * (wide / columns if axis == 0 else high / rows))
                            for one in ((column, column + 1) if axis == 0 else (row, row + 1))
                        )
                        here = (slice(edge - 2, edge + 2), slice(start - 2, end + 2))
                        edges[here if axis == 0 else here[::-1]] = True
        assert (edges & line).sum() / line.sum() > 0.98
    tick = view.node.locator(".tam-tick").evaluate("(tick) => parseFloat(tick.style.left)")
    assert tick == pytest.approx(at / 254 * 100, abs=0.5)
    expect(view.node.locator(".tam-threshold")).to_have_value(str(round(at / 254 * 100)))


def white(view):
    """Where the canvas is white and opaque: the line's middle."""
    width, height, data = view.canvas.evaluate(
        """(canvas) => {
            const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            const found = [];
            for (let i = 0; i < data.length; i += 4)
                if (data[i] > 250 && data[i + 1] > 250 && data[i + 2] > 250 && data[i + 3] > 250) found.push(i / 4);
            return [canvas.width, canvas.height, found];
        }"""
    )
    found = np.zeros(width * height, bool)
    found[data] = True
    return found.reshape(height, width)


def test_the_threshold_slider_takes_over_from_otsu(view):
    pin(view, "triangle")
    settings = unfold(view)
    expect(settings.locator(".tam-threshold")).to_be_disabled()
    settings.locator(".tam-contour").check()
    expect(settings.locator(".tam-otsu")).to_be_checked()
    before = view.overlay()
    settings.locator(".tam-threshold").focus()
    view.page.keyboard.press("End")
    expect(settings.locator(".tam-otsu")).not_to_be_checked()
    assert not np.array_equal(view.overlay(), before)
    settings.locator(".tam-otsu").check()
    assert np.array_equal(view.overlay(), before)


@pytest.mark.usefixtures("theme")
def test_side_by_side(view):
    pin(view, "triangle")
    plain = view.node.locator(".tam-picture")
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


METHODS = [{"kernel_size": 1}, {"kernel_size": 5}, {"part": "raw"}]


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_the_method_taken_apart_is_what_python_says(view, explained, method):
    _, explanation = explained
    check_method(view, explanation, pin(view, "circle"), method)


@pytest.mark.parametrize("method", [{"causal_inference": False}, {"part": "interference"}], ids=str)
def test_interference_is_what_python_says(notebook, method):
    # The demo model's words do not interfere.
    view = notebook.widget(MADE_UP)
    view.token(BLUE).click()
    view.expect("ready", BLUE)
    check_method(view, Fake(), [BLUE], method)
    notebook.run("made_up.causal_inference = True; made_up.part = 'map'; made_up.pinned = []")
    view.node.locator(".tam-more").click()
    view.leave()
    view.expect("empty", "")


def check_method(view, explanation, tokens, method):
    """Change a setting by hand; the picture and the scale are then those of Python's map."""
    (name, value), *_ = method.items()
    before = view.cells(*explanation.grids[0])
    level, peak = levels(explanation, tokens, **method)
    if name == "causal_inference":
        unfold(view).locator(".tam-causal").uncheck()
    else:
        choose(view, name, str(value))
    expect(view.node.locator(".tam-peak")).to_have_text(f"{peak:.2f}" + (" logits" if name == "part" else ""))
    view.expect("ready", " ".join(map(str, tokens)))
    after = view.cells(*explanation.grids[0])
    assert np.abs(after - level / 254 * 0.7).max() < 0.01
    if value != "interference":  # made up, it has the shape of the map
        assert np.abs(after - before).max() > 0.05


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


def test_a_scrubber_leads_through_a_video(notebook):
    view = notebook.widget(FILM)
    scrubber, strip = view.node.locator(".tam-scrubber"), view.node.locator(".tam-strip")
    view.token(BLUE).click()
    view.expect("ready")
    bars = scrubber.locator(".tam-moment")
    expect(bars).to_have_count(12)
    fake = Fake(frames=12, sizes=[(640, 360)], grid=(9, 16))
    peaks = merge([fake.heatmap(token) for token in shown(view)], "mean").max((1, 2))
    heights = bars.evaluate_all("(bars) => bars.map((bar) => Number(bar.style.getPropertyValue('--tam-share')))")
    assert heights == pytest.approx((peaks / peaks.max()).tolist(), abs=0.01)
    peak = int(peaks.argmax())
    expect(bars.nth(peak)).to_have_class(re.compile("tam-peaking"))
    assert strip.evaluate("(strip) => strip.scrollLeft") == 0, "nobody asked it to scroll"
    scrubber.focus()
    notebook.page.keyboard.press("Enter")
    in_view = """([strip, frame]) => {
        const [outer, inner] = [strip, strip.children[frame]].map((one) => one.getBoundingClientRect());
        return inner.left >= outer.left - 1 && inner.right <= outer.right + 1;
    }"""
    notebook.page.wait_for_function(in_view, arg=[strip.element_handle(), peak])
    expect(scrubber).to_have_attribute("aria-valuenow", str(peak + 1))
    box = scrubber.bounding_box()
    notebook.page.mouse.move(box["x"] + 2, box["y"] + 8)
    notebook.page.mouse.down()
    notebook.page.wait_for_function(in_view, arg=[strip.element_handle(), 0])
    notebook.page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 8)
    notebook.page.mouse.up()
    notebook.page.wait_for_function(in_view, arg=[strip.element_handle(), 11])
    expect(scrubber).to_have_attribute("aria-valuetext", re.compile(r"^5\.5 s, peak 0\.\d\d$|^5\.5 s, peak 0"))
    # The keyboard goes from frame to frame where the cells of one end.
    strip.locator(".tam-picture").nth(11).focus()
    for _ in range(10):
        notebook.page.keyboard.press("ArrowLeft")
    expect(strip.locator(".tam-picture").nth(10)).to_be_focused()
    strip.locator(".tam-picture").nth(10).blur()
    view.leave()
    view.token(BLUE).click()


@pytest.mark.parametrize("display", ["blend", "side"])
def test_everything_fits_into_a_narrow_cell(notebook, view, display):
    narrow = notebook.widget(NARROW)
    unfold(narrow)
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


def test_nothing_is_lost_at_twice_the_size(lab):
    with lab.open("zoomed", [SETUP, "w"], size=(640, 500), device_scale_factor=2) as notebook:
        view = notebook.widget(WIDGET)
        unfold(view)
        assert view.node.evaluate("(widget) => widget.scrollWidth <= widget.clientWidth")
        pin(view, "triangle")
        view.node.locator(".tam-contour").check()
        assert view.overlay().shape[0] == 2 * round(view.node.locator(".tam-pane").bounding_box()["height"])
