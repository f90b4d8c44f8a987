"""Rows to the Markdown tables of the model card."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from demo_model_figures.asked import CAPTION, SECOND
from scored_words.judged import METHODS
from scored_words.targets import NAMING
from tam_widget.demo.scenery.language import plural
from tam_widget.demo.scenery.questions import WEIGHTS
from tam_widget.demo.scenery.staging import STILL, THINGS_STILL
from tam_widget.demo.scenery.thing_questions import THINGS_WEIGHTS
from tam_widget.demo.scenery.things.catalogue import THINGS
from tam_widget.evaluation import f1_iou

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from scored_words.kept import Row

    Rows = Mapping[str, Sequence[Row]]

_GROUPS = ("shape", "colour", "size", "location", "text", "number", "action", "change")
_SINGLE = (*STILL, *THINGS_STILL)
_NO_NUMBER = "–"
_NONE = "No answer was right: there is nothing to measure."


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """Write a Markdown table; all columns but the first are numbers."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def accuracy(rows: Rows) -> str:
    """Share of right answers, word for word, by what is asked for and by kind of scene."""
    asked = {
        name: {
            kind: [a["said"] == a["right"] for row in rows[kind] for a in row["answers"] if a["asked"] == name]
            for kind in rows
        }
        for name in (CAPTION, *dict.fromkeys((*WEIGHTS, *THINGS_WEIGHTS)), SECOND)
    }
    body = [
        [
            "location" if name == "place" else name,
            *(_cell(_mean(right)) for right in by_kind.values()),
            _mean(every := [one for right in by_kind.values() for one in right]),
            str(len(every)),
        ]
        for name, by_kind in asked.items()
        if any(by_kind.values())
    ]
    return table(["asked for", *rows, "all", "of"], body)


def named(rows: Rows) -> str:
    """Of the things that are there, the share that captions name, and of those that captions name, the share there."""
    body = []
    for kind, found in rows.items():
        captions = [answer for row in found for answer in row["answers"] if answer["asked"] == CAPTION]
        said, there = ([_names(answer[key]) for answer in captions] for key in ("said", "right"))
        right = sum(len(one & other) for one, other in zip(said, there, strict=True))
        body.append([kind, *(_share(right, sum(map(len, names))) for names in (there, said)), str(len(captions))])
    return table(["kind", "recall", "precision", "captions"], body)


def _names(sentence: str) -> set[str]:
    words = {word.strip(".,").lower() for word in sentence.split()}
    return {name for name in THINGS if words & {name, plural(name)}}


def _share(part: int, whole: int) -> str:
    return _number(part / whole if whole else None)


def words(rows: Rows) -> str:
    """Obj-IoU and pointing by kind of word, Func-IoU and F1-IoU: of single pictures, then of pairs and films."""
    single = {kind: found for kind, found in rows.items() if kind in _SINGLE}
    several = {kind: found for kind, found in rows.items() if kind not in _SINGLE}
    parts = [
        f"{title}: Obj-IoU / pointing by kind of word.\n\n{_words([row for own in found.values() for row in own])}"
        for title, found in (("Single pictures", single), ("Pairs and films", several))
        if found
    ]
    return "\n\n".join(parts)


def _words(every: Sequence[Row]) -> str:
    scored = {
        group: [word["scores"] for row in every for word in row["words"] if word["group"] == group] for group in _GROUPS
    }
    scored = {group: scores for group, scores in scored.items() if scores}
    if not scored:
        return _NONE
    body = []
    for name in _methods(scored):
        cells = [_cell(_of(found, name, "iou"), _of(found, name, "points")) for found in scored.values()]
        body.append([name, *cells, *_functions(every, name)])
    body.append(["words", *(str(len(found)) for found in scored.values()), "", "", ""])
    return table(["map", *scored, "Func-IoU", "of it all-zero maps", "F1-IoU"], body)


