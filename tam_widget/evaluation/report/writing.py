"""A run as something to read: Markdown, one HTML file, and pictures. Every figure comes from the run's rows."""

from __future__ import annotations

import base64
import html
from collections import Counter
from typing import TYPE_CHECKING

from tam_widget.errors import EvaluationError
from tam_widget.evaluation.files import write_whole
from tam_widget.evaluation.needed import needed
from tam_widget.evaluation.report.ablation import ablation_section
from tam_widget.evaluation.report.markdown import NAMES, difference, interval, number, quoted, table
from tam_widget.evaluation.report.plots import curves_plot, differences_plot, measures_plot, regions_plot
from tam_widget.evaluation.report.regions import regions_section
from tam_widget.evaluation.report.statistics import LEVEL, RESAMPLES, estimate
from tam_widget.evaluation.report.tally import FAITHFULNESS, PLAUSIBILITY, Tally

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tam_widget.evaluation.report.reported import Reported

__all__ = ["markdown_report", "plausibility_table", "report_section", "write_report"]

_SHOWN = (*PLAUSIBILITY[:3], "f1_iou", *PLAUSIBILITY[3:])
_COMPARED = ("f1_iou", *(name for name in PLAUSIBILITY if name != "zero_functions"))
_CATEGORIES = 12
_FAILURES = 20

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #1b1f24; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; display: block; overflow-x: auto; font-variant-numeric: tabular-nums; }}
th, td {{ border-bottom: 1px solid #dddfe1; padding: .25rem .6rem; white-space: nowrap; }}
td:first-child {{ white-space: normal; min-width: 8rem; }}
img {{ max-width: 100%; }}
</style></head><body>
{body}</body></html>
"""


def write_report(run: Reported) -> Path:
    """Write a run's report beside its rows and return the HTML file's path; see :meth:`Run.report`."""
    mistune = needed("mistune", "an HTML report", "eval")
    tally = _tally(run)
    plots = _plots(run, tally)
    for name, data in plots.items():
        write_whole(run.folder / name, data)
    text = markdown_report(run, tally, list(plots))
    write_whole(run.folder / "report.md", text.encode())
    body = str(mistune.create_markdown(plugins=["table"])(text))
    for name, data in plots.items():
        body = body.replace(f'src="{name}"', f'src="{_inline(data)}"')
    page = run.folder / "report.html"
    write_whole(page, _PAGE.format(title=html.escape(_title(run)), body=body).encode())
    return page


def markdown_report(run: Reported, tally: Tally | None = None, plots: Sequence[str] = ()) -> str:
    """Return a run's report in Markdown.

    Parameters
    ----------
    run : Reported
    tally : Tally, optional
        Of its rows, where it is known already.
    plots : sequence of str
        Paths of the pictures that are shown in it.

    Raises
    ------
    EvaluationError
        There is no row yet.
    """
    tally = _tally(run) if tally is None else tally
    told = (
        f"Means over words, with {LEVEL:.0%} intervals from {RESAMPLES:,} draws of samples. Func-IoU counts a map that "
        "is zero everywhere as wholly right: the share of such maps stands beside it."
    )
    sections = [
        f"# {quoted(_title(run))}",
        _opening(run, tally),
        "## Plausibility",
        told,
        plausibility_table(tally, run.methods),
        *_pictures(plots, "plausibility", "Each method's measures with their intervals"),
    ]
    if len(run.methods) > 1:
        sections += _differences(tally, run.methods, plots)
    sections += _faithfulness(tally, run.methods, plots)
    if parts := regions_section(tally):
        sections += [*parts, *_pictures(plots, "regions", "Log-probability while object and background are covered")]
    sections += [section] if (section := ablation_section(tally, run.methods)) else []
    sections += _categories(tally, run.methods)
    sections += _failures(tally)
    sections += _made_with(run)
    return "\n\n".join(sections) + "\n"


def report_section(run: Reported, heading: str) -> str:
    """Return one section of a run's report in Markdown, its pictures within: for a notebook.

    Parameters
    ----------
    run : Reported
    heading : str
        As the report has it, such as ``"Object or background"``.

    Raises
    ------
    EvaluationError
        There is no row yet, or the report has no such section; the message names those that it has.
    """
    tally = _tally(run)
    plots = _plots(run, tally)
    sections = dict(part.split("\n", 1) for part in markdown_report(run, tally, list(plots)).split("\n## ")[1:])
    if heading not in sections:
        raise EvaluationError(f"the report of {run.folder} has no section {heading!r}; it has {', '.join(sections)}")
    text = sections[heading].strip()
    for name, data in plots.items():
        text = text.replace(f"]({name})", f"]({_inline(data)})")
    return text


def plausibility_table(tally: Tally, methods: Sequence[str]) -> str:
    """Return the table of the measures of plausibility, a row a method."""
    rows = [
        (
            name,
            *(interval(estimate(tally.means(name, measure))) for measure in _SHOWN),
            str(tally.count(name, "energy")),
        )
        for name in methods
    ]
    return table(("method", *(NAMES[measure] for measure in _SHOWN), "objects"), rows)


def _inline(picture: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def _tally(run: Reported) -> Tally:
    tally = Tally(run.rows(), run.methods, int(run.manifest["settings"]["seed"]))
    if not tally.rows:
        raise EvaluationError(f"{run.folder} has no row yet, so there is nothing to report")
    return tally


def _title(run: Reported) -> str:
    return f"{run.manifest['model']['name']} on {run.manifest['data']['name']}"


def _plots(run: Reported, tally: Tally) -> dict[str, bytes]:
    plots = {}
    if tally.objects or tally.functions:
        plots["plots/plausibility.png"] = measures_plot(tally, run.methods)
        if len(run.methods) > 1:
            plots["plots/differences.png"] = differences_plot(tally, run.methods)
    if tally.curves:
        plots["plots/faithfulness.png"] = curves_plot(tally, run.methods)
    if tally.count("object", "fall"):
        plots["plots/regions.png"] = regions_plot(tally)
    return plots


def _pictures(plots: Sequence[str], name: str, alt: str) -> list[str]:
    return [f"![{alt}]({path})" for path in plots if path == f"plots/{name}.png"]


def _opening(run: Reported, tally: Tally) -> str:
    asked = int(run.manifest["samples"])
    sources = ", ".join(quoted(source) for source in tally.sources)
    done = (
        f"{tally.rows} of {asked} samples done, {len(tally.failures)} of them with a failure; {tally.words} words were "
        f"judged: {tally.objects} that name an object in the picture and {tally.functions} function words of answers "
        "with nouns."
    )
    lines = [done]
    if sources:
        lines.append(f"Words: {sources}; matched with categories: {run.manifest['settings']['matching']}.")
    captions = {name: estimate(tally.means("caption", name)) for name in ("rouge_l", "meteor")}
    told = [
        f"{label} {interval(captions[name])}"
        for name, label in (("rouge_l", "ROUGE-L"), ("meteor", "METEOR"))
        if captions[name].value is not None
    ]
    told += [f"{quoted(reason)} ({times} samples)" for reason, times in tally.missing.items()]
    if told:
        lines.append(f"Captions: {'; '.join(told)}.")
    lines += [quoted(note) + "." for note in run.manifest.get("notes", [])]
    return "\n\n".join(lines)


def _differences(tally: Tally, methods: Sequence[str], plots: Sequence[str]) -> list[str]:
    first = methods[0]
    rows = [
        (name, *(difference(estimate(tally.difference(name, first, measure))) for measure in _COMPARED))
        for name in methods[1:]
    ]
    return [
        f"## Differences from {first}",
        "Paired: of the same words in the same draws. Bold where the interval leaves out 0.",
        table(("method", *(NAMES[measure] for measure in _COMPARED)), rows),
        *_pictures(plots, "differences", f"Differences from {first} with their intervals"),
    ]


def _faithfulness(tally: Tally, methods: Sequence[str], plots: Sequence[str]) -> list[str]:
    measured = [name for name in methods if tally.count(name, "gain")]
    if not measured:
        return []
    first = measured[0]
    rows = []
    for name in measured:
        words = f"{tally.count(name, 'deletion')} of {tally.count(name, 'gain')}"
        rows.append((name, *(interval(estimate(tally.means(name, one))) for one in FAITHFULNESS), words))
    samples = tally.samples_of(first, "gain")
    told = (
        "Area under the word's log-probability, 1 with the whole picture and 0 without it, while the map's highest "
        "cells are covered (deletion, small is faithful) or revealed (insertion, large is faithful), and in random "
        "order. Gain is what the picture does for the word; where it is below 0.1 nats, there are no areas. On "
        f"{samples} samples; an interval of very few is too short."
    )
    parts = [
        "## Faithfulness",
        told,
        table(("method", *(NAMES[one] for one in FAITHFULNESS), "words"), rows),
    ]
    if len(measured) > 1:
        kinds = ("deletion", "insertion")
        rows = [
            (name, *(difference(estimate(tally.difference(name, first, one))) for one in kinds))
            for name in measured[1:]
        ]
        parts += [f"Differences from {first}:", table(("method", *(NAMES[one] for one in kinds)), rows)]
    return [*parts, *_pictures(plots, "faithfulness", "Mean deletion and insertion curves")]


def _categories(tally: Tally, methods: Sequence[str]) -> list[str]:
    """Tell Obj-IoU by what words name, of the most frequent."""
    times = Counter(noun.category for noun in tally.nouns)
    if not times:
        return []
    rows = []
    for category, count in sorted(times.items(), key=lambda pair: (-pair[1], pair[0]))[:_CATEGORIES]:
        nouns = [noun for noun in tally.nouns if noun.category == category]
        known = [[noun.object_iou[name] for noun in nouns if name in noun.object_iou] for name in methods]
        means = (number(sum(values) / len(values) if values else None) for values in known)
        rows.append((quoted(category), str(count), *means))
    return [
        "## Obj-IoU by category",
        f"The most frequent of {len(times)} categories." if len(times) > _CATEGORIES else "All categories.",
        table(("category", "words", *methods), rows),
    ]


def _failures(tally: Tally) -> list[str]:
    if not tally.failures:
        return []
    rows = [
        (str(index), quoted(sample or "unknown"), quoted(error)) for index, sample, error in tally.failures[:_FAILURES]
    ]
    more = len(tally.failures) - len(rows)
    return [
        "## Failures",
        table(("number", "sample", "what failed"), rows),
        *([f"And {more} more in samples.parquet."] if more else []),
        "A sample is tried again once its file in rows/ is deleted and the run is started again.",
    ]


def _made_with(run: Reported) -> list[str]:
    manifest = run.manifest
    settings = "; ".join(
        f"{name} {', '.join(value) if isinstance(value, list) else value}"
        for name, value in manifest["settings"].items()
        if name != "words"
    )
    lines = [
        f"Model: {', '.join(f'{name} {value}' for name, value in manifest['model'].items())}.",
        f"Settings: {settings}.",
        f"Versions: {', '.join(f'{name} {value}' for name, value in manifest['versions'].items())}.",
    ]
    for one in manifest.get("sessions", []):
        with_workers = f"with {one['workers']} workers" if one["workers"] > 1 else "in one process"
        speed = one["samples"] / max(one["seconds"], 1e-3)
        lines.append(
            f"{one['samples']} samples in {one['seconds']:.1f} s {with_workers}, start included: {speed:.2f} samples/s."
        )
    return ["## How it was made", "\n".join(f"- {quoted(line, 2000)}" for line in lines)]
