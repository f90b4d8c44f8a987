"""Wrong answers, grouped by what is taken for what."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from scored_words.targets import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scored_words.kept import Row

OTHERWISE = "another sentence"
_MOST_CHANGED = 4  # words: more of them are another sentence and no mistake in one


def confusion(said: str, right: str) -> str:
    """Name the mistakes: ``"orange for red"``, ``"right too much"``, ``"left left out"``, or another sentence."""
    told, true = ([plain(word) for word in text.split()] for text in (said, right))
    codes = difflib.SequenceMatcher(a=true, b=told, autojunk=False).get_opcodes()
    mistakes, changed = [], 0
    for how, a, b, c, d in codes:
        new, old = " ".join(told[c:d]), " ".join(true[a:b])
        named = {"replace": f"{new} for {old}", "insert": f"{new} too much", "delete": f"{old} left out"}
        if how in named:
            mistakes.append(named[how])
            changed += max(b - a, d - c)
    return ", ".join(mistakes) if 0 < changed <= min(_MOST_CHANGED, len(true) - 1) else OTHERWISE


def failures(rows: Mapping[str, Sequence[Row]], most: int) -> str:
    """List the wrong answers: for each kind of scene up to `most`, the commonest mistakes first."""
    return "\n\n".join(f"## {kind}\n\n{_listed(kind, found, most)}" for kind, found in rows.items())


def _listed(kind: str, rows: Sequence[Row], most: int) -> str:
    mistakes: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        for answer in row["answers"]:
            if answer["said"] != answer["right"]:
                line = f"{kind} {row['seed']} {answer['prompt']} → {answer['said']} (right: {answer['right']})"
                mistakes.setdefault((answer["asked"], confusion(answer["said"], answer["right"])), []).append(line)
    lines: list[str] = []
    left = most
    for (asked, what), found in sorted(mistakes.items(), key=lambda mistake: -len(mistake[1])):
        if left <= 0:
            break
        lines += [f"{asked}, {what}: {len(found)}", "", *(f"- {line}" for line in found[:left]), ""]
        left -= len(found)
    return "\n".join(lines).rstrip() or "None."
