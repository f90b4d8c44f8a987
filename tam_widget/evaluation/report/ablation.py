"""Whether the order of the paper's ablation holds, and where not, which words lose and what they have in common.

The paper (Li et al., ICCV 2025, arXiv 2506.23270, table of components) finds neither < causal inference alone, filter
alone < both, by F1-IoU.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from tam_widget.evaluation.report.markdown import NOTHING, difference, number, quoted, table
from tam_widget.evaluation.report.statistics import Estimate, estimate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tam_widget.evaluation.report.tally import Noun, Tally

__all__ = ["STEPS", "ablation_section"]

STEPS = (("cam", "causal"), ("cam", "filter"), ("causal", "tam"), ("filter", "tam"))
"""Each pair's second should be the better one."""

SHARED = 0.8
"""Share of an object under an earlier word's object from which the two share one place."""
CLEAN = 0.8
"""Share of a raw map's sum inside of the object from which there is little to clean."""
_LISTED = 8


def ablation_section(tally: Tally, methods: Sequence[str]) -> str | None:
    """Return a section of a report, or None where one of the four variants is missing."""
    if not {name for pair in STEPS for name in pair} <= set(methods):
        return None
    steps = {
        pair: [estimate(tally.difference(pair[1], pair[0], name)) for name in ("f1_iou", "object_iou", "function_iou")]
        for pair in STEPS
    }
    if any(found[0].value is None for found in steps.values()):
        return None
    head = ("step", "F1-IoU", "Obj-IoU", "Func-IoU", "F1-IoU rises?")
    rows = [
        (f"{before} → {after}", *map(difference, found), _verdict(found[0])) for (before, after), found in steps.items()
    ]
    told = (
        "The paper's order by F1-IoU is neither (cam) < causal inference or filter alone < both (tam). Each step's "
        "change, on the same words, with its 95% interval; bold where that leaves out 0."
    )
    parts = ["## Order of the ablation", told, table(head, rows)]
    broken = [pair for pair, found in steps.items() if (found[0].value or 0.0) <= 0]
    if not broken:
        return "\n\n".join([*parts, "The order holds."])
    told = ", ".join(f"{before} → {after}" for before, after in broken)
    parts.append(f"**The order does not hold**: F1-IoU does not rise in {told}. Where Obj-IoU is lost:")
    for after in ("causal", "filter"):
        parts += _losses(tally, after)
    return "\n\n".join(parts)


def _verdict(found: Estimate) -> str:
    if found.value is None or found.low is None or found.high is None:
        return NOTHING
    if found.low > 0:
        return "yes"
    if found.high < 0:
        return "no, it falls"
    return "not told apart"


def _losses(tally: Tally, after: str) -> list[str]:
    """Tell which words lose most from the raw map to one part of the method, and what they have in common."""
    nouns = [noun for noun in tally.nouns if {"cam", after} <= noun.object_iou.keys()]

    def drop(noun: Noun) -> float:
        return noun.object_iou["cam"] - noun.object_iou[after]

    groups: defaultdict[str, list[Noun]] = defaultdict(list)
    for noun in nouns:
        groups[noun.text].append(noun)
    lost = {text: sum(map(drop, group)) for text, group in groups.items()}
    worst = [text for text in sorted(lost, key=lambda text: (-lost[text], text)) if lost[text] > 0][:_LISTED]
    fallen = sum(drop(noun) > 0 for noun in nouns)
    if not fallen:
        return [f"### cam → {after}", "No word loses."]
    rows = []
    for text in worst:
        group = groups[text]
        before, now = (sum(noun.object_iou[name] for noun in group) / len(group) for name in ("cam", after))
        rows.append((quoted(text), str(len(group)), number(before), number(now), number(lost[text] / len(group))))
    told = f"{fallen} of {len(nouns)} words lose Obj-IoU"
    if rows:
        listed = [
            f"{told}. The words that lose most in all:",
            table(("word", "times", "cam", after, "mean loss"), rows),
        ]
    else:
        listed = [f"{told}; no word does in all its occurrences together."]
    return [
        f"### cam → {after}",
        *listed,
        "Mean loss (negative where Obj-IoU is gained) of words with and without what may explain it:",
        table(("words that …", "with", "loss with", "without", "loss without"), _reasons(tally, nouns, drop)),
    ]


def _reasons(tally: Tally, nouns: Sequence[Noun], drop: Callable[[Noun], float]) -> list[tuple[str, ...]]:
    from tam_widget.explanation.map_bank import KERNEL_SIZE

    window = KERNEL_SIZE**2
    reasons: dict[str, Callable[[Noun], bool]] = {
        f"share their place with an earlier word (over {SHARED:.0%} of the object)": lambda n: n.shared > SHARED,
        f"have an object smaller than the filter's window ({window} cells)": lambda n: n.cells < window,
        f"have a clean raw map (at least {CLEAN:.0%} of it on the object)": lambda n: n.energy["cam"] >= CLEAN,
    }
    rows: list[tuple[str, ...]] = []
    for told, holds in reasons.items():
        parts = [[noun for noun in nouns if holds(noun) is side] for side in (True, False)]
        shown = [(str(len(part)), difference(estimate(tally.mean_change(part, drop)))) for part in parts]
        rows.append((told, *shown[0], *shown[1]))
    return rows
