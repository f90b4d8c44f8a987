"""What passes between kernel and browser.

The other half is ``js/src/protocol.ts``: change both together. Traits are state (a saved page or a second view is
rebuilt from them without Python); messages are requests.
"""

from __future__ import annotations

from typing import Final, Literal, NotRequired, TypedDict

__all__ = [
    "PEAK_LEVEL",
    "UNSEEN",
    "CandidateState",
    "EmbeddedMaps",
    "ErrorReply",
    "MapReply",
    "MapRequest",
    "PictureState",
    "Ping",
    "Problem",
    "TokenState",
]

PEAK_LEVEL: Final = 254
"""A cell's level is ``value / peak * PEAK_LEVEL``, rounded: each token's map uses all levels, however weak it is."""

UNSEEN: Final = 255
"""The level of a cell that the token could not see (NaN in :meth:`Explanation.heatmap`)."""


class CandidateState(TypedDict):
    """One thing that the model might have said."""

    text: str
    probability: float
    rank: int
    chosen: bool


class TokenState(TypedDict):
    """One token of the text."""

    text: str
    lead: str
    """Characters between it and the token before it that belong to neither; nearly always empty."""
    role: Literal["prompt", "answer"]
    turn: int
    candidates: list[CandidateState]


class PictureState(TypedDict):
    """One picture or one frame of a video, small enough for a notebook file.

    A video's frames stand together, in order. The order of the pictures is that of the cells in a map.
    """

    data: bytes
    mime: str
    width: int
    height: int
    grid: tuple[int, int]
    """Rows and columns of the map."""
    image: int
    """Which picture or video of the explanation, counted from 0."""
    frame: int | None
    """Which frame of the video; None for a picture."""
    time: float | None
    """When the frame is seen, in seconds; None for a picture."""
    box: tuple[float, float, float, float]
    """Left, top, width and height of what the grid covers, as fractions of the picture; it may reach beyond it."""


class EmbeddedMaps(TypedDict):
    """The maps of all tokens, in the order of the tokens.

    ``cells`` holds each token's cells: those of every picture and frame in order, row by row. ``relevances`` holds 0
    values for token 0, 1 for token 1, … i for token i; each token's are ``value / relevance_peak * 255``.
    """

    cells: bytes
    relevances: bytes
    peaks: list[float]
    relevance_peaks: list[float]


class MapRequest(TypedDict):
    """Browser to kernel: the map of a token, or of one of its candidates."""

    id: str
    type: Literal["map"]
    token: int
    candidate: NotRequired[int | None]


class Ping(TypedDict):
    """Browser to kernel: wants no answer. The browser has its reasons (``js/src/client.ts``)."""

    type: Literal["ping"]


class MapReply(TypedDict):
    """Kernel to browser, with one buffer: all pictures' and frames' cells, then the relevances of the earlier tokens.

    ``peak`` is the map's maximum on the joint scale; 0 says that no picture played a part, or that none was seen yet.
    """

    id: str
    type: Literal["map"]
    token: int
    candidate: int | None
    peak: float
    relevance_peak: float


class Problem(TypedDict):
    """What went wrong, as a person may read it."""

    type: str
    message: str


class ErrorReply(TypedDict):
    """Kernel to browser, in place of a map. The id is None where the request had none."""

    id: str | None
    error: Problem
