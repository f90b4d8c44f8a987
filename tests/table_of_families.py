"""Every kind of model, in README and docs: what the tests ran and found right, what is refused and why; nothing else.

``docs/families.json`` keeps what was found with each transformers that ran; the pages are written from it.
"""

import json
import re
import sys
from pathlib import Path

import pytest
import transformers

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT / "benchmarks"))

from marked_page import page_with  # noqa: E402 - found since the line above

README, DOCS, FOUND = ROOT / "README.md", ROOT / "docs" / "families.md", ROOT / "docs" / "families.json"
MARKS = ("<!-- families: written by `make families` -->", "<!-- end of families -->")

COLUMNS = {
    "image": "picture",
    "tiles": "tiles",
    "images": "several pictures",
    "video": "video",
    "turns": "turns",
}

RESULTS = pytest.StashKey()
"""Of each cell of the table, (family and tower, column), whether all tests that show it passed."""

REFUSED, NOT_TRIED = pytest.StashKey(), pytest.StashKey()
"""By model type, why."""


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
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES as TYPES

    stash = session.config.stash
    shown = {family for family, _ in stash.get(RESULTS, {})}
    told = {*stash.get(REFUSED, {}), *stash.get(NOT_TRIED, {}), *(model_type for model_type, _ in shown)}
    return {(case.family, case.tower) for case in CASES} <= shown and set(TYPES) <= told


def found(config):
    """Return what one run found, as JSON keeps it."""
    from tam_widget.models.families import supported_types

    explained = {}
    for ((model_type, tower), column), passed in config.stash[RESULTS].items():
        way = "tested" if model_type in supported_types() else "through its inputs"
        one = explained.setdefault(f"{model_type} {tower or ''}".strip(), {"way": way, "shows": []})
        one["shows"] += [column] if passed else []
    for one in explained.values():
        one["shows"].sort(key=list(COLUMNS).index)
    whys = {"refused": config.stash.get(REFUSED, {}), "not tried": config.stash.get(NOT_TRIED, {})}
    return {"explained": explained, **{name: dict(sorted(why.items())) for name, why in whys.items()}}


def kept():
    """Return what was found with each transformers, the oldest first."""
    versions = json.loads(FOUND.read_text(encoding="utf-8")) if FOUND.exists() else {}
    return dict(sorted(versions.items(), key=lambda one: [int(n) for n in one[0].split(".") if n.isdigit()]))


def write(one):
    """Keep what a run found with this transformers, and write the pages."""
    versions = {**kept(), transformers.__version__: one}
    text = json.dumps(versions, indent=1, ensure_ascii=False)
    text = re.sub(r'\{\s*"way".*?\}', lambda one: re.sub(r"\s+", " ", one[0]), text, flags=re.DOTALL)  # a line for each
    FOUND.write_text(f"{text}\n", encoding="utf-8")
    for page, text in pages().items():
        page.write_text(text, encoding="utf-8")


def pages():
    """Return the text of each page with its part in its place."""
    versions = kept()
    texts = {README: names(versions), DOCS: f"{explained(versions)}\n\n{others(versions)}"}
    return {page: page_with(text, page.read_text(encoding="utf-8"), MARKS) for page, text in texts.items()}


def _latest(versions, part):
    """Return for each row of a part the entry of the newest transformers that has it."""
    latest = {}
    for one in versions.values():
        latest.update(one[part])
    return latest


def _name(family):
    from tam_widget.models.families import name_of

    return name_of(*family.split())


def names(versions):
    """Return a paragraph for the README."""
    families = _latest(versions, "explained")
    tested = list(dict.fromkeys(_name(family) for family, one in families.items() if one["way"] == "tested"))
    return f"Tested with transformers {_and(list(versions))}: {_and(tested)}."


def _and(texts):
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if texts[1:] else texts)


def explained(versions):
    """Return the table of what is explained, as Markdown."""
    rows = [
        ["family", "`model_type`", *COLUMNS.values(), "works", "with transformers"],
        ["---"] * 2 + [":-:"] * len(COLUMNS) + ["---"] * 2,
    ]
    for family, one in _latest(versions, "explained").items():
        model_type, *tower = family.split()
        types = f"`{model_type}`" + "".join(f", tower `{name}`" for name in tower)
        cells = ["✓" if column in one["shows"] else "" for column in COLUMNS]
        way = "tested" if one["way"] == "tested" else "through its inputs, tried at run time"
        rows.append([_name(family), types, *cells, way, _with(versions, family, one["shows"])])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _with(versions, family, shows):
    """Say with which transformers a family ran, and what of it did not work with one of them."""
    texts = []
    for version, one in versions.items():
        if family not in one["explained"]:
            continue
        worked = one["explained"][family]["shows"]
        missing = [COLUMNS[column] for column in shows if column not in worked]
        texts.append(f"not {version}" if not worked else f"{version} without {_and(missing)}" if missing else version)
    return ", ".join(texts)


def others(versions):
    """Return the table of what is refused or was not tried, as Markdown."""
    rows = [["`model_type`", "not explained"], ["---"] * 2]
    told = {
        f"{name} {tower}".strip() for name, tower in ((*one.split(), "")[:2] for one in _latest(versions, "explained"))
    }
    for part, word in (("refused", "refused, because "), ("not tried", "not tried: ")):
        whys = _latest(versions, part)
        rows += [[f"`{name}`", word + whys[name]] for name in sorted(whys) if name not in told]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
