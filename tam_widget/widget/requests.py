"""Answers to what the browser asks. No request may raise: an error is an answer too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tam_widget.widget.encode import encode_map

if TYPE_CHECKING:
    from tam_widget.explanation import Explanation
    from tam_widget.widget.protocol import ErrorReply, MapReply, Problem

__all__ = ["answer"]


def answer(explanation: Explanation, request: Any) -> tuple[MapReply | ErrorReply, list[bytes]] | None:
    """Answer one request.

    Parameters
    ----------
    explanation : Explanation
        What is asked about.
    request : MapRequest or Ping
        As it came from the browser, not trusted.

    Returns
    -------
    reply : MapReply or ErrorReply
        Bears the request's id.
    buffers : list of bytes
        What goes with the reply.

    None for a ping.
    """
    if request == {"type": "ping"}:
        return None
    name = request.get("id") if isinstance(request, dict) else None
    try:
        if not isinstance(name, str) or request.get("type") != "map":
            raise ValueError(f"not a request for a map: {request!r:.200}")  # noqa: TRY301 (one way out for every error)
        token, candidate = _index(request, "token"), request.get("candidate")
        if candidate is not None:
            candidate = _index(request, "candidate")
        cells, peak, relevances, relevance_peak = encode_map(explanation, token, candidate)
    except Exception as error:  # noqa: BLE001 (whatever went wrong belongs in front of the person who hovered)
        problem: Problem = {"type": type(error).__name__, "message": str(error) or "no message"}
        return {"id": name if isinstance(name, str) else None, "error": problem}, []
    reply: MapReply = {
        "id": name,
        "type": "map",
        "token": token,
        "candidate": candidate,
        "peak": peak,
        "relevance_peak": relevance_peak,
    }
    return reply, [cells + relevances]


def _index(request: dict[str, Any], key: str) -> int:
    value = request.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{key} must be an index; got {value!r:.200}")
    if value < 0:
        raise IndexError(f"{key} must not be negative; got {value}")
    return value
