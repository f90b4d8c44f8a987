"""axe-core on the widget in JupyterLab: nothing serious, in light and dark."""

from pathlib import Path

import pytest
from fake_explanation import TRIANGLE
from playwright.sync_api import expect

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
SETUP = """
from fake_explanation import Fake
from tam_widget.widget import TAMWidget
picture = TAMWidget(Fake(), title='What the model saw')
film = TAMWidget(Fake(frames=6, sizes=[(640, 360)], grid=(9, 16)))
"""


@pytest.fixture(scope="module")
def notebook(lab):
    with lab.open("accessibility", [SETUP, "picture", "film"]) as opened:
        opened.page.evaluate(AXE.read_text())
        yield opened


def violations(notebook, view):
    """What a check of the widget alone finds that is serious or critical, as lines to read."""
    found = notebook.page.evaluate(
        "(widget) => axe.run(widget, {resultTypes: ['violations']}).then((result) => result.violations)",
        view.node.element_handle(),
    )
    return [
        f"{one['id']} ({one['impact']}): {one['help']}\n  " + "\n  ".join(node["html"][:160] for node in one["nodes"])
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]


@pytest.mark.usefixtures("theme")
@pytest.mark.parametrize("number", [1, 2], ids=["picture", "film"])
def test_axe_finds_nothing_serious(notebook, number):
    view = notebook.widget(number)
    assert violations(notebook, view) == []
    view.token(TRIANGLE).click()
    view.leave()
    view.expect("ready")
    more = view.node.locator(".tam-more")
    more.click()
    expect(view.node.locator(".tam-settings")).to_be_visible()
    assert violations(notebook, view) == []
    view.node.locator(".tam-picture").first.click()
    expect(view.node.locator(".tam-ranked").first).to_be_visible()
    view.leave()
    assert violations(notebook, view) == []
    view.node.locator(".tam-close").click()
    more.click()
    view.token(TRIANGLE).click()
    view.leave()
    view.expect("empty")
