"""A real JupyterLab on this machine, notebooks in it that a test can run, and the widgets that they show."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import chromium
import nbformat
import numpy as np
from playwright.sync_api import Error, expect

HERE = Path(__file__).parent
PATIENCE = 300_000  # ms; for whatever is waited for: a cold page, a kernel that imports torch, on a busy machine
SESSION = "window.jupyterapp?.shell.currentWidget?.sessionContext"
ACTIVE_CELL = "window.jupyterapp.shell.currentWidget.content.activeCellIndex"
# What an expression is in the kernel, as JSON.
ASK = f"""async (code) => {{
    const user_expressions = {{it: `json.dumps(${{code}})`}};
    const {{content}} = await {SESSION}.session.kernel.requestExecute({{code: '', user_expressions}}).done;
    return content.user_expressions.it.data?.['text/plain'].slice(1, -1);
}}"""
# A number for what a canvas shows.
PIXELS = """(canvas) => {
    const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let sum = 0;
    for (let i = 0; i < data.length; i++) sum = (sum * 31 + data[i]) % 1000003;
    return sum;
}"""
TROUBLE = ", ".join(f".jp-OutputArea [data-mime-type='application/vnd.jupyter.{kind}']" for kind in ("error", "stderr"))

expect.set_options(timeout=PATIENCE)


def start_browser(playwright):
    """Start Chromium, or say how to get one."""
    try:
        return playwright.chromium.launch(executable_path=chromium.on_path(), args=chromium.ARGUMENTS)
    except Error as error:
        advice = f"`python {Path(chromium.__file__).name}` gets one"
        raise RuntimeError(f"no Chromium for the browser tests starts; {advice}\n{error}") from error


@contextmanager
def start_server(home):
    """Start a server with an empty home, yield its address, stop it and its kernels."""
    folders = {
        "HOME": home,
        "IPYTHONDIR": home / "ipython",
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": home / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
        "MPLCONFIGDIR": home / "matplotlib",
        "NOTEBOOKS": home / "notebooks",
    }
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    news = home / "settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    news.parent.mkdir(parents=True)
    news.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}))
    # What no test needs: a search for language servers takes longer than all the rest.
    config = {"ServerApp": {"jpserver_extensions": {"jupyter_lsp": False, "jupyter_server_terminals": False}}}
    (folders["JUPYTER_CONFIG_DIR"] / "jupyter_server_config.json").write_text(json.dumps(config))
    python_path = os.pathsep.join([str(HERE.parents[1]), str(HERE), os.environ.get("PYTHONPATH", "")])
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": "0",
        "ServerApp.root_dir": folders["NOTEBOOKS"],
        "ServerApp.allow_root": "True",
        "ServerApp.open_browser": "False",
        "IdentityProvider.token": "",
        "LabApp.expose_app_in_browser": "True",
        "LabApp.extension_manager": "readonly",
    }
    with (home / "server.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in options.items())],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **{name: str(folder) for name, folder in folders.items()}, "PYTHONPATH": python_path},
        )
        try:
            yield wait_for_server(server, folders["JUPYTER_RUNTIME_DIR"], home / "server.log")
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()


def wait_for_server(server, runtime, log):
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"JupyterLab stopped while starting:\n{log.read_text()[-3000:]}")
        for file in runtime.glob("jpserver-*.json"):
            try:
                port = json.loads(file.read_text())["port"]
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status", timeout=5).close()
            except (OSError, ValueError):
                continue
            return f"http://127.0.0.1:{port}"
        time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start within {PATIENCE / 1000:.0f} s:\n{log.read_text()[-3000:]}")


class Lab:
    """A running JupyterLab and a browser."""

    def __init__(self, address, folder, browser):
        self.address, self.folder, self.browser = address, folder, browser

    @contextmanager
    def open(self, name, cells, **window):
        """Write a notebook, open it in a window of its own and run its cells; the kernel ends with it."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.folder / f"{name}.ipynb")
        with self.reopen(name, **window) as opened:
            opened.run_all()
            yield opened

    @contextmanager
    def reopen(self, name, size=(1280, 1000), **window):
        """Open a notebook as it was saved."""
        page = self.browser.new_page(viewport={"width": size[0], "height": size[1]}, **window)
        try:
            page.set_default_timeout(PATIENCE)
            page.goto(f"{self.address}/lab/tree/{name}.ipynb?reset")
            yield Notebook(page)
            page.evaluate(f"{SESSION}.shutdown()")
        finally:
            page.close()


