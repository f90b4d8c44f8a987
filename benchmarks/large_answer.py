"""Does the widget stay quick with a long answer? First paint and hovers in a real JupyterLab.

``python benchmarks/large_answer.py`` shows 2,000 and more answer tokens over a picture of 64 × 64 cells (made
maps; every earlier word is related to every later one, more to tint than a model gives) and prints a Markdown table.
First paint counts from the last large message of the kernel to the first frame with all tokens in it. A hover counts
from the pointer event: until the script is done, and until the next frame is painted. "Cached" is the second visit of
a word.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/browser"))

from lab import Lab, start_browser, start_server

CELL = """
from fake_explanation import LONG, Fake
from tam_widget import TAMWidget
TAMWidget(Fake(LONG * 30, grid=(64, 64)), embed=False)
"""

# The time of the last large message, and of the first frame after the widget stands in the page.
WATCH = """
window.arrived = 0;
window.painted = 0;
const Plain = window.WebSocket;
window.WebSocket = class extends Plain {
  constructor(...given) {
    super(...given);
    this.addEventListener("message", ({ data }) => {
      if (!window.painted && (data.byteLength ?? data.length) > 50_000) window.arrived = performance.now();
    });
  }
};
new MutationObserver((_, observer) => {
  if (!document.querySelector(".tam-token")) return;
  observer.disconnect();
  requestAnimationFrame(() => setTimeout(() => { window.painted = performance.now(); }));
}).observe(document, { childList: true, subtree: true });
"""

# Look at words one after the other, and wait for each one's map and frame.
SWEEP = """
async (widget) => {
  const box = widget.querySelector(".tam-text").getBoundingClientRect();
  const canvas = widget.querySelector(".tam-heatmap");
  const seen = [...widget.querySelectorAll(".tam-token")].filter((token) => {
    const { top, bottom } = token.getBoundingClientRect();
    return top >= box.top && bottom <= box.bottom;
  }).slice(-60);
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const rounds = [];
  for (let round = 0; round < 2; round++) {
    const script = [];
    const painted = [];
    for (const token of seen) {
      const start = performance.now();
      token.dispatchEvent(new PointerEvent("pointerover", { bubbles: true, pointerType: "mouse" }));
      script.push(performance.now() - start);
      while (canvas.dataset.state !== "ready" || !canvas.dataset.token.split(" ").includes(token.dataset.index)) {
        await frame();
      }
      await frame();
      painted.push(performance.now() - start);
    }
    rounds.push([script, painted]);
  }
  return rounds;
}
"""

SCROLL = """
async (widget) => {
  const text = widget.querySelector(".tam-text");
  const frames = [];
  let last = performance.now();
  while (text.scrollTop + text.clientHeight < text.scrollHeight - 1) {
    text.scrollTop += 60;
    await new Promise((done) => requestAnimationFrame(done));
    frames.push(performance.now() - last);
    last = performance.now();
  }
  return frames;
}
"""


class _Watched:
    """A browser whose pages are watched from their first moment."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser

    def new_page(self, **options: Any) -> Any:
        page = self._browser.new_page(**options)
        page.add_init_script(WATCH)
        return page


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as home, start_server(Path(home)) as address, sync_playwright() as playwright:
        browser = start_browser(playwright)
        lab = Lab(address, Path(home) / "notebooks", _Watched(browser))
        with lab.open("large", [CELL]) as notebook:
            view = notebook.widget(0)
            notebook.page.wait_for_function("window.painted")
            first = notebook.page.evaluate("window.painted - window.arrived")
            tokens = view.node.locator(".tam-token").count()
            view.node.evaluate("(widget) => { widget.querySelector('.tam-text').scrollTop = 1e6; }")
            uncached, cached = view.node.evaluate(SWEEP)
            view.node.evaluate("(widget) => { widget.querySelector('.tam-text').scrollTop = 0; }")
            frames = view.node.evaluate(SCROLL)
        browser.close()
    print(f"{os.cpu_count()} CPU cores ({platform.machine()}), load {os.getloadavg()[0]:.1f}; headless Chromium")
    print(f"{tokens} tokens, 64 × 64 cells\n")
    print("| what | median, ms | 95 % within, ms |\n|---|---|---|")
    print(f"| first paint after the state has arrived | {first:.0f} | |")
    for name, (script, painted) in (("from the kernel", uncached), ("cached", cached)):
        for what, taken in (("script", script), ("next frame painted", painted)):
            print(f"| hover {name}: {what} | {np.median(taken):.1f} | {np.percentile(taken, 95):.1f} |")
    print(f"| a frame while scrolling | {np.median(frames):.1f} | {np.percentile(frames, 95):.1f} |")


if __name__ == "__main__":
    main()
