"""Videos, parts of pictures and conversations in the widget, in JupyterLab."""

import io
import re
from itertools import pairwise

import numpy as np
import pytest
from colours import colour, contrast, luminance
from fake_explanation import BLUE, Fake
from PIL import Image
from playwright.sync_api import expect

from tam_widget.figures.blend import overlay

SETUP = """
from fake_explanation import Fake
from tam_widget.widget import TAMWidget
VIDEO = dict(frames=6, sizes=[(640, 360)], grid=(9, 16))
TURNS = [
    (["Look at this photo", "What is it?"], "A red circle."),
    ("Is there a second shape?", "Yes, a large blue triangle."),
    ("Which is larger?", "The triangle is."),
]
"""
PART = {"shapes": False, "grid": (12, 10), "box": (42, -28, 378, 476), "spot": (3, 4)}
VIDEO, NARROW, PIXELS, SMOOTH, TURNS, LATER = range(1, 7)


@pytest.fixture(scope="module")
def notebook(lab):
    cells = [
        SETUP,
        "TAMWidget(Fake(**VIDEO), embed=False)",
        "narrow = TAMWidget(Fake(**VIDEO))\nnarrow.layout.width = '300px'\nnarrow",
        f"TAMWidget(Fake(**{PART}), smooth=False)",
        f"TAMWidget(Fake(**{PART}))",
        "TAMWidget(Fake(turns=TURNS))",
        "TAMWidget(Fake(pictures=2, turns=TURNS, later=True))",
    ]
    with lab.open("media", cells) as opened:
        yield opened


def box(node):
    return node.bounding_box()


def test_a_hover_paints_every_frame_of_a_video(notebook):
    view = notebook.widget(VIDEO)
    canvases = view.node.locator(".tam-heatmap").all()
    assert [one.get_attribute("data-frame") for one in canvases] == ["0", "1", "2", "3", "4", "5"]
    assert {one.get_attribute("data-image") for one in canvases} == {"0"}
    view.hover(BLUE)
    for canvas in canvases:
        expect(canvas).to_have_attribute("data-token", str(BLUE))
        expect(canvas).to_have_attribute("data-state", "ready")
    # The fake map peaks in frame 14 mod 6 and fades by 0.4 with each; the peak covers 0.7 of the picture.
    peaks = [view.overlay(canvas).max() / 255 / 0.7 for canvas in canvases]
    assert peaks == pytest.approx([0.2, 0.6, 1, 0.6, 0.2, 0], abs=0.02)
    expect(view.node.locator(".tam-where")).to_have_text(re.compile(r"^At 1\.0 s, [a-z ]+ · \d+ % inside the contour"))
    # The strip leads to the frame where it peaks, and stays there; who scrolls back is not led again.
    strip, third = view.node.locator(".tam-strip"), view.node.locator(".tam-frame").nth(2)
    assert box(third)["x"] + box(third)["width"] <= box(strip)["x"] + box(strip)["width"] + 1
    view.leave()
    view.expect("empty", "")
    assert strip.evaluate("(strip) => strip.scrollLeft") > 0
    strip.hover()
    notebook.page.mouse.wheel(-2000, 0)
    notebook.page.wait_for_function("(strip) => strip.scrollLeft === 0", arg=strip.element_handle())
    view.hover(BLUE)
    view.expect("ready", BLUE)
    assert strip.evaluate("(strip) => strip.scrollLeft") == 0
    view.leave()
    view.expect("empty", "")


def test_a_video_is_a_strip_that_scrolls_by_keyboard(notebook):
    view = notebook.widget(VIDEO)
    times = view.node.locator(".tam-time")
    expect(times).to_have_text(["0.0 s", "0.5 s", "1.0 s", "1.5 s", "2.0 s", "2.5 s"])
    strip, frames = view.node.locator(".tam-strip"), view.node.locator(".tam-frame").all()
    right = box(strip)["x"] + box(strip)["width"]
    assert [box(frame)["x"] + box(frame)["width"] <= right for frame in frames[:3]] == [True, True, False]
    assert box(frames[2])["x"] < right - 24, "the third looks in: there is more"
    below = box(view.node.locator(".tam-legend"))
    strip.focus()
    notebook.wait_for_cell(VIDEO)
    notebook.page.keyboard.press("ArrowRight")
    second = "(strip) => Math.abs(strip.children[1].getBoundingClientRect().x - strip.getBoundingClientRect().x) < 1"
    notebook.page.wait_for_function(second, arg=strip.element_handle())
    notebook.page.keyboard.press("End")
    notebook.page.wait_for_function(
        "(strip) => strip.scrollLeft + strip.clientWidth >= strip.scrollWidth - 1", arg=strip.element_handle()
    )
    notebook.page.keyboard.press("Home")
    notebook.page.wait_for_function("(strip) => strip.scrollLeft === 0", arg=strip.element_handle())
    expect(strip).to_be_focused()
    assert notebook.active_cell == VIDEO
    assert box(view.node.locator(".tam-legend")) == below
    strip.blur()


