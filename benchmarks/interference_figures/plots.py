"""How the maps come out along training, and what causal inference gains or costs, by what came before a word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from interference_figures.contexts import CONTEXTS, Context
from interference_figures.measures import EVERY
from scored_words.judged import CAM, CAUSAL, FILTER, TAM

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    Line = dict[str, Any]

# The colours of Okabe and Ito, which stay apart for most eyes.
_METHODS = {CAM: ("#999999", "-"), CAUSAL: ("#0072B2", "--"), FILTER: ("#E69F00", "-"), TAM: ("#D55E00", "-.")}
_CONTEXTS: dict[Context, str] = {"own": "#D55E00", "other": "#009E73", "both": "#0072B2"}
_GAINS = {"TAM − filter only": (TAM, FILTER, "-"), "causal inference only − CAM": (CAUSAL, CAM, ":")}
_NAMES = {"f1_iou": "F1-IoU", "object_iou": "Obj-IoU", "function_iou": "Func-IoU"}


def course(lines: Sequence[Line], measure: str = "f1_iou") -> Figure:
    """Draw one measure of the four ways along training: a row for each run, a column for each kind of scene.

    Parameters
    ----------
    lines : sequence of dict
        As :func:`~interference_figures.measures.summary` gives them, with ``run``, ``scenes`` and ``step``.
    measure : {"f1_iou", "object_iou", "function_iou"}
    """
    figure, panels = _panels(lines, _NAMES[measure])
    for axes, own in panels:
        for method, (colour, style) in _METHODS.items():
            _curve(axes, _values(own, method, EVERY, measure), colour, style)
    _legend(figure, {name: {"color": colour, "linestyle": style} for name, (colour, style) in _METHODS.items()})
    return figure


def gain(lines: Sequence[Line]) -> Figure:
    """Draw what causal inference adds to Obj-IoU along training, by what a word's earlier context speaks of.

    Parameters
    ----------
    lines : sequence of dict
        As for :func:`course`.
    """
    figure, panels = _panels(lines, "Obj-IoU gained")
    for axes, own in panels:
        axes.axhline(0, color="black", linewidth=0.6)
        for context, colour in _CONTEXTS.items():
            for more, less, style in _GAINS.values():
                base = _values(own, less, context, "object_iou")
                found = _values(own, more, context, "object_iou")
                _curve(axes, {step: value - base[step] for step, value in found.items()}, colour, style)
    colours = {f"before it: {CONTEXTS[context]}": {"color": colour} for context, colour in _CONTEXTS.items()}
    styles = {how: {"color": "black", "linestyle": style} for how, (_, _, style) in _GAINS.items()}
    _legend(figure, {**colours, **styles})
    return figure


def _panels(lines: Sequence[Line], measure: str) -> tuple[Figure, list[tuple[Axes, list[Line]]]]:
    """Return axes for each run and kind of scene, each with its lines."""
    runs, scenes = (list(dict.fromkeys(line[name] for line in lines)) for name in ("run", "scenes"))
    figure = Figure(figsize=(0.8 + 3 * len(scenes), 1.2 + 1.4 * len(runs)), layout="constrained")
    grid = figure.subplots(len(runs), len(scenes), squeeze=False, sharex="row", sharey=True)
    panels = []
    for row, run in enumerate(runs):
        grid[row, 0].set_ylabel(run.replace(", ", ",\n"), fontsize="small")
        for column, kind in enumerate(scenes):
            axes = grid[row, column]
            axes.spines[["top", "right"]].set_visible(False)
            panels.append((axes, [line for line in lines if line["run"] == run and line["scenes"] == kind]))
    for kind, top, bottom in zip(scenes, grid[0], grid[-1], strict=True):
        top.set_title(kind, fontsize="small")
        bottom.set_xlabel("training step")
    figure.supylabel(measure)
    return figure, panels


def _values(lines: Sequence[Line], method: str, context: str, measure: str) -> dict[int, float]:
    """Return a measure by step; steps without one are left out."""
    own = [line for line in lines if line["method"] == method and line["context"] == context]
    return {line["step"]: line[measure] for line in own if line[measure] is not None}


def _curve(axes: Axes, values: Mapping[int, float], colour: str, style: str) -> None:
    axes.plot(list(values), list(values.values()), style, color=colour, marker=".", markersize=4, linewidth=1.4)


def _legend(figure: Figure, styles: Mapping[str, Mapping[str, Any]]) -> None:
    handles = [Line2D([], [], label=name, **style) for name, style in styles.items()]
    figure.legend(handles=handles, loc="outside upper left", frameon=False, fontsize="small")
