"""Take the README's pictures of the widget, in a real JupyterLab on the demo model: ``make screenshots``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "browser"))

from lab import Lab, start_browser, start_server

CELL = """
import tam_widget as tam

model, processor = tam.load_demo()
tam.explain(model, processor, tam.demo.scene(9, objects=3).image, "Describe this image.")
"""


def main() -> None:
    """Write ``hover-light.png`` and ``hover-dark.png`` beside this file."""
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright, start_server(Path(home)) as address:
        browser = start_browser(playwright)
        lab = Lab(address, Path(home) / "notebooks", browser)
        with lab.open("hover", [CELL], size=(1100, 900), device_scale_factor=2) as notebook:
            for theme in ("light", "dark"):
                notebook.theme(theme)
                view = notebook.widget(0)
                token = view.tokens_of("circle")[0][0]
                view.hover(token)
                view.expect("ready", token)
                view.node.screenshot(path=HERE / f"hover-{theme}.png", animations="disabled")
                view.leave()
        browser.close()


if __name__ == "__main__":
    main()
