"""What the demo model is trained on: right answers, and words that are true of a picture somewhere in it.

The answers' loss gives image positions no gradient in the last layer, yet that is where an activation map is read.
Large models learn the read-out in pre-training; here it comes from *which words are true of the picture*, a label of
the whole picture. No loss sees a mask or a position.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from tam_widget.demo.training.families.batch import IGNORED

if TYPE_CHECKING:
    from tam_widget.demo.training.families.batch import Batch

_LOG_PARTITION = 8.0
_WINDOW = 3
_COLOUR_NOISE = 1e-3  # squared distance in colour, summed over a window, that counts as none
_AFFINITY_WIDTH = 0.06  # distance in colour, channels from 0 to 1, at which two cells stop being alike
# Beside features, which tell cells apart that have one colour: the distance in colour, and that in features, as a share
# of how far those of the picture are spread.
_FEATURES_WIDTHS = (0.15, 0.5)
_NO_SPREAD = 1e-6


@dataclass(frozen=True)
class Weights:
    """How much each loss counts."""

    presence: float = 0.8
    sparsity: float = 0.13
    affinity: float = 2.7
    flatness: float = 0.8
    matting: float = 8.0
    partition: float = 0.002
    quiet: float = 0.03


def losses(
    hidden: torch.Tensor,
    head: torch.Tensor,
    batch: Batch,
    grounded: torch.Tensor,
    generator: torch.Generator,
    *,
    pool: int = 4,
) -> dict[str, torch.Tensor]:
    """Each loss by name, unweighted, and the share of right next tokens as ``"accuracy"``.

    Parameters
    ----------
    hidden : tensor, shape (B, L, d)
    head : tensor, shape (V, d)
    batch : Batch
    grounded : tensor of int64, shape (W,)
        Ids of the tokens of grounded words.
    generator : torch.Generator
        Chooses the positions that the ``quiet`` loss looks at.
    pool : int
        How many cells speak for the presence of a word: its strongest ones.
    """
    labels = batch.labels[:, 1:]
    told = labels != IGNORED
    logits = (hidden[:, :-1][told] @ head.T).float()
    colour = _cell_colours(batch)  # every grid of a sample stands for itself: G = B · F of them
    image = hidden[:, batch.image_at].view(*colour.shape[:2], -1)
    words = (image @ head[grounded].T).float().transpose(1, 2)  # (G, W, N)
    likeness = _likeness(colour, batch.features)
    heights = F.leaky_relu(words, 0.1) / 4
    strongest = words.topk(min(pool, words.shape[-1]), -1).values.mean(-1)
    present = batch.present.flatten(0, 1)
    known = ~present.isnan()
    presence = F.binary_cross_entropy_with_logits(strongest, present.nan_to_num(), reduction="none")
    return {
        "answers": F.cross_entropy(logits, labels[told]),
        "presence": presence[known].sum() / present.numel(),
        "sparsity": F.softplus(words).mean(),
        # Cells of one colour should agree on a word, in probability and in height up to the cap.
        "affinity": _disagreement(words.sigmoid(), likeness),
        "flatness": _disagreement(F.relu(words) / 4, likeness) + F.relu(words - 7).square().mean(),
        # A cell that a thing half covers is half as high: its height is a mix of its neighbours', as its colour is.
        "matting": (heights @ _matting_laplacian(colour, batch.grid) * heights).mean(),
        # Unlikely words get negative logits, so that they do not count as context of each other.
        "partition": (torch.logsumexp(logits, -1) - _LOG_PARTITION).square().mean(),
        "quiet": _quiet(hidden, image, head, batch, generator),
        "accuracy": (logits.detach().argmax(-1) == labels[told]).float().mean(),
    }


def total(parts: dict[str, torch.Tensor], weights: Weights) -> torch.Tensor:
    """Sum the losses by their weights: what is minimised."""
    return parts["answers"] + sum(
        (getattr(weights, name) * parts[name] for name in Weights.__dataclass_fields__),
        start=torch.zeros(()),
    )


def _cell_colours(batch: Batch) -> torch.Tensor:
    """Return the mean colour of each cell of each grid, channels from 0 to 1, shape (B · F, N, 3)."""
    rows, columns = batch.grid
    pixels = batch.pictures.flatten(0, 1).float().mean(1) / 255  # frames of one grid are one
    cells = pixels.view(len(pixels), rows, pixels.shape[1] // rows, columns, -1, 3)
    return cells.mean((2, 4)).flatten(1, 2)


def _likeness(colour: torch.Tensor, features: torch.Tensor | None = None) -> torch.Tensor:
    """Return the row-normalised likeness of the cells, in colour and in a tower's features, shape (B · F, N, N)."""
    apart = torch.cdist(colour, colour).square()
    if features is None:
        apart = apart / _AFFINITY_WIDTH**2
    else:
        wide, deep = _FEATURES_WIDTHS
        inside = features.flatten(0, 1).float()
        inside = inside - inside.mean(1, keepdim=True)
        spread = inside.square().sum(-1).mean(-1)[:, None, None].clamp_min(_NO_SPREAD)
        apart = apart / wide**2 + torch.cdist(inside, inside).square() / (deep**2 * spread)
    likeness = torch.exp(-apart / 2)
    return likeness / likeness.sum(-1, keepdim=True)


def _disagreement(values: torch.Tensor, likeness: torch.Tensor) -> torch.Tensor:
    """Mean of Σ_q likeness[p, q] · (v_p − v_q)² over words and cells p."""
    around = torch.einsum("bwq,bpq->bwp", values, likeness)
    around_squared = torch.einsum("bwq,bpq->bwp", values.square(), likeness)
    return (values.square() - 2 * values * around + around_squared).mean()


def _matting_laplacian(colour: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
    """Return the matting Laplacian of the cells' colours, shape (B, N, N).

    Its quadratic form is the sum, over all 3×3 windows, of the mean square that is left of the values after a fit that
    is affine in colour (Levin, Lischinski and Weiss, "A closed-form solution to natural image matting", 2008): where
    two colours meet, values should follow the share of each; where a window has one colour, they should be even.
    """
    count, cells, _ = colour.shape
    index = F.unfold(torch.arange(float(cells)).view(1, 1, *grid), _WINDOW)[0].T.long()  # (windows, 9)
    inside = colour[:, index]
    inside = inside - inside.mean(2, keepdim=True)
    spread = inside.transpose(2, 3) @ inside + _COLOUR_NOISE * torch.eye(3)
    size = _WINDOW**2
    left = torch.eye(size) - 1 / size - inside @ torch.linalg.inv(spread) @ inside.transpose(2, 3)
    pairs = (index[:, :, None] * cells + index[:, None, :]).flatten()
    laplacian = torch.zeros(count, cells * cells).index_add_(1, pairs, left.flatten(1) / size)
    return laplacian.view(count, cells, cells)


def _quiet(
    hidden: torch.Tensor, image: torch.Tensor, head: torch.Tensor, batch: Batch, generator: torch.Generator
) -> torch.Tensor:
    """Softplus of every word's logit at half of the image positions and at all positions of prompts."""
    cells = image.flatten(0, 1)
    some = torch.randperm(len(cells), generator=generator)[: len(cells) // 2]
    asked = (batch.labels == IGNORED) & (batch.segments > 0)
    loud = F.softplus((cells[some] @ head.T).float()).mean() + F.softplus((hidden[asked] @ head.T).float()).mean()
    return loud * head.shape[0] / 18
