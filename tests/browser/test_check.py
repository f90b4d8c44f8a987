"""Check in JupyterLab, with a model that lives and with one that is gone."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from test_accessibility import AXE, violations

SETUP = """
import gc, json, time
import tam_widget as tam
model, processor = tam.load_demo()
ex = tam.explain(model, processor, tam.demo.scene(7).image, "Describe this image.")
w = tam.TAMWidget(ex)
square = ex.find("square")[0]

passes = []

def slowly(*_):
    passes.append(1)
    time.sleep(0.3)  # longer than the kernel works at a time: it stops after each pass
"""
SENTENCE = re.compile("^(For )?“square” .+ nats.*\\.$")


@pytest.fixture(scope="module")
def notebook(lab):
    with lab.open("check", [SETUP, "w"]) as opened:
        opened.page.evaluate(Path(AXE).read_text())
        yield opened


def pinned(notebook):
    """The widget with the word pinned."""
    view = notebook.widget(1)
    token = notebook.ask("square")
    view.token(token).click()
    view.leave()
    view.expect("ready", token)
    return view, view.node.locator(".tam-verdict")


def unpin(view, notebook):
    view.token(notebook.ask("square")).click()
    view.leave()
    view.expect("empty")


@pytest.mark.usefixtures("theme")
def test_the_button_shows_the_verdict_and_axe_finds_nothing_serious(notebook):
    view, verdict = pinned(notebook)
    height = view.node.evaluate("(node) => node.getBoundingClientRect().height")
    view.button("Check").click()
    expect(verdict.locator(".tam-sentence")).to_have_text(SENTENCE)
    said = bytes.fromhex(notebook.ask("ex.check(square).sentence.encode().hex()")).decode()
    assert verdict.locator(".tam-sentence").inner_text() == said
    costs = verdict.locator(".tam-cost .tam-probability").all_inner_texts()
    assert costs == [f"{abs(nats):.2f}" for nats in notebook.ask("[nats for _, nats in ex.check(square).costs]")]
    assert view.node.evaluate("(node) => node.getBoundingClientRect().height") == height  # nothing moves
    assert violations(notebook, view) == []
    view.node.get_by_role("button", name="Close").click()
    expect(verdict).not_to_be_visible()
    unpin(view, notebook)


def test_c_asks_and_cancel_stops_the_kernel(notebook):
    notebook.run("hook = model.register_forward_hook(slowly)")
    view, verdict = pinned(notebook)
    before = notebook.page.locator(".jp-CodeCell").count()
    view.node.page.keyboard.press("c")
    expect(verdict.locator(".tam-sentence")).to_have_text(re.compile(r"^Checking… \d+ %$"))
    view.node.page.keyboard.press("Enter")  # the focus is on Cancel
    expect(verdict).not_to_be_visible()
    done = notebook.ask("len(passes)")
    view.hover(notebook.ask("ex.find('cross')[0]"))  # answered after whatever was asked before
    view.expect("ready", notebook.ask("ex.find('cross')[0]"))
    assert notebook.ask("len(passes)") <= done + 2  # of 21
    assert notebook.page.locator(".jp-CodeCell").count() == before  # no cell was copied or cut
    notebook.run("hook.remove()")
    view.leave()
    unpin(view, notebook)


def test_a_model_that_is_gone_is_said(notebook):
    notebook.run("del model; gc.collect()")
    view, verdict = pinned(notebook)
    view.button("Check").click()
    expect(verdict.locator(".tam-sentence")).to_have_text(re.compile("^ModelGoneError: the model behind .* is gone"))
    expect(verdict.locator(".tam-cost")).to_have_count(0)
    view.node.page.keyboard.press("Escape")
    expect(verdict).not_to_be_visible()
    unpin(view, notebook)
