"""Raw activation and relevance: how strongly a class shows in the last hidden states (steps 1 and 2)."""

import torch
from torch import Tensor

from tam_widget.maps.precision import widened, working_dtype

# Numbers of hidden states that are brought to the working type at a time: 2 MiB of float64, so that a long video's
# states are never copied as a whole and the block is still in the cache when it is multiplied.  Many classes are read
# once for each block, so for them it is larger.
_BLOCK = 2**18
_MANY = 256


def head_rows(weight: Tensor, class_ids: Tensor, device: torch.device) -> Tensor:
    """Return the output head's rows of some classes, in the working type.

    Only the rows asked for leave the head, wherever it lies and whatever its floating-point type is.

    Parameters
    ----------
    weight
        (V, d), the output head.
    class_ids
        (U,) int64 on the CPU, in range.
    device
        Where the rows are wanted.

    Returns
    -------
    Tensor
        (U, d), float64 (float32 where the device has no float64).
    """
    return widened(weight.index_select(0, class_ids.to(weight.device)).to(device), working_dtype(device))


def activation(hidden: Tensor, rows: Tensor, positions: Tensor) -> Tensor:
    """Return ``ReLU(h_p · w_c)`` for some classes c and positions p.

    At a vision token this is the raw activation A of the class (step 1), at a text token's read position the relevance
    r of that token to the class (step 2).

    Parameters
    ----------
    hidden
        (P, d), last hidden states, any floating-point type.
    rows
        (U, d), the classes' rows as `head_rows` returns them.
    positions
        (n,) int64 on the CPU, in range.

    Returns
    -------
    Tensor
        (U, n), of the type and on the device of `rows`, in logits, ≥ 0.  Nothing of the size positions × vocabulary is
        ever made.

    Raises
    ------
    ValueError
        If a score is not finite, which happens when the hidden states have overflowed.
    """
    scores = rows.new_empty(len(rows), len(positions))
    step = max(1, (_BLOCK if len(rows) < _MANY else 4 * _BLOCK) // max(1, hidden.shape[1]))
    for start in range(0, len(positions), step):
        block = positions[start : start + step].to(hidden.device)
        states = widened(hidden.index_select(0, block), rows.dtype)
        scores[:, start : start + step] = (rows @ states.T).clamp_(min=0)
    if not torch.isfinite(scores.sum()):
        bad = positions[(~torch.isfinite(scores)).any(dim=0).cpu()].tolist()
        raise ValueError(
            f"the scores of {len(bad)} of {len(positions)} positions (the first is {bad[0]}) are not finite: the "
            "states or head hold NaN or infinity, as a float16 model does when it overflows; try bfloat16 or float32"
        )
    return scores
