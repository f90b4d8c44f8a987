"""The pictures of a report, as PNG files."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from tam_widget.evaluation.report.markdown import NAMES
from tam_widget.evaluation.report.statistics import Estimate, estimate
from tam_widget.evaluation.report.tally import REGIONS, SHARES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from tam_widget.evaluation.report.tally import Tally

__all__ = ["curves_plot", "differences_plot", "measures_plot", "regions_plot"]

_MEASURES = ("object_iou", "function_iou", "f1_iou", "pointing", "energy")
_WIDTH = 9.0
_ROW = 0.28  # inches a method takes
_COLOURS = (
    "#1565c0",
    "#d9730d",
    "#2e7d32",
    "#8e24aa",
    "#c62828",
    "#00838f",
    "#6d4c41",
    "#ad1457",
    "#558b2f",
    "#455a64",
)


def measures_plot(tally: Tally, methods: Sequence[str]) -> bytes:
    """Draw each method's measures as points with their intervals, a panel a measure."""
    figure, panels = _panels(len(_MEASURES), len(methods))
    for axes, measure in zip(panels, _MEASURES, strict=True):
        _points(axes, {name: estimate(tally.means(name, measure)) for name in methods}, methods)
        axes.set_title(NAMES[measure], fontsize=9)
    return _png(figure)


def differences_plot(tally: Tally, methods: Sequence[str]) -> bytes:
    """Draw how far each method's F1-IoU, Obj-IoU and Func-IoU lie from the first one's on the same words."""
    shown = ("f1_iou", "object_iou", "function_iou")
    figure, panels = _panels(len(shown), len(methods) - 1)
    for axes, measure in zip(panels, shown, strict=True):
        found = {name: estimate(tally.difference(name, methods[0], measure)) for name in methods[1:]}
        _points(axes, found, methods)
        axes.axvline(0, color=_ink()["QUIET"], linewidth=0.8)
        axes.set_title(f"{NAMES[measure]}, less that of {methods[0]}", fontsize=9)
    return _png(figure)


def curves_plot(tally: Tally, methods: Sequence[str]) -> bytes:
    """Draw each method's mean deletion and insertion curves, and those of random orders."""
    figure, panels = _panels(2, 10)
    random = next(tally.curves[name, "random_curve"] for name in methods if (name, "random_curve") in tally.curves)
    told = (
        ("deletion_curve", "share of cells covered", random),
        ("insertion_curve", "share of cells revealed", random[::-1]),
    )
    for axes, (kind, label, by_chance) in zip(panels, told, strict=True):
        axes.plot(np.linspace(0, 1, len(by_chance)), by_chance, "--", color=_ink()["FADED"], label="random")
        for place, name in enumerate(methods):
            if (name, kind) in tally.curves:
                curve = tally.curves[name, kind]
                width = 1 + 3 * (1 - place / len(methods))  # curves that lie on each other can be told apart
                axes.plot(np.linspace(0, 1, len(curve)), curve, color=_colour(place), label=name, linewidth=width)
        axes.set_xlabel(label, fontsize=8)
        axes.set_title(kind.removesuffix("_curve"), fontsize=9)
        axes.tick_params(labelsize=7, left=True, labelleft=True)
        axes.set_yticks([0, 0.5, 1])
    panels[0].set_ylabel("log-probability, 1 with the whole picture", fontsize=8)
    panels[1].legend(fontsize=7, frameon=False)
    return _png(figure)


def regions_plot(tally: Tally) -> bytes:
    """Draw how words' log-probabilities change while the object, or the background, is covered, with intervals."""
    figure, (axes,) = _panels(1, 10)
    for place, region in enumerate(REGIONS):
        found = [estimate(values) for values in tally.region_curve(region).T]
        low, high, middle = (np.array([getattr(one, part) for one in found]) for part in ("low", "high", "value"))
        axes.fill_between(SHARES, low, high, color=_colour(place), alpha=0.18, linewidth=0)
        axes.plot(SHARES, middle, color=_colour(place), linewidth=2, label=f"{region} covered")
    axes.axhline(0, color=_ink()["QUIET"], linewidth=0.8)
    axes.set_xlabel("share of the region's cells that is covered", fontsize=8)
    axes.set_ylabel("change of the word's log-probability (nats)", fontsize=8)
    axes.legend(fontsize=8, frameon=False)
    return _png(figure)


def _panels(count: int, rows: int) -> tuple[Any, list[Any]]:
    from tam_widget.figures.style import TAMFigure

    figure = TAMFigure(figsize=(_WIDTH, 0.9 + _ROW * max(2, rows)), layout="constrained", dpi=130)
    panels = [figure.add_subplot(1, count, place + 1) for place in range(count)]
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(_ink()["LINE"])
        axes.tick_params(labelsize=7)
    for axes in panels[1:]:
        axes.tick_params(labelleft=False)
    return figure, panels


def _points(axes: Axes, found: Mapping[str, Estimate], methods: Sequence[str]) -> None:
    names = list(found)
    for row, name in enumerate(names):
        one = found[name]
        if one.value is None or one.low is None or one.high is None:
            continue
        # A percentile interval need not hold the value itself, so it is drawn as a line, not as two errors.
        axes.plot([one.low, one.high], [row, row], color=_colour(methods.index(name)), linewidth=1.6)
        axes.plot(one.value, row, "o", color=_colour(methods.index(name)), markersize=4)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="x", color=_ink()["LINE"], linewidth=0.6)
    axes.set_axisbelow(True)


def _colour(place: int) -> str:
    return _COLOURS[place % len(_COLOURS)]


def _ink() -> dict[str, str]:
    from tam_widget.figures import style

    return {name: getattr(style, name) for name in ("QUIET", "FADED", "LINE")}


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
