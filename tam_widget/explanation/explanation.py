"""An explanation: what was asked, what was answered, and a map for every word of both."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, SupportsIndex

from tam_widget.errors import TokenIndexError
from tam_widget.explanation.map_bank import KERNEL_SIZE, PUBLISHED, MapBank, Maps, Method
from tam_widget.explanation.region import mean_over
from tam_widget.media.videos import Video
from tam_widget.text.tokens import Candidate, Token, Word
from tam_widget.text.words import find_word, group_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from tam_widget.explanation.map_bank import Part
    from tam_widget.figures.figure import TAMFigure
    from tam_widget.models.activations import Activations
    from tam_widget.models.layout import Box, Panel, PanelKind
    from tam_widget.text.tokens import Role
    from tam_widget.widget import TAMWidget

__all__ = ["Candidate", "Explanation", "Maps", "Token", "Word"]


class Explanation:
    """Where a model looked at each word; :func:`tam_widget.explain` makes it.

    It needs the model no more. The states that the maps are made of stay on the model's device until the
    explanation is deleted. All methods may be called from any thread.

    Attributes
    ----------
    tokens : tuple of Token
        The text tokens of the prompt and the answer, in order.
    words : tuple of Word
        The same tokens, joined to words.
    images : tuple of PIL.Image.Image or Video
        The pictures, upright RGB, in their original size; of a video the frames that its maps lie over, with their
        times.
    grids : tuple of tuple of int
        Rows and columns of each picture's maps; frames, rows and columns of a video's.
    boxes : tuple of (float, float, float, float)
        Left, top, right and bottom of what each picture's grid covers, in pixels of the picture: the picture itself,
        but for up to a cell at an edge where the model was shown a part of it or padding around it.
    texts : mapping of (int, str) to str
        Prompts and answers by turn and role: what the tokens' spans refer to.
    model_name : str
        A short name of the model.
    """

    def __init__(
        self,
        tokens: Sequence[Token],
        texts: Mapping[tuple[int, Role], str],
        images: Sequence[Image.Image | Video],
        activations: Activations,
        model_name: str,
    ) -> None:
        self.tokens: tuple[Token, ...] = tuple(tokens)
        self.images: tuple[Image.Image | Video, ...] = tuple(images)
        first = [_stitched(activations.panels, k)[0] for k in range(len(self.images))]
        self.grids: tuple[tuple[int, ...], ...] = tuple(
            (len(image.frames), *panel.grid) if isinstance(image, Video) else panel.grid
            for image, panel in zip(self.images, first, strict=True)
        )
        self.boxes: tuple[Box, ...] = tuple(panel.box for panel in first)
        self.model_name = model_name
        self.texts: dict[tuple[int, Role], str] = dict(texts)
        self.words: tuple[Word, ...] = group_words(self.tokens, self.texts)
        self._bank = MapBank(activations)

    @property
    def prompt(self) -> str:
        """The last turn's question; empty where it was a picture without text."""
        return self.texts.get((self._last_turn, "prompt"), "")

    @property
    def answer(self) -> str:
        """The last turn's answer."""
        return self.texts.get((self._last_turn, "answer"), "")

    @property
    def _last_turn(self) -> int:
        return max(turn for turn, _ in self.texts)

    def heatmap(
        self,
        token: SupportsIndex,
        candidate: SupportsIndex | Candidate | None = None,
        image: SupportsIndex = 0,
        view: PanelKind = "stitched",
        *,
        causal_inference: bool = True,
        kernel_size: int = KERNEL_SIZE,
        part: Part = "map",
    ) -> NDArray[np.float32]:
        """Return the Token Activation Map of one token on one picture.

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
        causal_inference, kernel_size
            As for :meth:`maps`.
        part : {"map", "raw", "interference"}
            The map; or the raw activation that it begins with (equation 1), or what causal inference takes away from
            it (equations 3 and 4): both in logits, ≥ 0, before scale and filter.

        Returns
        -------
        numpy.ndarray of float32, shape (rows, columns) or (frames, rows, columns)
            In [0, 1] on a scale common to all pictures and the earlier text, not stretched. All zero where the
            token has no activation in the picture. NaN where the model saw nothing: cut away, padding, or a picture
            that comes after the token. The caller's own copy.

        Raises
        ------
        TokenIndexError
            An index outside the explanation; also an ``IndexError``.
        ValueError
            Another view or part, or a kernel size that is not a positive odd number.
        """
        place = self._place(image, len(self.images), "picture")
        if view not in {"stitched", "global"}:
            raise ValueError(f"view must be 'stitched' or 'global', not {view!r}")
        maps = self._one(token, candidate, Method(causal_inference, kernel_size, part))
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

    def maps(self, *, causal_inference: bool = True, kernel_size: int = KERNEL_SIZE) -> Maps:
        """Return the heatmaps and relevances of all tokens at once, read-only, in the order of :attr:`tokens`.

        Parameters
        ----------
        causal_inference : bool
            False leaves equations 3 to 5 out: nothing that earlier text explains is taken away.
        kernel_size : int
            Side of the rank Gaussian filter's window in cells, odd; 1 leaves the filter out. Without causal inference
            and filter, the maps are the raw activations, CAM, on the joint scale.

        Returns
        -------
        Maps
            Of T tokens.

        Raises
        ------
        ValueError
            If the kernel size is not a positive odd number.
        """
        return self._bank.every(Method(causal_inference, kernel_size))

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
            ``causal_inference``, ``kernel_size``: as for :meth:`maps`.

        Returns
        -------
        numpy.ndarray of float32, shape (T,)
            For each token the mean of its map over the box, on the joint scale, in [0, 1]; each cell counts by how much
            of it the box holds. NaN where the token has not seen this part.

        Raises
        ------
        TokenIndexError
            There is no such picture or frame.
        ValueError
            The box is turned over or lies outside the picture's grid.
        """
        place = self._place(image, len(self.images), "picture")
        maps = self.maps(**method).images[place]
        if isinstance(self.images[place], Video):
            if frame is None:
                raise ValueError(f"picture {place} is a video; say which of its {maps.shape[1]} frames")
            maps = maps[:, self._place(frame, maps.shape[1], "frame")]
        elif frame is not None:
            raise ValueError(f"picture {place} is no video: it has no frame {frame}")
        return mean_over(maps, self.boxes[place], box)

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

    def find(self, phrase: str) -> list[int]:
        """Return the indices of the tokens of every occurrence of a word or phrase in the prompt and the answer.

        Parameters
        ----------
        phrase : str
            A word, or several; case and the kind of white space are ignored. Only whole words match.

        Returns
        -------
        list of int
            In order; a word of several tokens gives them all. Empty where the phrase does not occur.

        Raises
        ------
        ValueError
            If the phrase is empty.
        """
        return sorted({index for found in self.occurrences(phrase) for index in found})

    def occurrences(self, phrase: str) -> list[list[int]]:
        """Return the same as :meth:`find`, one list for each occurrence."""
        return find_word(phrase, self.tokens, self.texts)

    def overlay(
        self,
        what: SupportsIndex | str | Sequence[SupportsIndex],
        candidate: SupportsIndex | Candidate | None = None,
        image: SupportsIndex = 0,
        frame: SupportsIndex | None = None,
        **style: Any,
    ) -> Image.Image:
        """Return a picture, or a frame of a video, with a token's map laid over it.

        Parameters
        ----------
        what : int, Token, str or sequence of int
            A token; or a word or phrase, or several tokens, of which the greatest value counts in each cell.
        candidate, image
            As for :meth:`heatmap`; a candidate needs one token.
        frame : int, optional
            Of a video, which of its frames; a video needs one, a picture has none.
        **style
            ``colormap``, ``opacity``, ``smooth``, ``stretch``: see :func:`tam_widget.figures.blend.overlay`. A video's
            map is stretched as a whole, so that its frames can be compared.

        Returns
        -------
        PIL.Image.Image
            RGB, in the picture's own size.

        Raises
        ------
        TokenIndexError
            An index outside the explanation, or a phrase that does not occur; also an ``IndexError``.
        ValueError
            A video without a frame, or a picture with one.
        """
        from tam_widget.figures.figure import explanation_overlay

        return explanation_overlay(self, what, candidate=candidate, image=image, frame=frame, **style)

    def plot(self, what: SupportsIndex | str | Sequence[SupportsIndex] | None = None, **style: Any) -> TAMFigure:
        """Return a figure of one word, or of the whole answer.

        For a word: the picture, or frames of the video, with its map, the text tinted by relevance, the candidates. For
        the whole answer of the last turn: the picture once for every word, or the frame that it peaks in.

        Parameters
        ----------
        what : int, Token, str or sequence of int
            A token; several tokens as one; or a word or phrase, which is drawn once for each occurrence. The whole
            answer when left out.
        **style
            See :func:`tam_widget.figures.figure.plot` and, for the whole answer,
            :func:`tam_widget.figures.sheet.plot_sheet`.

        Returns
        -------
        matplotlib.figure.Figure
            Not known to pyplot; shows itself in a notebook. ``figure.savefig("x.pdf")`` writes it.
        """
        if what is None:
            from tam_widget.figures.sheet import plot_sheet

            return plot_sheet(self, **style)
        from tam_widget.figures.figure import plot

        return plot(self, what, **style)

    def widget(self, **options: Any) -> TAMWidget:
        """Return the interactive view; see :class:`tam_widget.TAMWidget`."""
        from tam_widget.widget import TAMWidget

        return TAMWidget(self, **options)

    def __repr__(self) -> str:
        pictures = ", ".join(
            f"{picture.width}×{picture.height} px in {'×'.join(map(str, grid))} cells"
            for picture, grid in zip(self.images, self.grids, strict=True)
        )
        said = f"{self.prompt!r} → {self.answer!r}"
        return f"<Explanation by {self.model_name}: {pictures}; {said}; {len(self.tokens)} tokens>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        """Show the widget in a notebook, and the text where there is none."""
        text = {"text/plain": repr(self)}
        try:
            from tam_widget.widget import TAMWidget
        except ImportError:
            return text
        bundle = TAMWidget(self)._repr_mimebundle_(include=include, exclude=exclude)
        if not bundle:
            return text
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return {**data, **text}, metadata

    def _one(
        self, token: SupportsIndex, candidate: SupportsIndex | Candidate | None, method: Method = PUBLISHED
    ) -> Maps:
        index = self.index(token)
        if candidate is None:
            return self._bank.one(index, self.tokens[index].id, method)
        return self._bank.one(index, self.candidate(index, candidate).id, method)

    @staticmethod
    def _place(index: SupportsIndex, length: int, what: str) -> int:
        """Return an index as one that counts from the start; errors say what there is."""
        place = operator.index(index)
        if not -length <= place < length:
            raise TokenIndexError(f"{what} {place} is out of range: there are {length}, counted from 0")
        return place % length


def _stitched(panels: Sequence[Panel], image: int) -> list[Panel]:
    return [panel for panel in panels if panel.image == image and panel.kind == "stitched"]
