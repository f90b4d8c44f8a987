"""The same run on many processes or machines: Ray Data hands out samples, and each worker holds a model."""

from __future__ import annotations

import logging
import os
import pickle
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from tam_widget.errors import EvaluationError
from tam_widget.evaluation.needed import needed
from tam_widget.evaluation.runs.judging import HOPELESS, Settings, judge_sample
from tam_widget.evaluation.runs.manifest import describe_model
from tam_widget.evaluation.runs.run import Run
from tam_widget.evaluation.runs.runner import METHODS, Session
from tam_widget.evaluation.runs.storage import row_bytes, row_from

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tam_widget.evaluation.data.samples import Dataset
    from tam_widget.evaluation.plausibility.matching import Matching
    from tam_widget.evaluation.plausibility.parts_of_speech import WordTagger

__all__ = ["evaluate_on_ray"]

_OBJECT_STORE = 128 * 2**20  # bytes: only indices and rows pass through it
_WHAT = "evaluating with several workers"
_ATTEMPTS = 5  # to start Ray
_LOOKS = 200  # at a process that has no arguments yet, 10 ms apart
# Ray's limits are meant for clusters that replace what is slow; here nothing else could take over.
_LIMITS = {
    "RAY_gcs_server_port_wait_time_s": "300",
    "RAY_worker_register_timeout_seconds": "600",
    "RAY_health_check_timeout_ms": "300000",
}


def evaluate_on_ray(
    load: str | Callable[[], tuple[Any, Any]],
    dataset: Dataset,
    *,
    out: str | os.PathLike[str],
    workers: int = 2,
    methods: Sequence[str] = METHODS,
    samples: int | None = None,
    faithfulness: int = 0,
    steps: int = 8,
    max_new_tokens: int = 128,
    matching: Matching = "exact",
    seed: int = 0,
    progress: bool | None = None,
) -> Run:
    """Do what :func:`evaluate` does, with one model in each of several workers of Ray.

    Rows, folder and going on later are those of :func:`evaluate`, and either may go on with the other's run. A worker
    that dies is started again, and its sample with it. A Ray that is running is used, that of ``RAY_ADDRESS`` too;
    otherwise one is started on this machine and stopped in the end. Ray then makes itself a token in
    ``~/.ray/auth_token``, unless there is one or ``RAY_AUTH_TOKEN_PATH`` names another file. Each worker gets a GPU
    where there are any.

    Parameters
    ----------
    load : str or callable
        ``"demo"``, ``"demo:llava"``, a name or folder for :func:`tam_widget.load`, or a function without arguments that
        returns model and processor. It runs once in each worker; methods of one's own are registered in it.
    dataset : Dataset
        Workers on other machines must find its files at the same paths.
    out : path
        The run's folder, on this machine.
    workers : int
        How many.
    methods, samples, faithfulness, steps, max_new_tokens, matching, seed, progress
        As for :func:`evaluate`.

    Returns
    -------
    Run

    Raises
    ------
    EvaluationError
        As for :func:`evaluate`; the folder holds a run of another model, or Ray did not start or gave up.
    MissingDependencyError
        Ray or another package is not installed; the message names the command.
    """
    if workers < 1:
        raise EvaluationError(f"workers must be at least 1, not {workers}")
    ray = needed("ray", _WHAT, "ray")
    data = needed("ray.data", _WHAT, "ray")
    settings = Settings(tuple(methods), faithfulness, steps, max_new_tokens, matching, seed)
    with Session(out, dataset, settings, samples, workers=workers, progress=progress) as session:
        if session.todo:
            try:
                with _running(ray, workers):
                    for found in _stream(ray, data, workers, load, dataset, settings, session):
                        if found["fatal"]:
                            raise pickle.loads(found["fatal"])  # noqa: S301 - our own worker's
                        session.learn_model(pickle.loads(found["model"]))  # noqa: S301 - our own worker's
                        session.keep(int(found["index"]), row_from(found["row"]))
            except ray.exceptions.RayError as error:
                why = str(error).strip().splitlines()[-1]
                raise EvaluationError(f"the workers failed, what is done is kept: {why}") from error
    return Run(session.folder)


def _stream(  # noqa: PLR0917 - called once, above
    ray: Any,
    data: Any,
    workers: int,
    load: str | Callable[[], tuple[Any, Any]],
    dataset: Dataset,
    settings: Settings,
    session: Session,
) -> Iterator[dict[str, Any]]:
    """Yield what the workers return, in the order in which it is done."""
    context = data.DataContext.get_current()
    shown, log = context.enable_progress_bars, logging.getLogger("ray.data")
    level = log.level
    context.enable_progress_bars = False  # there is one already
    log.setLevel(logging.ERROR)  # it tells of each plan, and that the bars are gone
    try:
        indices = data.from_items([{"index": index} for index in session.todo], override_num_blocks=len(session.todo))
        judged = indices.map_batches(
            _Worker,
            fn_constructor_args=(load, dataset, settings, session.tagger),
            batch_size=1,
            compute=data.ActorPoolStrategy(size=min(workers, len(session.todo))),
            num_gpus=1 if ray.cluster_resources().get("GPU") else 0,
        )
        yield from judged.iter_rows()
    finally:
        context.enable_progress_bars = shown
        log.setLevel(level)