def _functions(rows: Sequence[Row], name: str) -> list[str]:
    """Func-IoU, the share of all-zero maps and F1-IoU of one method; empty for a bound that has none."""
    functions = [word[name] for row in rows for word in row["functions"] if name in word]
    found = (_of(functions, None, "iou"), _of(functions, None, "zero"), _number(_f1(rows, name)))
    return [_cell(number) for number in found]


def _f1(rows: Sequence[Row], name: str) -> float | None:
    """F1-IoU of shape and colour words and function words of captions."""
    scored = [word["scores"] for row in rows for word in row["words"] if word["group"] in NAMING]
    objects = [scores[name]["iou"] for scores in scored if name in scores]
    functions = [word[name]["iou"] for row in rows for word in row["functions"] if name in word]
    return f1_iou(statistics.mean(objects), statistics.mean(functions)) if objects and functions else None


def by_kind(rows: Rows) -> str:
    """Obj-IoU of shape and colour words, their energy inside, and F1-IoU by kind of scene."""
    scored = {
        kind: [w["scores"] for row in found for w in row["words"] if w["group"] in NAMING]
        for kind, found in rows.items()
    }
    body = []
    for name in _methods(scored):
        cells = []
        for kind, scores in scored.items():
            cells.append(_cell(_of(scores, name, "iou"), _number(_f1(rows[kind], name)), _of(scores, name, "energy")))
        body.append([name, *cells])
    return table(["map", *scored], body)


def groups(rows: Sequence[Row]) -> str:
    """Pointing and energy inside of a moving thing's shape word, in each group of a film's frames."""
    found = [row["groups"] for row in rows if row["groups"]]
    if not found:
        return _NONE
    names = [name for name in METHODS if name in found[0]]
    count = len(found[0][names[0]])
    scores = {name: [[one[name][at] for one in found if one[name][at]] for at in range(count)] for name in names}
    body = [
        [name, *(_cell(_of(of_group, None, "points"), _of(of_group, None, "energy")) for of_group in of_groups)]
        for name, of_groups in scores.items()
    ]
    body.append(["films", *(str(len(of_group)) for of_group in scores[names[0]])])
    return table(["map", *(f"frames {2 * at + 1} and {2 * at + 2}" for at in range(count))], body)


def second_turns(rows: Rows) -> str:
    """Obj-IoU and pointing of what a second answer tells about "it"; pointing on the other things for comparison."""
    every = [word for kind in rows if kind in _SINGLE for row in rows[kind] for word in row["second"]]
    films = [word for kind in rows if kind not in _SINGLE for row in rows[kind] for word in row["second"]]
    columns = {name: [w["scores"] for w in every if w["asked"] == name] for name in WEIGHTS}
    columns["all single pictures"] = [word["scores"] for word in every]
    columns["films"] = [word["scores"] for word in films]
    columns = {name: found for name, found in columns.items() if found}
    if not columns:
        return _NONE
    body = [
        [
            name,
            *(_cell(*(_of(found, name, key) for key in ("iou", "points", "elsewhere"))) for found in columns.values()),
        ]
        for name in _methods(columns)
    ]
    body.append(["words", *(str(len(found)) for found in columns.values())])
    return table(["map", *("location" if name == "place" else name for name in columns)], body)


def _methods(columns: Mapping[str, Sequence[Row]]) -> list[str]:
    """Return the methods that any word has scores of, in order."""
    return [name for name in METHODS if any(name in scores for found in columns.values() for scores in found)]


def _of(found: Sequence[Row], method: str | None, key: str) -> str:
    """Return the mean of one score over words."""
    scores = found if method is None else [one[method] for one in found if method in one]
    return _mean([one[key] for one in scores if key in one])


def _mean(values: Sequence[float]) -> str:
    return _number(statistics.mean(values) if values else None)


def _number(value: float | None) -> str:
    return _NO_NUMBER if value is None else f"{value:.3f}"


def _cell(*numbers: str) -> str:
    """Write several numbers in one cell; nothing where there is none."""
    return " / ".join(numbers) if any(number != _NO_NUMBER for number in numbers) else ""
