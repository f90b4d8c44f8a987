"""Answers to what the browser asks. No request may raise: an error is an answer too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tam_widget.widget.encode import encode_map
from tam_widget.widget.traits import can_be_sent

if TYPE_CHECKING:
    from tam_widget.explanation import Explanation
    from tam_widget.widget.protocol import ErrorReply, MapReply, Problem, RegionReply, ScaleReply

    Reply = MapReply | RegionReply | ScaleReply | ErrorReply

__all__ = ["answer"]


def answer(explanation: Explanation, request: Any) -> tuple[Reply, list[bytes]] | None:
    """Answer one request.

    Parameters
    ----------
    explanation : Explanation
        What is asked about.
    request : MapRequest, RegionRequest, ScaleRequest or Ping
        As it came from the browser, not trusted.

    Returns
    -------
    reply : MapReply, RegionReply, ScaleReply or ErrorReply
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
    tokens = request.get("tokens")
    if not isinstance(tokens, list) or not tokens:
        raise TypeError(f"tokens must be a list of indices; got {tokens!r:.200}")
    tokens = [_index(token, "a token") for token in tokens]
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


def _region(explanation: Explanation, name: str, request: dict[str, Any]) -> tuple[RegionReply, list[bytes]]:
    image, frame, box = _index(request.get("image"), "image"), request.get("frame"), request.get("box")
    if not isinstance(box, list) or len(box) != 4 or not all(isinstance(edge, int | float) for edge in box):  # noqa: PLR2004
        raise TypeError(f"box must be four numbers; got {box!r:.200}")
    size = explanation.images[image]
    scores = explanation.responses(
        (box[0] * size.width, box[1] * size.height, box[2] * size.width, box[3] * size.height),
        image,
        None if frame is None else _index(frame, "frame"),
        **_whole_method(request),
    )
    return {"id": name, "type": "region"}, [scores.astype("<f4").tobytes()]


def _scale(explanation: Explanation, name: str, request: dict[str, Any]) -> tuple[ScaleReply, list[bytes]]:
    maps = explanation.maps(**_whole_method(request))
    last = max(token.turn for token in explanation.tokens)
    said = [token.index for token in explanation.tokens if token.role == "answer" and token.turn == last]
    peak = max((float(np.nanmax(image[said], initial=0)) for image in maps.images), default=0.0) if said else 0.0
    return {"id": name, "type": "scale", "peak": peak}, []


_ANSWERS: dict[Any, Any] = {"map": _map, "region": _region, "scale": _scale}


def _method(request: dict[str, Any]) -> dict[str, Any]:
    method = request.get("method")
    if not isinstance(method, dict) or method.keys() != {"causal_inference", "kernel_size", "part"}:
        raise TypeError(f"method must say causal_inference, kernel_size and part; got {method!r:.200}")
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
