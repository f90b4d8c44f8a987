"""The inputs that grow with each token of an answer, and what such a token has there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from tam_widget.errors import LayoutError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tam_widget.models.inputs.conversation import Prepared

__all__ = ["TEXT", "answer_inputs"]

TEXT = {"attention_mask": 1, "mm_token_type_ids": 0, "token_type_ids": 0}
"""What a token of an answer has in most models: it may be attended to, and is text, which is modality 0."""

_OTHERS = ("input_ids", "labels")  # the answer itself, and what no model is given here
_END = 2  # tokens before the answer that are looked at, too: text numbered one by one has no value of its own


def answer_inputs(prepared: Prepared, named: Mapping[str, int]) -> dict[str, int]:
    """Return the inputs that grow with each token of an answer, and the value that such a token has in each.

    Parameters
    ----------
    prepared : Prepared
        The conversation. Each of its inputs of whole numbers, shape (1, L), grows.
    named : mapping of str to int
        The family's own; it overrules :data:`TEXT`. An input that neither names is given the value that all of the
        conversation's text has.

    Raises
    ------
    LayoutError
        An input is named nowhere, and the text has several values in it.
    """
    known = {**TEXT, **named}
    length = len(prepared.ids)
    text = sorted({slot.position for slot in prepared.slots} | set(range(max(0, length - _END), length)))
    values = {}
    for name, value in prepared.inputs.items():
        if name in _OTHERS or not isinstance(value, torch.Tensor) or tuple(value.shape) != (1, length):
            continue
        if name in known:
            values[name] = known[name]
        elif not value.is_floating_point():
            found = sorted(set(value[0, text].tolist()))
            if len(found) > 1:
                raise LayoutError(
                    f"the input {name!r} grows with each token of the answer, but the prompt's text has the values "
                    f"{', '.join(map(str, found[:5]))} in it, so an answer's cannot be told; "
                    f"tam_widget.register_family(..., answer_inputs={{{name!r}: ...}}) can say it"
                )
            values[name] = int(found[0])
    return values
