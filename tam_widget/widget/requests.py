"""Answers to what the browser asks. No request may raise: an error is an answer too."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from tam_widget.widget.encode import encode_map, greatest
from tam_widget.widget.traits import can_be_sent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tam_widget.explanation import Explanation
    from tam_widget.replay.passes import Known
    from tam_widget.widget.protocol import (
        CheckReply,
        CostState,
        ErrorReply,
        LaterReply,
        MapReply,
        Problem,
        RegionReply,
        ScaleReply,
    )

    Reply = MapReply | RegionReply | ScaleReply | CheckReply | LaterReply | ErrorReply

__all__ = ["Turns", "answer", "later"]

_SECONDS = 0.25  # for so long all maps are made, or a word is checked, before something else may be asked


class Turns:
    """One request is answered at a time; of those of one asker that wait, only the newest."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: dict[str, Any] = {}

    @contextmanager
    def of(self, request: Any) -> Iterator[bool]:
        """Wait for a request's turn; give whether it is its asker's newest."""
        name = request.get("id") if isinstance(request, dict) else None
        asker = name.rpartition("-")[0] if isinstance(name, str) and name.isascii() else ""  # as a page's ids are
        if asker:
            self._newest[asker] = request
        with self._lock:
            is_newest = not asker or self._newest.get(asker) is request
            try:
                yield is_newest
            finally:
                if asker and self._newest.get(asker) is request:
                    del self._newest[asker]


def later(request: dict[str, Any], share: float = 0.0) -> tuple[LaterReply, list[bytes]]:
    """Answer that there is no answer yet, but this share of it."""
    return {"id": request["id"], "type": "later", "share": share}, []


def answer(explanation: Explanation, request: Any) -> tuple[Reply, list[bytes]] | None:
    """Answer one request.

    Parameters
    ----------
    explanation : Explanation
        What is asked about.
    request : MapRequest, RegionRequest, ScaleRequest, CheckRequest or Ping
        As it came from the browser, not trusted.

    Returns
    -------
    reply : MapReply, RegionReply, ScaleReply, CheckReply, LaterReply or ErrorReply
        Bears the request's id.
    buffers : list of bytes
        What goes with the reply.

    None for a ping.
    """
    if request == {"type": "ping"}:
        return None
    name = request.get("id") if isinstance(request, dict) else None
    if isinstance(name, str) and not can_be_sent(name):
        name = None  # nor could an answer that bears it
    try:
        kind = request.get("type") if isinstance(name, str) else None
        if not isinstance(name, str) or kind not in _ANSWERS:
            raise ValueError(f"not a request: {request!r:.200}")  # noqa: TRY301 (one way out for every error)
        answered: tuple[Reply, list[bytes]] = _ANSWERS[kind](explanation, name, request)
    except Exception as error:  # noqa: BLE001 (whatever went wrong belongs in front of the person who hovered)
        problem: Problem = {"type": type(error).__name__, "message": str(error) or "no message"}
        return {"id": name if isinstance(name, str) else None, "error": problem}, []
    return answered


def _map(explanation: Explanation, name: str, request: dict[str, Any]) -> tuple[MapReply, list[bytes]]:
    tokens = _tokens(explanation, request)
    candidate = request.get("candidate")
    if candidate is not None:
        candidate = _index(candidate, "candidate")
        if len(tokens) > 1:
            raise ValueError("a candidate stands in the place of one token, not of several")
    cells, peak, relevances, relevance_peak = encode_map(
        explanation, tokens, candidate, combine=str(request.get("combine")), **_method(request)
    )
    reply: MapReply = {"id": name, "type": "map", "peak": peak, "relevance_peak": relevance_peak}
    return reply, [cells + relevances]


