"""The bar below a video: where the map peaks, and the way there."""

import re

import pytest
from fake_explanation import BLUE, Fake
from playwright.sync_api import expect

from picture.demo_notebook import FILM, shown
from tam_widget.explanation.region import merge


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
    in_view = """([strip, frame]) => {
        const [outer, inner] = [strip, strip.children[frame]].map((one) => one.getBoundingClientRect());
        return inner.left >= outer.left - 1 && inner.right <= outer.right + 1;
    }"""
    notebook.page.wait_for_function(in_view, arg=[strip.element_handle(), peak])  # the strip leads there
    scrubber.focus()
    notebook.page.keyboard.press("Home")
    notebook.page.wait_for_function(in_view, arg=[strip.element_handle(), 0])
    notebook.page.keyboard.press("Enter")
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
