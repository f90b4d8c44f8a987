"""What does a page do that sends anything at all? Requests without an answer, and states that Python would refuse.

``python benchmarks/reliability/hostile.py`` prints a line of JSON for each row: what was tried, how often, what
happened. ``--share 0.02`` does a fiftieth. Messages go the way of the page's: through the widget's comm.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import random
import time
from typing import TYPE_CHECKING, Any

import tam_widget as tam

if TYPE_CHECKING:
    from collections.abc import Callable

    Row = dict[str, Any]

SEED = 7


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--share", type=float, default=1.0, help="of the full counts (default 1)")
    share = parser.parse_args().share
    logging.disable(logging.CRITICAL)  # ipywidgets logs every value that is refused
    model, processor = tam.load_demo()
    scene = tam.demo.scene(seed=SEED)
    ex = tam.explain(model, processor, scene.image, scene.prompt)
    for measure, times in ROWS:
        start = time.perf_counter()
        row = measure(ex, max(1, round(times * share)))
        print(json.dumps({**row, "seconds": round(time.perf_counter() - start, 1)}), flush=True)


def messages(ex: tam.Explanation, times: int) -> Row:
    """Send requests that are broken somewhere, and count those that got no answer that can be sent."""
    rng, widget = random.Random(SEED), ex.widget()  # noqa: S311 - no secret
    replies: list[Any] = []
    widget.comm.send = lambda data, **_: replies.append(data)
    silent = unsendable = errors = foreign = 0
    for _ in range(times):
        request = _request(rng, len(ex.tokens))
        replies.clear()
        _receive(widget, {"method": "custom", "content": request})
        if request == {"type": "ping"}:
            foreign += len(replies)
            continue
        silent += len(replies) != 1
        unsendable += not all(map(_can_be_sent, replies))
        for reply in replies:
            errors += "error" in reply["content"]
            name = request.get("id") if isinstance(request, dict) else None
            foreign += reply["content"]["id"] not in {name if isinstance(name, str) else None, None}
    widget.close()
    happened = {"without one answer": silent, "answers that cannot be sent": unsendable, "answers to another": foreign}
    return {"tried": "hostile requests", "times": times, "happened": {**happened, "answered with an error": errors}}


def updates(ex: tam.Explanation, times: int) -> Row:
    """Set traits from the page to anything, and count the states that Python would refuse."""
    rng, widget, judge = random.Random(SEED), ex.widget(), ex.widget()  # noqa: S311
    traits = [name for name in widget.keys if name != "layout"]
    fixed = {name: getattr(widget, name) for name in traits if not _is_free(widget, name)}
    taken = refused = halfway = wrong = changed = told = 0
    sent: list[Any] = []
    widget.comm.send = lambda data, **_: sent.append(data)
    for _ in range(times):
        names = rng.sample(traits, rng.choice([1, 1, 1, 2, 3]))
        state = {name: _value(rng, name) for name in names}
        before = {name: getattr(widget, name) for name in names}
        sent.clear()
        _receive(widget, {"method": "update", "state": dict(state)})
        after = {name: getattr(widget, name) for name in names}
        changed += any(getattr(widget, name) is not value for name, value in fixed.items())
        free = [name for name in names if name not in fixed]
        by_hand = all(_takes(judge, name, state[name]) for name in free)
        taken, refused = taken + by_hand, refused + (not by_hand)
        halfway += not by_hand and after != before
        wrong += any(not _takes(judge, name, after[name]) or getattr(judge, name) != after[name] for name in free)
        corrections = [data["state"] for data in sent if data["method"] == "update"]
        told += not by_hand and not any(set(free) <= state.keys() for state in corrections)
    widget.close()
    judge.close()
    happened = {
        "taken as a whole": taken,
        "refused": refused,
        "refused and yet changed": halfway,
        "states that Python refuses": wrong,
        "what is not for setting changed": changed,
        "refused and the page not told": told,
    }
    return {"tried": "hostile trait updates", "times": times, "happened": happened}


def _receive(widget: Any, data: Row) -> None:
    """Hand a widget what a page sends."""
    widget.comm.handle_msg({"content": {"data": data}, "buffers": []})


def _takes(widget: Any, name: str, value: Any) -> bool:
    from traitlets import TraitError

    try:
        setattr(widget, name, value)
    except TraitError:
        return False
    return True


def _is_free(widget: Any, name: str) -> bool:
    """Whether a page may set a trait."""
    return name == "_view_count" or not (name.startswith("_") or widget.traits()[name].read_only)


def _can_be_sent(data: Any) -> bool:
    try:
        json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError):
        return False
    return True


_AWKWARD = (
    [None, True, False],
    [0, 1, -1, 2, 3, 4, 51, 2**31, 2**64, -(2**64), 10**400],
    [0.0, 0.5, 1.0, -0.0, 1e-320, 1.5, 1e308, math.nan, math.inf, -math.inf, 3.0],
    ["", "map", "word", "\ud800", "a\udfffb", "\x00", "🙂", "id", "inferno", "NaN", "1", "x" * 9999],
    list(range(20)),
)
_KEYS = ("image", "frame", "box", "id", "type", "constructor", "__class__", "\ud800", "")


def _anything(rng: random.Random, depth: int = 0) -> Any:
    """Return what JSON can hold, as Python reads it; the awkward more often than the plain."""
    if depth > 1 or rng.random() < 0.75:
        return rng.choice(rng.choice(_AWKWARD))
    inside = [_anything(rng, depth + 1) for _ in range(rng.randrange(6))]
    return inside if rng.random() < 0.5 else {rng.choice(_KEYS): value for value in inside}


def _spoilt(rng: random.Random, value: Any) -> Any:
    """Return a valid value with something wrong in it, at any depth; sometimes as it was."""
    if rng.random() < 0.3:
        return _anything(rng)
    if isinstance(value, dict) and value:
        spoilt = dict(value)
        name = rng.choice(list(value))
        if rng.random() < 0.2:
            del spoilt[name]
        else:
            spoilt[name] = _spoilt(rng, value[name])
        return spoilt
    if isinstance(value, list) and value:
        place = rng.randrange(len(value))
        return [*value[:place], *([_spoilt(rng, value[place])] * rng.randrange(3)), *value[place + 1 :]]
    return value


def _request(rng: random.Random, count: int) -> Any:
    method = {
        "causal_inference": rng.random() < 0.5,
        "kernel_size": rng.choice([1, 3]),
        "part": rng.choice(["map", "raw", "interference"]),
    }
    tokens = [rng.randrange(count + 2) for _ in range(rng.choice([1, 1, 2]))]
    request = rng.choice(
        [
            {"type": "map", "tokens": tokens, "combine": "mean", "candidate": rng.choice([None, 0, 9])},
            {"type": "region", "image": 0, "frame": None, "box": [0.25, 0.25, 0.5, 0.5]},
            {"type": "scale"},
            {"type": "ping"},
        ]
    )
    if request["type"] != "ping":
        request |= {"id": rng.choice(["a-1", "\ud800", "🙂", ""]), "method": method}
    return _spoilt(rng, request)


_VALID: Row = {
    "opacity": 0.5,
    "threshold": 0.5,
    "colormap": "jet",
    "unit": "token",
    "kernel_size": 5,
    "selected": [1, 2],
    "pinned": [0],
    "region": {"image": 0, "frame": None, "box": [0, 0, 1, 1]},
    "focus": ["circle", 0],
    "title": "a title",
}


def _value(rng: random.Random, name: str) -> Any:
    return _spoilt(rng, _VALID.get(name, True))


ROWS: list[tuple[Callable[[tam.Explanation, int], Row], int]] = [(messages, 20_000), (updates, 5_000)]

if __name__ == "__main__":
    main()
