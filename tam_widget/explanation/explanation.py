"""An explanation: what was asked, what was answered, and a map for every word of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from tam_widget.explanation.map_bank import MapBank
from tam_widget.explanation.mapped import Mapped
from tam_widget.explanation.token_maps import Maps
from tam_widget.media.videos import Video
from tam_widget.text.tokens import Candidate, Token, Word
from tam_widget.text.words import find_word, group_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import SupportsIndex

    from PIL import Image

    from tam_widget.checks.answer import Verdicts
    from tam_widget.checks.verdict import Verdict
    from tam_widget.explanation.origin import Origin
    from tam_widget.figures.figure import TAMFigure
    from tam_widget.lenses.reading import Readings
    from tam_widget.models.activations import Activations
    from tam_widget.models.layout import Box, Panel
    from tam_widget.text.tokens import Role
    from tam_widget.widget import TAMWidget

__all__ = ["Candidate", "Explanation", "Maps", "Token", "Word"]


class Explanation(Mapped):
    """Where a model looked at each word; :func:`tam_widget.explain` makes it.

    Its maps need the model no more, and it does not keep it; :meth:`check` asks it again. The states that the maps are
    made of stay on the model's device until the explanation is deleted; being shown in a notebook does not keep it, a
    :meth:`widget` does. All methods may be called from any thread; a single map never waits for all maps. Where the
    memory does not suffice for a map, not even in small pieces, they raise :class:`tam_widget.MapMemoryError`.

    ``pickle``, ``copy.deepcopy`` and ``torch.save`` take it as it is, with its states on their device, as tensors are
    taken; ``torch.load(file, map_location="cpu", weights_only=False)`` opens one from a GPU where there is none.

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
    origin : Origin or None
        The conversation behind it, and weak references to model and processor; None where it is not known.
    """

    def __init__(
        self,
        tokens: Sequence[Token],
        texts: Mapping[tuple[int, Role], str],
        images: Sequence[Image.Image | Video],
        activations: Activations,
        model_name: str,
        *,
        origin: Origin | None = None,
        readings: Readings | None = None,
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
        self._activations = activations
        self.origin = origin
        self._readings: Readings = dict(readings or {})
        self._bank = MapBank(activations, self._readings)

    def __getstate__(self) -> dict[str, Any]:
        """Return all but the maps that were made, and the lock around them."""
        return {name: value for name, value in vars(self).items() if name != "_bank"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._bank = MapBank(self._activations, self._readings)

    @property
    def prompt(self) -> str:
        """The last turn's question; empty where it was a picture without text."""
        return self.texts.get((self.last_turn, "prompt"), "")

    @property
    def answer(self) -> str:
        """The last turn's answer."""
        return self.texts.get((self.last_turn, "answer"), "")

    @property
    def last_turn(self) -> int:
        """Number of the last turn, counted from 0."""
        return max(turn for turn, _ in self.texts)

    def find(self, phrase: str) -> list[int]:
        """Return the indices of the tokens of every occurrence of a word or phrase in the prompt and the answer.

        Parameters
        ----------
        phrase : str
            A word, or several; case, the kind of white space and how an accented letter is encoded are ignored. Only
            whole words match: "cafe" is not in "café".

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

    @overload
    def check(self, what: None = None, **how: Any) -> Verdicts: ...

    @overload
    def check(self, what: SupportsIndex | str | Word | Sequence[SupportsIndex], **how: Any) -> Verdict: ...

    def check(
        self, what: SupportsIndex | str | Word | Sequence[SupportsIndex] | None = None, **how: Any
    ) -> Verdict | Verdicts:
        """Ask the model again whether a word needs the place that its map marks, or the picture at all.

        The place, eight random places of its size and everything are covered, in the mean colour and blurred, and the
        word's log-probability is followed under the true text before it; :mod:`tam_widget.checks.verdict` states the
        rules. A word takes 21 forward passes, several at once on a GPU. The model is left as it was.

        Parameters
        ----------
        what : str, int, Token, Word or sequence of int
            A word or phrase of an answer, or tokens; log-probabilities of several tokens are summed, and of their maps
            the greatest value counts in each cell. Every content word of the last answer when left out.
        occurrence : int
            Which of the phrase's occurrences in answers, from 0.
        image : int, optional
            Which picture or video the place is in; the one that the map peaks in when left out.
        frames : int, optional
            Of a video, the frame that places are covered in; all frames when left out, each at its own place.
        swap : picture or video, optional
            Shown in the place of the picture or video, as one more pass.
        seed : int
            Of the random places; 0 by default.
        model, processor
            Those that :func:`tam_widget.explain` was given, where they were deleted since.
        batch_size : int, optional
            Covered pictures in one forward pass. By default 8, fewer where the memory does not suffice, and 1 on a CPU
            and where the model cannot.
        progress : callable, optional
            Told how much is done, and of how much: passes of one word, words of an answer.
        **method
            How the map is read, as for :meth:`heatmap`.

        Returns
        -------
        Verdict
            Of one word.
        Verdicts
            Of an answer. Ctrl-C ends it; what is done is returned.

        Raises
        ------
        CheckError
            A word that the model did not say, or that stands before every picture.
        ModelGoneError
            The model or the processor was deleted.
        LayoutError
            The model gives the word another probability than the explanation holds: it was changed since.
        TokenIndexError
            No such word, token, picture or frame.
        PictureError
            The other picture cannot be read, or for which picture it is was not said.

        Examples
        --------
        >>> ex.check("star").sentence  # doctest: +SKIP
        '“star” needs this place: covering it costs 9.1 nats, any other of its size at most 0.2.'
        """
        from tam_widget.checks.asking import check_answer, check_word

        return check_answer(self, **how) if what is None else check_word(self, what, **how)

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
            ``colormap``, ``opacity``, ``smooth``, ``stretch``, ``paint``: see
            :func:`tam_widget.figures.blend.overlay`. A video's map is stretched as a whole, so that its frames can be
            compared.

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
        """Return an interactive view of your own, which keeps the explanation; see :class:`tam_widget.TAMWidget`."""
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
            from tam_widget.widget import output_widget
        except ImportError:
            return text
        bundle = output_widget(self)._repr_mimebundle_(include=include, exclude=exclude)
        if not bundle:
            return text
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return {**data, **text}, metadata


def _stitched(panels: Sequence[Panel], image: int) -> list[Panel]:
    return [panel for panel in panels if panel.image == image and panel.kind == "stitched"]
