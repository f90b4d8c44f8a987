"""Evaluate a model on a data set with several methods, a row a sample; what is done stays done."""

from __future__ import annotations

import os
import sys
import time
import warnings
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tam_widget.errors import EvaluationError
from tam_widget.evaluation.files import remove_partials
from tam_widget.evaluation.needed import needed
from tam_widget.evaluation.plausibility.parts_of_speech import open_tagger
from tam_widget.evaluation.runs.holding import hold_folder
from tam_widget.evaluation.runs.judging import Settings, judge_sample
from tam_widget.evaluation.runs.manifest import (
    MANIFEST,
    check_same,
    describe_data,
    describe_model,
    describe_settings,
    describe_versions,
    is_there,
    keep_manifest,
    made_with,
    read_manifest,
)
from tam_widget.evaluation.runs.run import Run
from tam_widget.evaluation.runs.storage import RowStore, row_bytes, told

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from tam_widget.evaluation.data.samples import Dataset
    from tam_widget.evaluation.plausibility.matching import Matching
    from tam_widget.evaluation.plausibility.parts_of_speech import WordTagger

__all__ = ["METHODS", "Session", "evaluate"]

METHODS = ("tam", "causal", "filter", "cam", "uniform", "random", "centre")
"""The method and its parts: what the paper's ablation compares."""


def evaluate(
    model: Any,
    processor: Any,
    dataset: Dataset,
    *,
    out: str | os.PathLike[str],
    methods: Sequence[str] = METHODS,
    samples: int | None = None,
    faithfulness: int = 0,
    steps: int = 8,
    max_new_tokens: int = 128,
    matching: Matching = "exact",
    seed: int = 0,
    progress: bool | None = None,
) -> Run:
    """Let a model describe the pictures of a data set, and score the maps of several methods.

    Each sample's row is written when it is known, so a run that was stopped goes on where it was when it is started
    again with the same settings. More samples may be asked for then. A sample that fails has a row with its error. A
    row that is damaged, or belongs to another run, is made again, and a warning says so. One process at a time writes
    into the folder; a finished run may lie where nothing can be written.

    Parameters
    ----------
    model, processor
        As :func:`tam_widget.load` gives them.
    dataset : Dataset
        See :func:`tam_widget.evaluation.open_dataset`.
    out : path
        The run's folder; made where it is missing. It holds ``run.json``, a file a sample in ``rows/``, and in the end
        all of them in ``samples.parquet``.
    methods : sequence of str
        Names of :func:`tam_widget.evaluation.methods.method_names`. The others are held against the first.
    samples : int, optional
        How many, from the first; all when left out.
    faithfulness : int
        For how many samples, from the first, deletion and insertion are measured. It costs many forward passes a word.
    steps : int
        In how many steps these cover the picture.
    max_new_tokens : int
        Longest answer, in tokens.
    matching : {"exact", "released"}
        See :func:`tam_widget.evaluation.find_names`.
    seed : int
        Of all that is random.
    progress : bool, optional
        Whether a bar is shown; where there is a terminal or a notebook when left out.

    Returns
    -------
    Run

    Raises
    ------
    EvaluationError
        A setting out of its range; the folder holds a run with other settings, or one whose settings cannot be read;
        another process writes into it; or it cannot be written to.
    MethodError
        A method that does not exist.
    MissingDependencyError
        A package that the run needs is not installed; the message names the command.
    UnsupportedModelError
        The model cannot be explained.
    """
    settings = Settings(tuple(methods), faithfulness, steps, max_new_tokens, matching, seed)
    with Session(out, dataset, settings, samples, progress=progress) as session:
        session.learn_model(describe_model(model))
        for index in session.todo:
            session.keep(index, judge_sample(model, processor, dataset, index, settings, session.tagger))
    return Run(session.folder)