def test_a_video_fits_into_a_narrow_cell(notebook):
    view = notebook.widget(NARROW)
    strip = box(view.node.locator(".tam-strip"))
    assert strip["width"] <= 300
    assert view.fits(300)
    second = box(view.node.locator(".tam-frame").nth(1))
    assert second["x"] + second["width"] <= strip["x"] + strip["width"]
    assert second["width"] >= 96
    view.hover(BLUE)
    view.expect("ready", BLUE)


@pytest.mark.usefixtures("theme")
def test_times_are_readable(notebook):
    view = notebook.widget(VIDEO)
    ground = luminance(colour(view.node, "background-color"))
    ink = luminance(colour(view.node.locator(".tam-time").first, "color"))
    assert contrast(ink, ground) >= 4.5


@pytest.mark.usefixtures("theme")
@pytest.mark.parametrize("smooth", [False, True])
def test_every_cell_lies_on_its_pixels_as_in_python(notebook, smooth):
    view = notebook.widget(SMOOTH if smooth else PIXELS)
    fake = Fake(**PART)
    view.hover(BLUE)
    view.expect("ready", BLUE)
    shown = view.node.locator(".tam-picture").screenshot(animations="disabled")
    pixels = np.asarray(Image.open(io.BytesIO(shown)).convert("RGB")).astype(float)
    high, wide = pixels.shape[:2]
    scale = wide / fake.images[0].width
    area = tuple(scale * side for side in fake.boxes[0])
    picture = fake.images[0].resize((wide, high), Image.Resampling.LANCZOS)
    expected = np.asarray(overlay(picture, fake.heatmap(BLUE), area, smooth=smooth)).astype(float)
    rows, columns = fake.grids[0]
    left, top, right, bottom = area
    centres = [
        (top + (row + 0.5) * (bottom - top) / rows, left + (column + 0.5) * (right - left) / columns)
        for row in range(rows)
        for column in range(-1, columns + 1)  # and on both sides what no cell covers
    ]
    inside = [(int(y), int(x)) for y, x in centres if 4 < y < high - 4 and 4 < x < wide - 4]
    assert len(inside) > 100
    for y, x in inside:
        here = (slice(y - 3, y + 4), slice(x - 3, x + 4))
        assert np.abs(pixels[here].mean((0, 1)) - expected[here].mean((0, 1))).max() < 6, (y, x)
    row, column = PART["spot"]
    y, x = (int(one) for one in centres[row * (columns + 2) + column + 1])
    assert np.abs(pixels[y, x] - np.asarray(picture)[y, x]).max() > 60, "the spot shows"


def test_a_conversation_reads_turn_by_turn(notebook):
    view = notebook.widget(TURNS)
    blocks = view.node.locator(".tam-turn")
    expect(blocks).to_have_text(
        [
            "Look at this photo\nWhat is it?",
            "A red circle.",
            "Is there a second shape?",
            "Yes, a large blue triangle.",
            "Which is larger?",
            "The triangle is.",
        ]
    )
    lines = [box(block) for block in blocks.all()]
    gaps = [after["y"] - before["y"] - before["height"] for before, after in pairwise(lines)]
    within, between = gaps[::2], gaps[1::2]
    assert max(within) < min(between)
    words = {text: box(view.node.locator(".tam-token", has_text=text).first) for text in ("photo", "What")}
    assert words["What"]["y"] > words["photo"]["y"]
    assert words["What"]["x"] == pytest.approx(lines[0]["x"], abs=3)
    last = view.node.locator(".tam-token").count() - 1
    view.hover(last)
    view.expect("ready", last)
    expect(view.node.locator(".tam-place")).to_have_text(f"answer token {last}, turn 3")


def test_a_picture_that_comes_later_is_veiled(notebook):
    view = notebook.widget(LATER)
    view.hover(0)
    view.expect("ready", 0)
    first, second = view.node.locator(".tam-heatmap").all()
    assert view.overlay(first).max() > 170
    assert np.unique(view.overlay(second)).tolist() == [89]  # half of 0.7
    last = view.node.locator(".tam-token").count() - 2
    view.hover(last)
    view.expect("ready", last)
    assert len(np.unique(view.overlay(second))) > 10