class Notebook:
    """An open notebook."""

    def __init__(self, page):
        self.page = page
        page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        self.wait_for_kernel()
        page.evaluate("window.jupyterapp.shell.collapseLeft()")

    def command(self, name, **arguments):
        run = "([name, args]) => window.jupyterapp.commands.execute(name, args)"
        return self.page.evaluate(run, [name, arguments])

    def theme(self, name):
        light = "true" if name == "light" else "false"
        body = f"body[data-jp-theme-light='{light}']"
        if self.page.locator(body).count() == 0:
            full = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}[name]
            self.command("apputils:change-theme", theme=full)
            self.page.wait_for_selector(body, state="attached")
            self.page.wait_for_selector("#jupyterlab-splash", state="detached")  # it covers the page meanwhile

    def wait_for_kernel(self, status="idle"):
        self.page.wait_for_function(f"{SESSION}?.session?.kernel?.status === '{status}'")

    def run_all(self):
        """Run all cells to their end; an error in one fails the test."""
        self.page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
        self.page.wait_for_function(
            f"""() => {{
                const cells = window.jupyterapp.shell.currentWidget.content.model.cells;
                const ran = [...Array(cells.length).keys()].every((i) => cells.get(i).executionCount > 0);
                return ran && {SESSION}.session.kernel.status === 'idle';
            }}"""
        )
        trouble = self.page.locator(TROUBLE)
        if trouble.count():
            raise AssertionError(trouble.first.inner_text())

    def execute(self, code):
        """Send code to the kernel, as a cell would, and do not wait for its end; `running` tells of it."""
        self.page.evaluate(
            f"""(code) => {{
                window.running = true;
                const done = {SESSION}.session.kernel.requestExecute({{code}}).done;
                done.finally(() => (window.running = false));
            }}""",
            code,
        )

    def run(self, code):
        """Run code in the kernel, as a cell would, to its end."""
        self.execute(code)
        self.page.wait_for_function("!window.running")

    def ask(self, expression):
        """What an expression is in the kernel, which has `json`."""
        return json.loads(self.page.evaluate(ASK, expression))

    def until(self, expression, value):
        """Wait until an expression has a value in the kernel, which has `json`; the value is as JSON has it."""
        self.page.wait_for_function(f"async ([code, value]) => await ({ASK})(code) === value", arg=[expression, value])

    @property
    def active_cell(self):
        return self.page.evaluate(ACTIVE_CELL)

    def wait_for_cell(self, number):
        """Wait until a cell is the active one."""
        self.page.wait_for_function(f"{ACTIVE_CELL} === {number}")

    def rest(self):
        """Take the pointer away from the widgets, and make the theme light."""
        self.page.mouse.move(2, 2)
        self.theme("light")

    @property
    def running(self):
        # The kernel's own status would not do: a subshell that has answered reports "idle" while the cell still runs.
        return self.page.evaluate("window.running")

    def widget(self, cell, view=0):
        """The widget below a cell."""
        node = self.page.locator(".jp-CodeCell").nth(cell).locator(".tam-widget").nth(view)
        node.scroll_into_view_if_needed()
        expect(node).to_be_visible()
        return View(self.page, node)


class View:
    """One view of a widget: what a person can do to it and see of it."""

    def __init__(self, page, node):
        self.page, self.node = page, node
        self.canvas = node.locator(".tam-heatmap").first
        self.note = node.locator(".tam-note")

    def token(self, index):
        return self.node.locator(f".tam-token[data-index='{index}']")

    def tokens_of(self, word):
        """Indices of the tokens of every occurrence of a word in the answer, occurrence by occurrence."""
        return self.node.locator(".tam-answer").evaluate(
            """(answer, word) => [...answer.querySelectorAll('.tam-word')]
                .filter((one) => one.textContent.trim().toLowerCase() === word)
                .map((one) => [...one.querySelectorAll('.tam-token')].map((token) => Number(token.dataset.index)))""",
            word,
        )

    def button(self, text):
        return self.node.get_by_role("button", name=text, exact=True)

    def unfold(self):
        """Show the settings that fold away, where they are not shown."""
        more = self.node.locator(".tam-more")
        if more.get_attribute("aria-expanded") == "false":
            more.click()
        return self.node.locator(".tam-settings")

    def fold(self):
        """Hide them again."""
        more = self.node.locator(".tam-more")
        if more.get_attribute("aria-expanded") == "true":
            more.click()

    def hover(self, index):
        self.token(index).hover()

    def leave(self):
        self.page.mouse.move(2, 2)

    def expect(self, state, token=None):
        """Wait until the overlay is in a state, and shows a token."""
        expect(self.canvas).to_have_attribute("data-state", state)
        if token is not None:
            expect(self.canvas).to_have_attribute("data-token", str(token))

    def overlay(self, canvas=None):
        """The alpha of every pixel of the overlay, or of another canvas, 0 … 255, as (height, width)."""
        width, height, data = (canvas or self.canvas).evaluate(
            """(canvas) => {
                const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
                let text = '';
                for (let i = 3; i < data.length; i += 4) text += String.fromCharCode(data[i]);
                return [canvas.width, canvas.height, btoa(text)];
            }"""
        )
        return np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width).astype(float)

    def cells(self, rows=16, columns=16):
        """The alpha of the overlay in the middle of each cell, 0 … 1."""
        overlay = self.overlay()
        middles = [
            ((np.arange(count) + 0.5) * size / count).astype(int)
            for count, size in zip((rows, columns), overlay.shape, strict=True)
        ]
        return overlay[np.ix_(*middles)] / 255

    def colour_at(self, x, y):
        """The overlay's colour and alpha at a share of its width and height, as bytes."""
        return self.canvas.evaluate(
            """(canvas, [x, y]) => {
                const context = canvas.getContext('2d');
                return [...context.getImageData(canvas.width * x, canvas.height * y, 1, 1).data];
            }""",
            [x, y],
        )

    def pixels(self):
        """A number for what the overlay shows."""
        return self.canvas.evaluate(PIXELS)

    def expect_other_pixels(self, before):
        """Wait until the overlay is not what it was."""
        self.page.wait_for_function(
            f"([canvas, before]) => ({PIXELS})(canvas) !== before", arg=[self.canvas.element_handle(), before]
        )

    def fits(self, width):
        """Tell whether the widget is at most so wide, with nothing beyond its edge."""
        fits = "(widget, width) => widget.scrollWidth <= widget.clientWidth && widget.clientWidth <= width"
        return self.node.evaluate(fits, width)

    def expect_no_pixels(self):
        """Wait until the overlay is gone to the last pixel."""
        self.page.wait_for_function(
            """(canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
                .every((value) => value === 0)""",
            arg=self.canvas.element_handle(),
        )