class Session:
    """One go at a run: checks that it is the same run, keeps rows as they come, and joins them in the end.

    Parameters
    ----------
    out : path
        The run's folder.
    dataset : Dataset
    settings : Settings
    samples : int, optional
        How many, from the first.
    workers : int
        How many processes work on it; only noted.
    progress : bool, optional
        Whether a bar is shown.

    Attributes
    ----------
    folder : pathlib.Path
    todo : list of int
        Indices of the samples whose rows are not there, or not whole; known once it is entered.
    tagger : WordTagger
        What tells types of words, here and in other processes.

    Raises
    ------
    EvaluationError, MissingDependencyError
        As for :func:`evaluate`.
    """

    def __init__(
        self,
        out: str | os.PathLike[str],
        dataset: Dataset,
        settings: Settings,
        samples: int | None = None,
        *,
        workers: int = 1,
        progress: bool | None = None,
    ) -> None:
        if samples is not None and samples < 1:
            raise EvaluationError(f"samples must be at least 1, not {samples}")
        needed("pyarrow", "keeping a run's rows", "eval")
        self.folder = Path(out)
        self.tagger: WordTagger = open_tagger()
        self._store = RowStore(self.folder)
        self._count = len(dataset) if samples is None else min(samples, len(dataset))
        self._workers, self._progress = workers, progress
        self._manifest = self.folder / MANIFEST
        self._parts: dict[str, Any] = {
            "data": describe_data(dataset),
            "settings": {**describe_settings(settings), "words": self.tagger.source},
            "versions": describe_versions(),
        }
        self._notes = list(dataset.notes)
        self.todo: list[int] = []
        self._again: dict[int, str] = {}
        self._kept = self._failed = 0
        self._model_known = False

    def learn_model(self, description: dict[str, Any]) -> None:
        """Make sure that it is the run's model, and write the manifest.

        Raises
        ------
        EvaluationError
            It is another model, or the manifest cannot be written.
        """
        if self._model_known:
            return
        check_same(self._manifest, {"model": description})
        parts = {"model": description, **self._parts, "notes": self._notes, "samples": self._count}
        self._store.run = made_with(keep_manifest(self._manifest, parts))
        self._model_known = True

    def keep(self, index: int, row: dict[str, Any]) -> None:
        """Write one sample's row.

        Raises
        ------
        EvaluationError
            It cannot be written.
        """
        self._store.write(index, row_bytes(row, self._store.run))
        self._kept += 1
        error = row["error"]
        if error is not None:
            self._failed += 1
            if self._failed == 1 and self._progress is not False:  # in time to stop a run of which nothing will come
                self._bar.write(f"sample {index} failed: {error}", file=sys.stderr)
            self._bar.set_postfix(failed=self._failed)
        self._bar.update()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._finished = self._look()
            if not self._finished:
                stack.enter_context(hold_folder(self.folder))
                for path in (self._manifest, self._store.joined, self._store.path(0)):
                    remove_partials(path.parent, f"*{path.suffix}")  # of processes that were killed
                self._look()  # another process may just have come to its end
            if self._again:
                warnings.warn(
                    f"{self.folder} has damaged rows, which are made again: {told(self._again)}", stacklevel=3
                )
            bar = needed("tqdm.auto", "a run's progress bar", "eval").tqdm
            quiet = None if self._progress is None else not self._progress
            done = self._count - len(self.todo)
            self._bar = bar(total=self._count, initial=done, unit="sample", disable=quiet, dynamic_ncols=True)
            self._started = time.perf_counter()
            self._held = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._held:
            self._bar.close()
            if kind is not None:
                with suppress(EvaluationError):  # on a full disk; the error on its way says so
                    self._note_session()
                return
            self._note_session()
            if not self._finished and is_there(self._manifest):
                keep_manifest(self._manifest, {"samples": self._count})
                self._store.join(self._count)

    def _look(self) -> bool:
        """See what is there and what is left to do, and tell whether there is nothing at all to write."""
        check_same(self._manifest, self._parts)
        self.todo, self._again = list(range(self._count)), {}
        if not is_there(self._manifest):
            return False
        manifest = read_manifest(self._manifest)
        self._store.run = made_with(manifest)
        done, self._again = self._store.look(self._count)
        self.todo = [index for index in range(self._count) if index not in done]
        said = (manifest["samples"], manifest.get("notes")) == (self._count, self._notes)
        return said and not self.todo and self._store.is_joined(done)

    def _note_session(self) -> None:
        if not self._kept:
            return
        seconds = round(time.perf_counter() - self._started, 3)
        session: dict[str, Any] = {"samples": self._kept, "seconds": seconds, "workers": self._workers}
        if self._again:
            session["made_again"] = list(self._again)
        before = read_manifest(self._manifest).get("sessions", [])
        keep_manifest(self._manifest, {"sessions": [*before, session]})
