"""The line around what is above the threshold."""

import numpy as np
import pytest
from playwright.sync_api import expect

from picture.demo_notebook import levels, pin
from tam_widget.figures.surface import places_in, smooth_surface
from tam_widget.maps.otsu import otsu_threshold


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
        places = [places_in(pixels, 0, pixels, cells) for pixels, cells in zip(line.shape, level.shape, strict=True)]
        values = smooth_surface(level.astype(np.float32), np.ones(level.shape, bool), *places)
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


def test_the_threshold_slider_takes_over_from_otsu(view):
    pin(view, "triangle")
    settings = view.unfold()
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
