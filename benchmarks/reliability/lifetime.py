"""Does anything stay behind? Explanations, widgets, Ctrl-C, threads.

``python benchmarks/reliability/lifetime.py`` prints a line of JSON for each row: what was tried, how often, what
happened. ``--share 0.02`` does a fiftieth of each; ``--only interrupts`` one of them. Growth is that of the resident
memory from a tenth of the way to the end.
"""

from __future__ import annotations

import argparse
import copy
import gc
import json
import random
import signal
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

import comm
import numpy as np
import psutil
from ipywidgets.widgets.widget import _instances

import tam_widget as tam
from tam_widget.models import capture

if TYPE_CHECKING:
    from collections.abc import Callable

    Row = dict[str, Any]

SEED = 7


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--share", type=float, default=1.0, help="of the full counts (default 1)")
    parser.add_argument("--only", choices=sorted(ROWS), help="one of the rows")
    given = parser.parse_args()
    for name, (measure, times) in ROWS.items():
        if given.only in {None, name}:
            start = time.perf_counter()
            row = measure(max(1, round(times * given.share)))
            print(json.dumps({**row, "seconds": round(time.perf_counter() - start, 1)}), flush=True)


def explains(times: int) -> Row:
    """Explain one scene again and again, and drop each explanation."""
    model, explain = _explainer()
    before = left_on(model)
    gone, memory = [], _Memory(times)
    for _ in range(times):
        ex = explain()
        ex.maps()
        gone += [weakref.ref(ex), weakref.ref(ex._bank._activations.states)]  # noqa: SLF001 - what takes the memory
        del ex
        memory.look()
    happened = {"alive": _alive(gone), "left on the model": left_on(model) - before}
    return {"tried": "explain, and drop", "times": times, "happened": happened | memory.grown()}


def displays(times: int) -> Row:
    """Show an explanation twice and a widget of its own, and close them."""
    _, explain = _explainer()
    first = explain()
    before = _open()
    gone, widgets, memory = [], 0, _Memory(times)
    for _ in range(times):
        ex = copy.copy(first)
        ids = {ex._repr_mimebundle_()[0][_VIEW]["model_id"] for _ in range(2)}
        own = ex.widget()
        own._repr_mimebundle_()
        widgets = max(widgets, len(ids))
        shown = _instances[ids.pop()]
        gone += [weakref.ref(ex), weakref.ref(own), weakref.ref(own.layout)]
        shown.close()
        own.close()
        del ex, own, shown
        memory.look()
    happened = {
        "alive": _alive(gone),
        "widgets of one explanation": widgets,
        "widgets and comms left": _open() - before,
    }
    return {"tried": "display twice, widget(), close", "times": times, "happened": happened | memory.grown()}


def interrupts(times: int) -> Row:
    """Press Ctrl-C at random moments of explain; see whether anything is left, and whether the next result is equal."""
    model, explain = _explainer()
    expected = explain()
    start = time.perf_counter()
    explain().maps()
    length = time.perf_counter() - start
    rng, before = random.Random(SEED), left_on(model)  # noqa: S311 - no secret
    came = left = different = 0
    earlier = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        for _ in range(times):
            try:
                signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-4, length))
                explain().maps()
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                came += 1
            left += left_on(model) != before
            found = explain()
            different += found.answer != expected.answer or not _same(found.maps(), expected.maps())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, earlier)
    happened = {"came before the end": came, "left something": left, "next result differs": different}
    return {"tried": "Ctrl-C at a random moment of explain", "times": times, "happened": happened}


