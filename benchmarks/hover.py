"""How long from a hovered token to the painted overlay, in a real JupyterLab on the demo model.

``python benchmarks/hover.py`` prints a Markdown table. Time runs from the pointer event to the moment when the pixels
of the overlay are set; the screen shows them with its next frame. "Uncached" asks the kernel, "cached" is the second
visit. The echo is what any widget pays in the same page: a message to the kernel, and one back with a buffer as large;
where it takes about 45 ms and not 10, Jupyter's server held the reply back for a TCP acknowledgement (Nagle), which the
widget knows to avoid.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/browser"))

from lab import Lab, start_browser, start_server

PACE = 150  # ms from one word to the next: a hand that sweeps along a line

SETUP = """
import anywidget
import tam_widget as tam

class Echo(anywidget.AnyWidget):
    _esm = '''
    export default {
      render({ model }) {
        let count = 0;
        window.echo = () => new Promise((resolve) => {
          const id = String(++count);
          const start = performance.now();
          const answer = (reply) => {
            if (reply.id !== id) return;
            model.off("msg:custom", answer);
            resolve(performance.now() - start);
          };
          model.on("msg:custom", answer);
          model.send({ id });
        });
      },
    };
    '''
    def __init__(self):
        super().__init__()
        self.on_msg(lambda _, content, __: self.send(content, [bytes(276)]))

model, processor = tam.load_demo()
Echo()
"""
SCENE = """
scene = tam.demo.scene({seed}, objects=3)
tam.explain(model, processor, scene.image, "Describe this image.").widget(embed=False, unit="token")
"""
WATCH = """
(widget) => {
  const canvas = widget.querySelector(".tam-heatmap");
  window.times = [];
  let start = 0;
  let token = "";
  widget.addEventListener("pointerover", (event) => {
    const button = event.target.closest(".tam-token");
    if (button) [start, token] = [event.timeStamp, button.dataset.index];
  }, { capture: true });
  new MutationObserver(() => {
    const { state, token: shown } = canvas.dataset;
    if (state !== "ready" || shown !== token) return;
    window.times.push(performance.now() - start);
    token = "";
  }).observe(canvas, { attributes: true });
}
"""


def measure(scenes: int) -> dict[str, list[float]]:
    """Hover every token of every scene twice, and ask for as many echoes."""
    times: dict[str, list[float]] = {"echo": [], "uncached": [], "cached": []}
    with tempfile.TemporaryDirectory() as home, start_server(Path(home)) as address, sync_playwright() as playwright:
        lab = Lab(address, Path(home) / "notebooks", start_browser(playwright))
        cells = [SETUP, *(SCENE.format(seed=seed) for seed in range(scenes))]
        with lab.open("hover", cells) as notebook:
            page = notebook.page
            page.wait_for_function("window.echo")
            for cell in range(1, scenes + 1):
                view = notebook.widget(cell)
                view.node.evaluate(WATCH)
                tokens = view.node.locator(".tam-token").count()
                places = [view.token(i).bounding_box() for i in range(tokens)]
                for kind in ("uncached", "cached"):
                    for i, box in enumerate(places):
                        page.wait_for_timeout(PACE)
                        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
                        page.wait_for_function("(count) => window.times.length === count", arg=i + 1)
                    times[kind] += page.evaluate("window.times.splice(0)")
                    view.leave()
                    view.expect("empty")
                for _ in range(tokens):
                    page.wait_for_timeout(PACE)
                    times["echo"].append(page.evaluate("window.echo()"))
    return times


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=10, help="answers to hover through (default 10)")
    times = measure(parser.parse_args().scenes)
    names = {
        "echo": "bare comm echo",
        "uncached": "hover → painted, from the kernel",
        "cached": "hover → painted, from the browser's cache",
    }
    print(f"{os.cpu_count()} CPU cores ({platform.machine()}), load {os.getloadavg()[0]:.1f}; headless Chromium\n")
    print("| | p50 | p95 | hovers |\n|---|---:|---:|---:|")
    for kind, name in names.items():
        p50, p95 = np.percentile(times[kind], [50, 95])
        print(f"| {name} | {p50:.1f} ms | {p95:.1f} ms | {len(times[kind])} |")


if __name__ == "__main__":
    main()
