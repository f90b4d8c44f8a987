"""The notebook that all tests of the picture share."""

import pytest
from playwright.sync_api import expect

import tam_widget as tam
from picture.demo_notebook import CELLS, WIDGET

USUAL = (
    "smooth=False, scale='token', display='blend', contour=False, threshold=None, causal_inference=True, "
    "kernel_size=3, part='map', region=None, pinned=[], opacity=0.7, unit='word'"
)


@pytest.fixture(scope="package")
def explained():
    model, processor = tam.load_demo()
    scene = tam.demo.scene(9, objects=3)
    return scene, tam.explain(model, processor, scene.image, "Describe this image.", max_new_tokens=64)


@pytest.fixture(scope="package")
def notebook(lab):
    with lab.open("instrument", CELLS) as opened:
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