def _region(
    explanation: Explanation, name: str, request: dict[str, Any]
) -> tuple[RegionReply | LaterReply, list[bytes]]:
    image, frame, box = _index(request.get("image"), "image"), request.get("frame"), request.get("box")
    if not isinstance(box, list) or len(box) != 4 or not all(isinstance(edge, int | float) for edge in box):  # noqa: PLR2004
        raise TypeError(f"box must be four numbers; got {box!r:.200}")
    size, method = explanation.images[image], _whole_method(request)
    if not explanation.prepare(seconds=_SECONDS, **method):
        return later(request)
    scores = explanation.responses(
        (box[0] * size.width, box[1] * size.height, box[2] * size.width, box[3] * size.height),
        image,
        None if frame is None else _index(frame, "frame"),
        **method,
    )
    return {"id": name, "type": "region"}, [scores.astype("<f4").tobytes()]


def _scale(explanation: Explanation, name: str, request: dict[str, Any]) -> tuple[ScaleReply | LaterReply, list[bytes]]:
    method = _whole_method(request)
    if not explanation.prepare(seconds=_SECONDS, **method):
        return later(request)
    last = max(token.turn for token in explanation.tokens)
    said = [token.index for token in explanation.tokens if token.role == "answer" and token.turn == last]
    return {"id": name, "type": "scale", "peak": greatest(explanation, said, **method)}, []


def _check(explanation: Explanation, name: str, request: dict[str, Any]) -> tuple[CheckReply | LaterReply, list[bytes]]:
    from tam_widget.checks.asking import begin  # it needs transformers, which takes seconds to load

    tokens, method = _tokens(explanation, request), _whole_method(request)
    key, end = repr((tokens, sorted(method.items()))), time.monotonic() + _SECONDS
    last, found = _UNFINISHED.pop(explanation, ("", None))
    checking = begin(explanation, tokens, known=found if last == key else None, **method)
    for left in checking.steps(0):
        if left and time.monotonic() >= end:
            _UNFINISHED[explanation] = key, checking.known
            return later(request, 1 - left / checking.count(0))
    verdict = checking.verdict(0)
    costs: list[CostState] = [{"name": about, "nats": nats} for about, nats in verdict.costs]
    return {"id": name, "type": "check", "sentence": verdict.sentence, "costs": costs}, []


_ANSWERS: dict[Any, Any] = {"map": _map, "region": _region, "scale": _scale, "check": _check}

# Of each explanation the latest check that is under way, and what it has found; it does not keep the model.
_UNFINISHED: WeakKeyDictionary[Explanation, tuple[str, Known]] = WeakKeyDictionary()


def _tokens(explanation: Explanation, request: dict[str, Any]) -> list[int]:
    tokens = request.get("tokens")
    if not isinstance(tokens, list) or not tokens:
        raise TypeError(f"tokens must be a list of indices; got {tokens!r:.200}")
    if len(tokens) > len(explanation.tokens):
        raise ValueError(f"there are {len(explanation.tokens)} tokens; got a list of {len(tokens):,}")
    tokens = [_index(token, "a token") for token in tokens]
    if len(set(tokens)) < len(tokens):
        raise ValueError(f"a token can be named once; got {tokens!r:.200}")
    return tokens


def _method(request: dict[str, Any]) -> dict[str, Any]:
    method = request.get("method")
    if not isinstance(method, dict) or method.keys() != {"causal_inference", "kernel_size", "part"}:
        raise TypeError(f"method must say causal_inference, kernel_size and part; got {method!r:.200}")
    if not isinstance(method["causal_inference"], bool):
        raise TypeError(f"causal_inference must be true or false; got {method['causal_inference']!r:.200}")
    return method


def _whole_method(request: dict[str, Any]) -> dict[str, Any]:
    """Return the method of a map; a single part of it has no joint scale, on which tokens could be compared."""
    return {name: value for name, value in _method(request).items() if name != "part"}


def _index(value: Any, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{what} must be an index; got {value!r:.200}")
    if value < 0:
        raise IndexError(f"{what} must not be negative; got {value}")
    return value
