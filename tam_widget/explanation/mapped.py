"""A text over pictures whose maps can be asked for: of a token, of all, over a part of a picture."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np

from tam_widget.errors import TokenIndexError
from tam_widget.explanation.map_bank import MapBank, check_window
from tam_widget.explanation.region import mean_over
from tam_widget.lenses.agreement import agreement
from tam_widget.lenses.interface import KERNEL_SIZE, LENSES, PUBLISHED, Method
from tam_widget.media.videos import Video
from tam_widget.text.tokens import Candidate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PIL import Image

    from tam_widget.explanation.token_maps import Maps
    from tam_widget.lenses.interface import LensName, Part
    from tam_widget.models.layout import Box, PanelKind
    from tam_widget.text.tokens import Token

__all__ = ["Mapped"]


class Mapped:
    """The half of an :class:`Explanation` that gives numbers; which attributes there are, it says itself."""

    tokens: tuple[Token, ...]
    images: tuple[Image.Image | Video, ...]
    grids: tuple[tuple[int, ...], ...]
    boxes: tuple[Box, ...]
    _bank: MapBank

    def heatmap(
        self,
        token: SupportsIndex,
        candidate: SupportsIndex | Candidate | None = None,
        image: SupportsIndex = 0,
        view: PanelKind = "stitched",
        *,
        lens: LensName = "tam",
        causal_inference: bool = True,
        kernel_size: int = KERNEL_SIZE,
        part: Part = "map",
    ) -> NDArray[np.float32]:
        """Return the map of one token on one picture: its Token Activation Map, or another lens's.

        Equations 1 to 7 of Li et al., "Token Activation Map to Visually Explain Multimodal LLMs", ICCV 2025 (arXiv
        2506.23270).

        Parameters
        ----------
        token : int or Token
            Which token; negative indices count from the end.
        candidate : int or Candidate, optional
            Explain this one of the token's candidates in its place (0 is the most probable): where would the model
            have looked had it said that?
        image : int
            Which picture or video.
        view : {"stitched", "global"}
            Where the model was shown the picture in tiles and, beside them, as a whole: the tiles put together, or the
            coarser whole. Of other pictures both are the same.
        lens : {"tam", "contribution", "attention", "attention_mean"}
            How the run is read. ``"tam"``: what the vision tokens represent. ``"contribution"``: what each of them
            contributes to the word's logit directly, through the attention of all layers. ``"attention"``: what the
            last layer attends to, the mean of its heads; ``"attention_mean"``: the mean of all layers. These two are
            the same for every candidate. :attr:`lenses` says which were taken.
        causal_inference, kernel_size
            As for :meth:`maps`; of TAM alone.
        part : {"map", "raw", "interference", "signed"}
            The map. Or, of TAM, the raw activation that it begins with (equation 1), or what causal inference takes
            away from it (equations 3 and 4): both in logits, ≥ 0, before scale and filter. Or, of contributions, the
            numbers themselves, in logits: below zero where a cell speaks against the word. The signed maps of two
            candidates differ by what each cell contributes to the one and not the other.

        Returns
        -------
        numpy.ndarray of float32, shape (rows, columns) or (frames, rows, columns)
            In [0, 1], not stretched: of TAM on a scale common to all pictures and the earlier text; of other lenses
            the positive part, 1 being the largest value of all tokens and candidates. All zero where the token has no
            activation in the picture. NaN where the model saw nothing: cut away, padding, or a picture
            that comes after the token. The caller's own copy.

        Raises
        ------
        TokenIndexError
            An index outside the explanation; also an ``IndexError``.
        LensError
            The lens was not taken during the run, or the model does not allow it; also a ``ValueError``.
        ValueError
            Another view, lens or part, a kernel size that :meth:`maps` refuses, or an argument of TAM with another
            lens.
        """
        place = self._place(image, len(self.images), "picture")
        if view not in {"stitched", "global"}:
            raise ValueError(f"view must be 'stitched' or 'global', not {view!r}")
        maps = self._one(
            token,
            candidate,
            self._method(causal_inference=causal_inference, kernel_size=kernel_size, part=part, lens=lens),
        )
        heatmap: NDArray[np.float32] = (maps.images if view == "stitched" else maps.overviews)[place][0].copy()
        return heatmap

    def relevance(
        self, token: SupportsIndex, candidate: SupportsIndex | Candidate | None = None
    ) -> NDArray[np.float32]:
        """Return how much each earlier text token has to do with one token.

        Parameters
        ----------
        token : int or Token
            Which token, i; negative indices count from the end.
        candidate : int or Candidate, optional
            One of the token's candidates in its place.

        Returns
        -------
        numpy.ndarray of float32, shape (i,)
            In [0, 1], on the scale of the token's heatmap, tokens of identical text included. The caller's own copy.

        Raises
        ------
        TokenIndexError
            An index outside the explanation; also an ``IndexError``.
        """
        index = self.index(token)
        return self._one(index, candidate).relevance[0, :index].copy()

    def maps(self, *, lens: LensName = "tam", causal_inference: bool = True, kernel_size: int = KERNEL_SIZE) -> Maps:
        """Return the heatmaps and relevances of all tokens at once, read-only, in the order of :attr:`tokens`.

        Parameters
        ----------
        lens : {"tam", "contribution", "attention", "attention_mean"}
            As for :meth:`heatmap`; other lenses than TAM say nothing of text, and their relevances are NaN.
        causal_inference : bool
            False leaves equations 3 to 5 out: nothing that earlier text explains is taken away.
        kernel_size : int
            Side of the rank Gaussian filter's window in cells, odd; 1 leaves the filter out. No larger than the shorter
            side of the largest grid, and than 15 cells; up to 7 can always be had. Without causal inference and filter,
            the maps are the raw activations, CAM, on the joint scale.

        Returns
        -------
        Maps
            Of T tokens.

        Raises
        ------
        ValueError
            If the kernel size is not a positive odd number, or too large.
        """
        return self._bank.every(self._method(causal_inference=causal_inference, kernel_size=kernel_size, lens=lens))

    def prepare(
        self,
        tokens: Sequence[SupportsIndex] | None = None,
        candidate: SupportsIndex | Candidate | None = None,
        *,
        seconds: float | None = None,
        **method: Any,
    ) -> bool:
        """Make maps ahead, together, which takes less time than one by one; then asking for them is quick.

        Parameters
        ----------
        tokens : sequence of int or Token, optional
            Of which tokens; the latest 128 maps are kept. Of all of them when left out, as :meth:`maps` returns them.
        candidate : int or Candidate, optional
            One of the token's candidates in its place; needs one token.
        seconds : float, optional
            Of all tokens: stop after about so long, to be asked again.
        **method
            ``lens``, ``causal_inference``, ``kernel_size``, and for some tokens ``part``: as for :meth:`heatmap`.

        Returns
        -------
        bool
            False where it stopped before the end. Of all tokens also True where their maps take more than 1 GiB: those
            are not kept, but made whenever they are asked for.

        Raises
        ------
        TokenIndexError, ValueError
            As for :meth:`heatmap`.
        """
        chosen = self._method(**method)
        if tokens is None:
            return self._bank.fill(chosen, float("inf") if seconds is None else seconds)
        self._bank.several([self._query(token, candidate) for token in tokens], chosen)
        return True

    def responses(
        self,
        box: tuple[float, float, float, float],
        image: SupportsIndex = 0,
        frame: int | None = None,
        **method: Any,
    ) -> NDArray[np.float32]:
        """Return how strongly each token responds to a part of a picture: the other direction.

        Parameters
        ----------
        box : tuple of float
            (left, top, right, bottom) in pixels of the picture; a point where both ends are the same.
        image : int
            Which picture or video.
        frame : int, optional
            Which frame of a video.
        **method
            ``lens``, ``causal_inference``, ``kernel_size``: as for :meth:`maps`.

        Returns
        -------
        numpy.ndarray of float32, shape (T,)
            For each token the mean of its map over the box, on the map's scale, in [0, 1]; each cell counts by how much
            of it the box holds. NaN where the token has not seen this part.

        Raises
        ------
        TokenIndexError
            There is no such picture or frame.
        ValueError
            The box is turned over or lies outside the picture's grid.
        """
        place = self._place(image, len(self.images), "picture")
        grid = self.grids[place]
        if isinstance(self.images[place], Video):
            if frame is None:
                raise ValueError(f"picture {place} is a video; say which of its {grid[0]} frames")
            frame = self._place(frame, grid[0], "frame")
        elif frame is not None:
            raise ValueError(f"picture {place} is no video: it has no frame {frame}")

        def over(maps: NDArray[np.float32]) -> NDArray[np.float32]:
            return mean_over(maps if frame is None else maps[:, frame], self.boxes[place], box)

        over(np.empty((0, *grid), np.float32))  # refuses a box before maps are made
        return np.concatenate([over(maps.images[place]) for maps in self._bank.blocks(self._method(**method))])

    @property
    def lenses(self) -> tuple[LensName, ...]:
        """The lenses that can be asked for; of others, asking says why not."""
        return tuple(lens for lens in LENSES if self._bank.has(lens))

    def about_lens(self, lens: LensName) -> str:
        """Say in a sentence what a lens that was taken shows, and which of the model's layers it rests on.

        Raises
        ------
        LensError
            The lens was not taken during the run, or the model does not allow it.
        ValueError
            There is no such lens.
        """
        return self._bank.lens(Method(lens=lens).lens).about

    def agreement(
        self,
        token: SupportsIndex,
        lens: LensName = "tam",
        other: LensName = "contribution",
        candidate: SupportsIndex | Candidate | None = None,
        image: SupportsIndex = 0,
    ) -> float:
        """Return how much two lenses agree on where a token's place is: Spearman's rank correlation over seen cells.

        Ties have the mean of their ranks. Below 0.2 two maps say different things.

        Parameters
        ----------
        token : int or Token
            Which token; negative indices count from the end.
        lens, other : {"tam", "contribution", "attention", "attention_mean"}
            Two lenses.
        candidate, image
            As for :meth:`heatmap`.

        Returns
        -------
        float
            From −1 to 1; NaN where a map is the same everywhere, all zero for example, or nothing was seen.

        Raises
        ------
        LensError, TokenIndexError, ValueError
            As for :meth:`heatmap`.
        """
        both = (self.heatmap(token, candidate, image, lens=one) for one in (lens, other))
        return agreement(*both)

    def index(self, token: SupportsIndex) -> int:
        """Return a token's index counted from the start; :class:`TokenIndexError` where there is none."""
        return self._place(token, len(self.tokens), "token")

    def candidate(self, token: SupportsIndex, candidate: SupportsIndex | Candidate) -> Candidate:
        """Return one of a token's candidates by its rank, from 0; :class:`TokenIndexError` where there is none."""
        index = self.index(token)
        candidates, text = self.tokens[index].candidates, self.tokens[index].text
        if isinstance(candidate, Candidate):
            if candidate not in candidates:
                raise TokenIndexError(f"{candidate.text!r} is no candidate of token {index} ({text!r})")
            return candidate
        if not candidates:
            raise TokenIndexError(f"token {index} ({text!r}) is the prompt's: the model had no candidates for it")
        return candidates[self._place(candidate, len(candidates), "candidate")]

    def _one(
        self, token: SupportsIndex, candidate: SupportsIndex | Candidate | None, method: Method = PUBLISHED
    ) -> Maps:
        return self._bank.one(*self._query(token, candidate), method)

    def _query(self, token: SupportsIndex, candidate: SupportsIndex | Candidate | None) -> tuple[int, int]:
        """Return a token's index and the class that explains it."""
        index = self.index(token)
        return index, self.tokens[index].id if candidate is None else self.candidate(index, candidate).id

    def _method(self, *, part: Part = "map", **method: Any) -> Method:
        chosen = Method(part=part, **method)
        check_window(chosen.kernel_size, self.grids)
        return chosen

    @staticmethod
    def _place(index: SupportsIndex, length: int, what: str) -> int:
        """Return an index as one that counts from the start; errors say what there is."""
        place = operator.index(index)
        if not -length <= place < length:
            raise TokenIndexError(f"{what} {place} is out of range: there are {length}, counted from 0")
        return place % length
