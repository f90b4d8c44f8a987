"""Object or background, as a report tells it: what the words lose with each, and whether the difference is sure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tam_widget.evaluation.report.markdown import NAMES, NOTHING, difference, interval, number, table
from tam_widget.evaluation.report.statistics import LEVEL, estimate
from tam_widget.evaluation.report.tally import REGIONS

if TYPE_CHECKING:
    from tam_widget.evaluation.report.statistics import Estimate
    from tam_widget.evaluation.report.tally import Tally

__all__ = ["HEADING", "regions_section", "verdict"]

HEADING = "Object or background"


def regions_section(tally: Tally) -> list[str]:
    """Return the parts of the section; none where nothing was measured."""
    words = tally.count("object", "fall")
    if not words:
        return []
    measures = ("fall", "mean_fall")
    rows = []
    for region in REGIONS:
        cells = number(estimate(tally.means(region, "cells")).value, 1)
        rows.append((region, cells, *(interval(estimate(tally.means(region, one))) for one in measures)))
    gaps = [estimate(tally.difference(*REGIONS, one)) for one in measures]
    rows.append(("object, less background", NOTHING, *map(difference, gaps)))
    told = (
        "How far the log-probability of a word that names a thing falls when that thing is covered, and when all the "
        "rest is: with the whole region covered (fall), and on average while its cells are covered in random order "
        f"(mean fall). No map is looked at. Of {words} words on {tally.samples_of('object', 'fall')} samples, with "
        f"{LEVEL:.0%} intervals; the difference is of the same words, bold where its interval leaves out 0. The two "
        "regions differ in size: what is asked is which of them the word can do without."
    )
    return [
        f"## {HEADING}",
        told,
        table(("covered", "cells", *(NAMES[one] for one in measures)), rows),
        verdict(gaps[0]),
    ]


def verdict(gap: Estimate) -> str:
    """Say in a sentence what the difference of the falls, the object's less the background's, comes to."""
    if gap.low is not None and gap.low > 0:
        return (
            "**Covering the object takes more from the word than covering the background: the model reads the thing "
            "that it names.**"
        )
    if gap.high is not None and gap.high < 0:
        return (
            "**Covering the background takes more from the word than covering the object: the model is right for "
            "another reason than the thing it names.**"
        )
    return "Object and background cannot be told apart by what covering them takes from the word."
