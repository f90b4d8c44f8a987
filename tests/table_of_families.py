"""The table of families in README and docs: what the conformance tests ran and found right, and nothing else."""

from pathlib import Path

import pytest
import transformers

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "README.md", ROOT / "docs" / "families.md")
BEGIN, END = "<!-- families: written by `make families` -->", "<!-- end of families -->"

COLUMNS = {
    "image": "picture",
    "tiles": "tiles",
    "images": "several pictures",
    "video": "video",
    "turns": "turns",
}
RESULTS = pytest.StashKey()


def remember(config, item, report):
    """Note how a test that shows a column went; one that fails takes the whole cell with it."""
    if report.when == "teardown" or (report.when == "setup" and report.passed):
        return
    for mark in item.iter_markers("shows"):
        case = item.callspec.params["case"]
        cell = ((case.family, case.tower), mark.args[0])
        results = config.stash.setdefault(RESULTS, {})
        results[cell] = results.get(cell, True) and report.passed


def is_complete(session):
    """Whether every test that shows something has run."""
    from tiny.cases import CASES

    expected = {((case.family, case.tower), "image") for case in CASES}
    return expected <= session.config.stash.get(RESULTS, {}).keys()


def table(results):
    """Return the table as Markdown."""
    from tam_widget.models.families import name_of

    families = list(dict.fromkeys(family for family, _ in results))
    rows = [
        ["family", "`model_type`", *COLUMNS.values(), "tested with"],
        ["---"] * 2 + [":-:"] * len(COLUMNS) + ["---"],
    ]
    for family in families:
        cells = ["✓" if results.get((family, column)) else "" for column in COLUMNS]
        model_type, tower = family
        types = f"`{model_type}`" + (f", tower `{tower}`" if tower else "")
        rows.append([name_of(model_type, tower), types, *cells, f"transformers {transformers.__version__}"])
    return "\n".join([BEGIN, *("| " + " | ".join(row) + " |" for row in rows), END])


def page_with(page, results):
    """Return a page's text with the table in its place."""
    before, found, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    assert found, f"{page} has no place for the table"
    return before + table(results) + rest.partition(END)[2]