class _Worker:
    """Holds a model and turns indices into rows; lives in a process of its own."""

    def __init__(
        self,
        load: str | Callable[[], tuple[Any, Any]],
        dataset: Dataset,
        settings: Settings,
        tagger: WordTagger,
    ) -> None:
        self._given = dataset, settings, tagger
        self._fatal = b""
        try:
            self._pair = load_pair(load) if isinstance(load, str) else load()
            self._model = pickle.dumps(describe_model(self._pair[0]))
        except Exception as error:  # noqa: BLE001 - raised again where the user sees it; here Ray would try for ever
            self._fatal = _packed(error)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        (index,) = (int(one) for one in batch["index"])
        found: dict[str, Any] = {"index": index, "model": b"", "row": b"", "fatal": self._fatal}
        if not self._fatal:
            dataset, settings, tagger = self._given
            try:
                row = judge_sample(*self._pair, dataset, index, settings, tagger)
                found.update(model=self._model, row=row_bytes(row))
            except HOPELESS as error:
                found["fatal"] = _packed(error)
        return {name: [value] for name, value in found.items()}


def load_pair(name: str) -> tuple[Any, Any]:
    """Load a model and its processor by ``"demo"`` or ``"demo:llava"``, a name on the hub or a folder."""
    from tam_widget.models.load import load, load_demo

    first, colon, demo = name.partition(":")
    if first != "demo":
        return load(name)
    return load_demo(demo) if colon else load_demo()


def _packed(error: Exception) -> bytes:
    """Return an error as bytes that can be read where its class is not known, too."""
    try:
        packed = pickle.dumps(error)
        pickle.loads(packed)  # noqa: S301 - made above
    except Exception:  # noqa: BLE001 - whatever an error of someone else's needs to be made again
        return pickle.dumps(EvaluationError(f"{type(error).__name__}: {error}"))
    return packed


@contextmanager
def _running(ray: Any, workers: int) -> Iterator[None]:
    """Have a Ray to work on; one that is started here is stopped here, with all that it wrote."""
    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # what is evaluated is nobody else's business
    if os.environ.get("RAY_ADDRESS"):
        ray.init(log_to_driver=False)
        try:
            yield
        finally:
            ray.shutdown()
        return
    for name, limit in _LIMITS.items():
        os.environ.setdefault(name, limit)
    with ExitStack() as stack:
        _start(ray, workers, stack)
        try:
            yield
        finally:
            ray.shutdown()


def _start(ray: Any, workers: int, stack: ExitStack) -> None:
    """Start Ray on this machine; the stack removes in the end what it wrote.

    Its node gives its helpers, Python processes, 15 seconds to start, and no setting changes that: on a busy machine
    it takes more than one attempt, and as few helpers as there can be.

    Raises
    ------
    EvaluationError
        It does not start.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True))
        try:
            with _few_helpers(ray):
                ray.init(
                    address="local",
                    num_cpus=max(workers, os.cpu_count() or 1),
                    object_store_memory=_OBJECT_STORE,
                    include_dashboard=False,
                    logging_level=logging.WARNING,
                    log_to_driver=False,
                    _temp_dir=folder,
                )
        except Exception as error:
            ray.shutdown()
            _end_processes(folder)
            if attempt == _ATTEMPTS or "timed out" not in str(error).lower():
                raise EvaluationError(
                    f"Ray did not start: {error} If this machine is busy, try again later, or name a Ray that runs "
                    "already in RAY_ADDRESS"
                ) from error
        else:
            return


@contextmanager
def _few_helpers(ray: Any) -> Iterator[None]:
    """Start nothing that would hire machines or copy logs, which ``ray.init`` has no way to say."""
    module: Any = getattr(getattr(ray, "_private", None), "parameter", None)
    if not hasattr(module, "RayParams"):
        yield  # another Ray, which starts what it starts
        return
    parameters = module.RayParams
    module.RayParams = partial(parameters, no_monitor=True, include_log_monitor=False)
    try:
        yield
    finally:
        module.RayParams = parameters


def _end_processes(folder: str) -> None:
    """End what a start that failed left running, which would go on for as long as this process does."""
    psutil = needed("psutil", _WHAT, "ray")  # Ray brings it
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if any(folder in argument for argument in _command_line(process)):
                process.kill()


def _command_line(process: Any) -> list[str]:
    """Return a process's arguments; for an instant after its start it has none, which says nothing of what it is."""
    for _ in range(_LOOKS):
        if arguments := process.cmdline():  # raises where it has ended
            return list(arguments)
        time.sleep(0.01)
    return []
