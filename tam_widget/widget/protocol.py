"""What passes between kernel and browser.

The other half is ``js/src/kernel/protocol.ts``: change both together. Traits are state (a saved page or a second view
is rebuilt from them without Python); messages are requests.
"""

from __future__ import annotations

from typing import Final, Literal, TypedDict

__all__ = [
    "PEAK_LEVEL",
    "UNSEEN",
    "CandidateState",
    "CheckReply",
    "CheckRequest",
    "CostState",
    "EmbeddedMaps",
    "ErrorReply",
    "LaterReply",
    "MapReply",
    "MapRequest",
    "MethodState",
    "PictureState",
    "Ping",
    "Problem",
    "RegionReply",
    "RegionRequest",
    "ScaleReply",
    "ScaleRequest",
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
    whole: str
    """What it shows where words are picked: the graphemes that it completes. ``text`` is what it is by itself."""
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


class MethodState(TypedDict):
    """Which parts of the method make a map; see :class:`tam_widget.explanation.map_bank.Method`."""

    causal_inference: bool
    kernel_size: int
    part: Literal["map", "raw", "interference"]


class MapRequest(TypedDict):
    """Browser to kernel: the map of a token, of a word or span as one, or of one of a token's candidates."""

    id: str
    type: Literal["map"]
    tokens: list[int]
    """In order, at least one."""
    combine: Literal["mean", "max"]
    """What several tokens' maps give in each cell."""
    candidate: int | None
    """Rank, from 0, of a candidate that is explained in the token's place; then there is one token."""
    method: MethodState


class RegionRequest(TypedDict):
    """Browser to kernel: how strongly each token responds to a part of a picture."""

    id: str
    type: Literal["region"]
    image: int
    frame: int | None
    box: tuple[float, float, float, float]
    """Left, top, right and bottom as fractions of the picture; of a point its ends are the same."""
    method: MethodState


class ScaleRequest(TypedDict):
    """Browser to kernel: the greatest value of all the last answer's maps."""

    id: str
    type: Literal["scale"]
    method: MethodState


class CheckRequest(TypedDict):
    """Browser to kernel: whether a word needs the place that its map marks; see :meth:`Explanation.check`."""

    id: str
    type: Literal["check"]
    tokens: list[int]
    """In order, at least one; of answers."""
    method: MethodState


class Ping(TypedDict):
    """Browser to kernel: wants no answer. The browser has its reasons (``js/src/kernel/client.ts``)."""

    type: Literal["ping"]


class MapReply(TypedDict):
    """Kernel to browser, with one buffer: all pictures' and frames' cells, then the relevances of the earlier tokens.

    The relevances are those of tokens 0 up to the last one asked for, that one excluded; of several tokens the
    greatest. ``peak`` is the map's maximum, on the joint scale (of a part of the method, in logits); 0 says that no
    picture played a part, or that none was seen yet.
    """

    id: str
    type: Literal["map"]
    peak: float
    relevance_peak: float


class RegionReply(TypedDict):
    """Kernel to browser, with one buffer: a float32 for each token, on the joint scale; NaN where it saw nothing."""

    id: str
    type: Literal["region"]


class ScaleReply(TypedDict):
    """Kernel to browser."""

    id: str
    type: Literal["scale"]
    peak: float


class CostState(TypedDict):
    """What covering something costs a word."""

    name: str
    nats: float


class CheckReply(TypedDict):
    """Kernel to browser."""

    id: str
    type: Literal["check"]
    sentence: str
    costs: list[CostState]


class LaterReply(TypedDict):
    """Kernel to browser, in place of an answer: it takes longer, or the same asker has asked something newer.

    Who still wants the answer asks again; what was made so far is kept. Requests whose ids are the same up to their
    last hyphen are one asker's.
    """

    id: str
    type: Literal["later"]
    share: float
    """How much of it is done, in [0, 1]; 0 where that is not known."""


class Problem(TypedDict):
    """What went wrong, as a person may read it."""

    type: str
    message: str


class ErrorReply(TypedDict):
    """Kernel to browser, in place of a map. The id is None where the request had none."""

    id: str | None
    error: Problem
