"""Are the cells on the right pixels? Squares are painted, and the vision tokens that react must be the cells' own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from tam_widget.checks.embeddings import decoder_inputs
from tam_widget.checks.family_check import CellCheck, FamilyCheck, Refusal
from tam_widget.checks.squares import EDGES, cell_boxes, codes, lines, squares, with_squares
from tam_widget.errors import LayoutError, PictureError, UnsupportedModelError
from tam_widget.media.pictures import as_picture
from tam_widget.models.families import family_of, panels_of
from tam_widget.models.inputs.conversation import prepare
from tam_widget.models.inputs.messages import conversation_from
from tam_widget.models.wrapped import unwrapped

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from tam_widget.media.pictures import Picture
    from tam_widget.models.inputs.conversation import Prepared
    from tam_widget.models.layout import Panel

__all__ = ["check_family"]

_PROMPT = "Describe the image."
_SHAPES = ((4, 3), (1, 2.1), (3.1, 1))
_LEAST_CELL = 12  # pixels: a square inside an edge is to be no thinner than what a resampling blurs
_SIDES = (61, 89, 127, 181, 251, 359, 509, 719, 1021)  # primes: of no cell's a multiple
_GREY = (90, 90, 90)

_BEYOND = 1.5
"""A token that reacts so many times as much to a square beyond an edge as to its own inside it lies beyond it. Tokens
that are interpolated or pooled from more than their cell may react alike to both."""

_CLEAR = 0.2
"""With less contrast, no cell is named."""


def check_family(model: Any, processor: Any, images: Picture | Sequence[Picture] | None = None) -> FamilyCheck:
    """Check that the cells of a model's maps lie on the pixels that its vision tokens were made from.

    Squares smaller than a cell are painted in the middle of the cells and just inside each of their edges, and the
    vision tokens are read before the text decoder, which does not run. Many cells are painted at once, each in another
    third of some pictures, so that every cell is tried: 17 passes through the vision part for 10 cells, 24 for 495, for
    each picture and each view of it. A token is compared with itself alone, with its cell painted and without; what
    attention hands on from all other cells is in both and cancels out.

    It shows from which pixels each token was made, not what the text decoder makes of it. A square shows that a cell is
    off by more than about a sixth of its side. Tokens that know no place best, as learned queries, fit nowhere; so may
    single tokens of a trained tower in which it keeps what it knows of the whole. Each picture is shown alone; videos
    are not checked.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        The model; random weights do, as the places do not depend on them. It is left as it was.
    processor : transformers.ProcessorMixin
        Its processor.
    images : picture or sequence of pictures, optional
        What to paint the squares on, of any kind that :func:`tam_widget.explain` takes; by default grey ones of three
        shapes, as small as the cells allow.

    Returns
    -------
    FamilyCheck
        Its ``ok``, its ``rows``, one for each cell, and its ``plot()``.

    Raises
    ------
    UnsupportedModelError
        The model cannot be explained, or its vision tokens cannot be read.
    LayoutError
        It is not known how the model cuts any of the pictures.
    PictureError
        One of `images` cannot be read, or the processor refuses all pictures.

    Examples
    --------
    >>> import tam_widget as tam
    >>> model, processor = tam.load_demo()  # doctest: +SKIP
    >>> tam.check_family(model, processor).ok  # doctest: +SKIP
    True
    """
    model = unwrapped(model)
    if (
        not isinstance(model, torch.nn.Module)
        or not hasattr(model, "config")
        or getattr(processor, "tokenizer", None) is None
    ):
        raise UnsupportedModelError(
            f"a model of transformers and its processor are needed, got {type(model).__name__} and "
            f"{type(processor).__name__}; tam_widget.load() gives both"
        )
    family_of(model.config)
    trials: list[_Trial] = []
    refused: list[Refusal] = []
    first: LayoutError | PictureError | None = None
    for picture in _pictures(model, processor, images):
        try:
            trials.append(_laid_out(model, processor, picture))
        except (LayoutError, PictureError) as error:
            refused.append(Refusal(picture.size, str(error)))
            first = first or error
    if first is not None and not trials:
        raise first
    cells: list[CellCheck] = []
    loose = 0
    for number, trial in enumerate(trials):
        found, reacting = _checked(model, processor, trial, number)
        cells += found
        loose += reacting
    name = str(getattr(model.config, "model_type", None) or type(model).__name__)
    return FamilyCheck(name, tuple(cells), tuple(trial.picture for trial in trials), tuple(refused), loose)


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    """A picture, and where the family says its cells are."""

    picture: Image.Image
    prepared: Prepared
    panels: tuple[Panel, ...]


def _pictures(model: Any, processor: Any, images: Any) -> list[Image.Image]:
    if images is not None:
        several = isinstance(images, Sequence) and not isinstance(images, str | bytes | bytearray | memoryview)
        given = [as_picture(picture) for picture in (images if several else [images])]
        if not given:
            raise PictureError("images is empty; leave it out to have grey pictures of three shapes")
        return given
    return [_smallest(model, processor, shape) for shape in _SHAPES]


def _smallest(model: Any, processor: Any, shape: tuple[float, float]) -> Image.Image:
    """Return a grey picture of a shape, as small as it may be while its cells have edges."""
    made = Image.new("RGB", (1, 1), _GREY)
    for side in _SIDES:
        made = Image.new("RGB", (round(side * shape[0] / min(shape)), round(side * shape[1] / min(shape))), _GREY)
        try:
            panels = _laid_out(model, processor, made).panels
        except (LayoutError, PictureError):
            continue
        if min(_cell_side(panel) for panel in panels) >= _LEAST_CELL:
            break
    return made


def _cell_side(panel: Panel) -> float:
    left, top, right, bottom = panel.box
    return min((right - left) / panel.grid[1], (bottom - top) / panel.grid[0])


def _prepared(model: Any, processor: Any, picture: Image.Image) -> Prepared:
    return prepare(processor, conversation_from(picture, None, _PROMPT), family_of(model.config).render)


def _laid_out(model: Any, processor: Any, picture: Image.Image) -> _Trial:
    prepared = _prepared(model, processor, picture)
    return _Trial(picture, prepared, panels_of(prepared, model.config, processor))


def _checked(model: Any, processor: Any, trial: _Trial, number: int) -> tuple[list[CellCheck], int]:
    """Return the cells of one picture, and how many tokens of the question react to it."""
    slots = [slot.position for slot in trial.prepared.slots]
    words: list[Tensor] = []

    def embeddings(boxes: NDArray[np.int64], code: NDArray[np.bool_]) -> Tensor:
        """Return the embeddings of all positions while each line of a code is painted."""
        seen = []
        for chosen in code:
            painted = _prepared(model, processor, with_squares(trial.picture, boxes[chosen]))
            if painted.ids != trial.prepared.ids:
                raise LayoutError(
                    f"{type(processor).__name__} cuts a picture by what it shows: with squares on it, it takes other "
                    "tokens"
                )
            seen.append(decoder_inputs(model, painted.inputs))
            words.append(seen[-1][slots])
        return torch.stack(seen)

    cells: list[CellCheck] = []
    for panel in trial.panels:
        boxes = cell_boxes(panel, trial.picture.size).reshape(-1, 4)
        tokens = panel.positions.ravel()
        middles, code = squares(boxes), codes(len(boxes))
        effects = _effects(embeddings(middles, code)[:, tokens], code)
        alike = _alike(code)
        edges = {edge: _at_edge(panel, squares(boxes, edge), edge, embeddings) for edge in EDGES}
        for index, (row, column) in enumerate(np.ndindex(panel.positions.shape)):
            if _empty(middles)[index]:
                continue
            found, contrast = _strongest(effects[:, index], alike)
            at = divmod(found, panel.positions.shape[1])
            cells.append(
                CellCheck(
                    picture=number,
                    view=panel.kind,
                    row=row + panel.corner[0],
                    column=column + panel.corner[1],
                    box=tuple(boxes[index].tolist()),
                    reacts_at=(at[0] + panel.corner[0], at[1] + panel.corner[1]) if contrast > _CLEAR else None,
                    edges={edge: fits[index] for edge, fits in edges.items()},
                    contrast=contrast,
                )
            )
    return cells, sum(bool((torch.stack(one) != one[0]).any()) for one in zip(*words, strict=True))


def _effects(seen: Tensor, code: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return how far painting each kind of cell moves each token: (kinds, tokens).

    That is the length of the difference between its mean embedding in the pictures where a kind is painted and in the
    others. What paint does to a token wherever it lies is in both means and cancels out.

    Parameters
    ----------
    seen : torch.Tensor, shape (pictures, tokens, d)
        The tokens' embeddings.
    code : numpy.ndarray of bool, shape (pictures, kinds)
        Which kinds of cells were painted in each picture.
    """
    painted = torch.from_numpy(code.T).to(seen)
    weights = painted / painted.sum(dim=1, keepdim=True) - (1 - painted) / (1 - painted).sum(dim=1, keepdim=True)
    centred = seen - seen.mean(dim=0)
    return np.stack([torch.tensordot(one, centred, dims=1).norm(dim=-1).numpy() for one in weights])