def threads(times: int, count: int = 8) -> Row:
    """Hover from several threads at once, as subshells do; every answer must be the one a single thread gets."""
    _, explain = _explainer()
    ex = explain()
    rng = random.Random(SEED)  # noqa: S311
    requests = [_hover(rng, len(ex.tokens)) for _ in range(times)]
    alone, together = ex.widget(embed=False), copy.copy(ex).widget(embed=False)
    expected, found = _listen(alone), _listen(together)
    for number, request in enumerate(requests):
        _ask(alone, request, number)

    def hover(first: int) -> None:
        for number in range(first, times, count):
            _ask(together, requests[number], number)

    workers = [threading.Thread(target=hover, args=(first,)) for first in range(count)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    happened = {
        "errors": sum("error" in reply for reply, _ in found.values()),
        "answers missing": times - len(found),
        "answers that differ": sum(found[name] != expected[name] for name in found),
    }
    alone.close()
    together.close()
    return {"tried": f"hover from {count} threads at once", "times": times, "happened": happened}


def left_on(model: Any) -> int:
    """Count what a run could leave on a model: hooks, parts in training mode, a lock that is held."""
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")
    hooks = sum(len(getattr(module, kind)) for module in model.modules() for kind in kinds)
    return hooks + sum(module.training for module in model.modules()) + (not _is_free(model))


def _is_free(model: Any) -> bool:
    """Whether another thread could have the model."""
    free = []

    def take() -> None:
        lock = capture._lock_of(model)  # noqa: SLF001
        free.append(lock.acquire(blocking=False))
        if free[0]:
            lock.release()

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    return bool(free[0])


def _explainer() -> tuple[Any, Callable[[], tam.Explanation]]:
    """Return the demo model, and a function that explains a scene with it, always the same."""
    model, processor = tam.load_demo()
    scene = tam.demo.scene(seed=SEED)
    explain = lambda: tam.explain(model, processor, scene.image, scene.prompt)  # noqa: E731
    explain()  # transformers sets a few things up when it first runs
    return model, explain


class _Memory:
    """How the resident memory grows from a tenth of the way to the end, in MB."""

    def __init__(self, times: int) -> None:
        self._times, self._done, self._early = times, 0, 0

    def look(self) -> None:
        self._done += 1
        if self._done == max(1, self._times // 10):
            self._early = self._now()

    def grown(self) -> dict[str, float]:
        return {"grown, MB": round((self._now() - self._early) / 2**20, 1)}

    @staticmethod
    def _now() -> int:
        gc.collect()
        size: int = psutil.Process().memory_info().rss
        return size


def _alive(gone: list[Any]) -> int:
    gc.collect()
    return sum(one() is not None for one in gone)


def _open() -> int:
    gc.collect()
    return len(_instances) + len(getattr(comm.get_comm_manager(), "comms", ()))


def _same(one: Any, other: Any) -> bool:
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one.images, other.images, strict=True))


def _listen(widget: tam.TAMWidget) -> dict[str, Any]:
    """Return what will hold the replies of a widget, by id."""
    replies: dict[str, Any] = {}

    def send(data: Any, buffers: Any = None) -> None:
        content = data["content"]
        replies[content["id"]] = (content, [bytes(buffer) for buffer in buffers or ()])

    widget.comm.send = send
    return replies


def _ask(widget: tam.TAMWidget, request: Row, number: int) -> None:
    """Hand a widget a request as from the page."""
    data = {"method": "custom", "content": {**request, "id": str(number)}}
    widget.comm.handle_msg({"content": {"data": data}, "buffers": []})


def _hover(rng: random.Random, count: int) -> Row:
    method = {"causal_inference": rng.random() < 0.8, "kernel_size": rng.choice([1, 3, 5]), "part": "map"}
    kind = rng.choice(["map", "map", "map", "region", "scale"])
    if kind == "region":
        return {"type": kind, "image": 0, "frame": None, "box": [0.25, 0.25, 0.5, 0.75], "method": method}
    if kind == "scale":
        return {"type": kind, "method": method}
    first = rng.randrange(count)
    tokens = list(range(first, min(count, first + rng.choice([1, 1, 2]))))
    return {"type": kind, "tokens": tokens, "combine": "mean", "candidate": None, "method": method}


_VIEW = "application/vnd.jupyter.widget-view+json"
ROWS: dict[str, tuple[Callable[[int], Row], int]] = {
    "explains": (explains, 1000),
    "displays": (displays, 1000),
    "interrupts": (interrupts, 200),
    "threads": (threads, 2000),
}

if __name__ == "__main__":
    main()
