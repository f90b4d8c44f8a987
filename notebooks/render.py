"""Run the quickstart without a screen: what ``make demo`` does.

Writes ``out/quickstart.html``, the notebook with its outputs, and ``out/overlays.png``, one picture of where the model
looked at each word of an answer.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter

import tam_widget as tam

HERE = Path(__file__).resolve().parent
OUT = HERE.parent / "out"


def render(notebook: Path, target: Path) -> None:
    """Execute a notebook, widgets included, and write it as HTML.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        Where a cell raises.
    """
    node = nbformat.read(notebook, as_version=4)
    NotebookClient(node, timeout=900, resources={"metadata": {"path": str(notebook.parent)}}).execute()
    html, _ = HTMLExporter().from_notebook_node(node)
    target.write_text(html, encoding="utf-8")


def main() -> None:
    """Write both files and say where they are."""
    OUT.mkdir(exist_ok=True)
    page, picture = OUT / "quickstart.html", OUT / "overlays.png"
    render(HERE / "quickstart.ipynb", page)
    model, processor = tam.load_demo()
    explanation = tam.explain(model, processor, tam.demo.scene(seed=9).image, "Describe this image.")
    explanation.plot().savefig(picture, dpi=150)
    print(f"the quickstart, run: {page}")
    print(f"where the model looked at each word of {explanation.answer!r}: {picture}")
    print("to hover the words yourself: make lab")


if __name__ == "__main__":
    main()