def _alike(code: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return how far a token of one kind of cell seems to be moved by the kind most alike, as a share: (kinds,)."""
    painted = code.astype(float)
    weights = painted / painted.sum(axis=0) - (1 - painted) / (1 - painted).sum(axis=0)
    shares = np.abs(weights.T @ painted)
    np.fill_diagonal(shares, 0)
    return np.asarray(shares.max(axis=0))


def _strongest(effects: NDArray[np.float64], alike: NDArray[np.float64]) -> tuple[int, float]:
    """Return the cell that moves a token most, and by how much more than any other, of what is possible."""
    *_, best = order = np.argsort(effects, stable=True)
    if effects[best] == 0:
        return -1, 0.0
    second = float(effects[order[-2]]) if len(order) > 1 else 0.0
    return int(best), (1 - second / float(effects[best])) / (1 - float(alike[best]))


def _at_edge(panel: Panel, inside: NDArray[np.int64], edge: str, embeddings: Any) -> list[bool | None]:
    """Return which tokens react to a square inside their cell's edge, and not to one inside a neighbour's instead.

    Every third row or column is painted, in three pictures; the one with a token's own is the odd one out: the other
    two are alike to it. None where the cell is too small to have edges.
    """
    rows, columns = panel.positions.shape
    line = lines((rows, columns), edge).ravel()
    seen = embeddings(inside, line == np.arange(3)[:, None])[:, panel.positions.ravel()]
    between = np.stack([(seen[k - 2] - seen[k - 1]).norm(dim=-1).numpy() for k in range(3)])
    own = np.take_along_axis(between, line[None], axis=0)[0]
    np.put_along_axis(between, line[None], np.inf, axis=0)
    others = between.min(axis=0)
    fits = (own < _BEYOND * others) & (others > 0)
    return [None if small else bool(fit) for small, fit in zip(_empty(inside), fits, strict=True)]


def _empty(boxes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which cells are too small for their square."""
    return np.asarray((boxes[..., 2:] <= boxes[..., :2]).any(axis=-1))
