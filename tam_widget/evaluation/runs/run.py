"""A run on disk: what it was made with, its rows, their means and its report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tam_widget.errors import EvaluationError
from tam_widget.evaluation.plausibility.summary import Summary, aggregate
from tam_widget.evaluation.runs.manifest import MANIFEST, is_there, made_with, read_manifest
from tam_widget.evaluation.runs.storage import RowStore

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MANIFEST", "Run", "open_run"]


class Run:
    """What :func:`evaluate` made, finished or not.

    Parameters
    ----------
    folder : path
        Where it lies.

    Attributes
    ----------
    folder : pathlib.Path
    manifest : dict
        Model, data, settings, versions, number of samples, and how long each session took.

    Raises
    ------
    EvaluationError
        The folder holds no run, or what it was made with cannot be read.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        if not is_there(self.folder / MANIFEST):
            raise EvaluationError(f"{self.folder} holds no run: there is no {MANIFEST} in it")
        self.manifest: dict[str, Any] = read_manifest(self.folder / MANIFEST)
        self._store = RowStore(self.folder, made_with(self.manifest))

    def __repr__(self) -> str:
        methods = ", ".join(self.methods)
        return f"<Run {self.folder}: {self.manifest['model']['name']} on {self.manifest['data']['name']}, {methods}>"

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods' names; the others are held against the first."""
        return tuple(self.manifest["settings"]["methods"])

    def rows(self) -> Iterator[dict[str, Any]]:
        """Read the rows one by one, in the order of the samples.

        A row that is damaged or belongs to another run is left out, and a warning says which and why. A damaged
        ``samples.parquet`` costs nothing while the files in ``rows/`` are there.

        Yields
        ------
        dict
            ``index``, ``sample`` (its id), ``answer``, ``error`` (None, or what failed), ``rouge_l``, ``meteor``,
            ``missing`` (why these are None), ``source`` (of the types of words), ``matching``; ``words``, a list of
            :class:`WordRow` with their ``method``, and of objects their size in cells of the map (``cells``) and the
            largest share of them that an earlier word's object covers (``shared``); ``faithfulness``, a list of
            areas, curves and gain for words of the first samples.
        """
        return self._store.rows(int(self.manifest["samples"]))

    def failures(self) -> list[tuple[int, str | None, str]]:
        """Return index, id and error of the samples that failed, wholly or for some method."""
        return [(row["index"], row["sample"], row["error"]) for row in self.rows() if row["error"] is not None]

    def summary(self) -> dict[str, Summary]:
        """Return each method's means over all samples."""
        rows = list(self.rows())
        return {
            method: aggregate((word for row in rows for word in row["words"] if word["method"] == method), rows)
            for method in self.methods
        }

    def report(self) -> Path:
        """Write ``report.md``, ``report.html`` and the pictures in ``plots/``, and return the HTML file's path.

        Raises
        ------
        EvaluationError
            There is no row yet.
        MissingDependencyError
            A package that reports need is not installed.
        """
        from tam_widget.evaluation.report import write_report

        return write_report(self)


def open_run(folder: str | os.PathLike[str]) -> Run:
    """Open a run of :func:`evaluate`.

    Raises
    ------
    EvaluationError
        The folder holds none, or what it was made with cannot be read.
    """
    return Run(folder)
