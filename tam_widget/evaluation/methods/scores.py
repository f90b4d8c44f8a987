"""A token's own score as a function of the vision tokens' embeddings: what is differentiated."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

import torch

from tam_widget.evaluation.methods.registry import MethodError
from tam_widget.models import capture
from tam_widget.models.head import head_rows
from tam_widget.replay.covers import mean_coloured
from tam_widget.replay.passes import batch_of, batch_size_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from torch import Tensor

    from tam_widget.replay.explained import Explained

__all__ = ["Scores"]

_BATCH_SIZE = 4  # what is kept to differentiate is many times what a pass alone takes


class Scores:
    """``w_c · h_p`` of tokens (class c, read position p) as a function of the V vision tokens' embeddings.

    What the text decoder is given besides (positions, masks, features for later layers) is kept from one pass of the
    whole model, so that the vision tower does not run again. The model is ours and its weights are frozen between
    ``with`` and its end.

    Parameters
    ----------
    explained, tokens
        As for :class:`~tam_widget.evaluation.methods.Method`.
    batch_size : int, optional
        How many embeddings are taken at once, where the model can; 4 by default, and 1 on a CPU.

    Attributes
    ----------
    batch_size : int
        1 where the model cannot.
    embeddings : torch.Tensor, shape (1, V, d)
        What the decoder is given for the picture's vision tokens; float32, or the model's type where it is wider.
    queries : (torch.Tensor, torch.Tensor)
        The tokens' rows w_c of the output head, (Q, d), and read positions p, (Q,).
    """

    def __init__(self, explained: Explained, tokens: Sequence[int], batch_size: int | None = None) -> None:
        self._explained = explained
        reading, run = explained.reading, explained.run
        self.batch_size = batch_size_for(explained, batch_size, _BATCH_SIZE)
        self._given = self._arguments([reading] * self.batch_size)
        whole = self._given["inputs_embeds"]
        self._vision = torch.from_numpy(reading.vision).to(whole.device)
        self.embeddings = self._of_vision(whole)
        ids = [reading.slots[token].id for token in tokens]
        rows = head_rows(explained.model, ids, run.states) if ids else run.states[:0]
        self.queries = (rows.to(self.embeddings), torch.from_numpy(reading.read[list(tokens)]))
        self._held = ExitStack()

    def __enter__(self) -> Self:
        self._held.enter_context(self._explained.alone())
        frozen = [weight for weight in self._explained.model.parameters() if weight.requires_grad]
        self._held.callback(lambda: [weight.requires_grad_(True) for weight in frozen])  # noqa: FBT003 - torch's own
        for weight in frozen:
            weight.requires_grad_(False)  # noqa: FBT003 - torch's own
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._held.close()

    def __call__(self, embeddings: Tensor, rows: Tensor, positions: Tensor) -> Tensor:
        """Return b ≤ ``batch_size`` scores.

        Parameters
        ----------
        embeddings : torch.Tensor, shape (b, V, d)
            In the place of the picture's.
        rows, positions : torch.Tensor, shapes (b, d) and (b,)
            Each one's token.

        Returns
        -------
        torch.Tensor, shape (b,)
            In logits, before any softcap or scale of the model; differentiable.
        """
        return self._read(self._states(embeddings), rows, positions)

    def gradients(self, embeddings: Tensor, rows: Tensor, positions: Tensor) -> Tensor:
        """Return the gradients of several tokens' scores, of all from one forward pass.

        Parameters
        ----------
        embeddings : torch.Tensor, shape (b, V, d)
            In the place of the picture's, b ≤ ``batch_size``.
        rows, positions : torch.Tensor, shapes (Q, d) and (Q,)
            The tokens.

        Returns
        -------
        torch.Tensor, shape (b, Q, V, d)
        """
        with torch.enable_grad():
            given = embeddings.detach().requires_grad_()
            states = self._states(given)
            scores = [
                self._read(states, row.expand(len(given), -1), position.expand(len(given)))
                for row, position in zip(rows, positions, strict=True)
            ]
            found = [torch.autograd.grad(score.sum(), given, retain_graph=True)[0] for score in scores]
        return torch.stack(found, dim=1)

    def embeddings_of_mean_colour(self) -> Tensor:
        """Return the embeddings of a picture of the same size in its mean colour, (1, V, d); one forward pass."""
        blank = self._explained.read(mean_coloured(self._explained.picture))
        return self._of_vision(self._arguments([blank])["inputs_embeds"])

    def _states(self, embeddings: Tensor) -> Tensor:
        """Return the final hidden states of b ≤ ``batch_size`` readings, (b, sequence, d)."""
        whole, count = self._given["inputs_embeds"], len(embeddings)
        # What else the decoder is given has the whole batch's shape, so a smaller one is filled up.
        full = torch.cat([embeddings, embeddings[-1:].detach().expand(self.batch_size - count, -1, -1)])
        mixed = whole.index_copy(1, self._vision, full.to(whole))
        states: Tensor = capture.decoder_of(self._explained.model)(**{**self._given, "inputs_embeds": mixed})[0]
        return states[:count]

    def _read(self, states: Tensor, rows: Tensor, positions: Tensor) -> Tensor:
        read = states[torch.arange(len(states), device=states.device), positions.to(states.device)]
        read = read.to(self.embeddings.dtype)
        scores: Tensor = (read * rows.to(read)).sum(dim=-1)
        return scores

    def _of_vision(self, whole: Tensor) -> Tensor:
        found = whole[:1].index_select(1, self._vision)
        return found.to(torch.promote_types(found.dtype, torch.float32))

    @torch.no_grad()
    def _arguments(self, readings: Sequence[Any]) -> dict[str, Any]:
        """Run the model once and return what its text decoder is given."""
        model = self._explained.model
        seen: list[dict[str, Any]] = []

        def look(_module: Any, _args: Any, kwargs: dict[str, Any]) -> None:
            seen.append(dict(kwargs))

        inputs = batch_of(self._explained, readings)
        with self._explained.alone():
            handle = capture.decoder_of(model).register_forward_pre_hook(look, with_kwargs=True)
            try:
                model(**inputs, logits_to_keep=capture.last_position(model), use_cache=False, return_dict=True)
            finally:
                handle.remove()
        if len(seen) != 1 or not isinstance(seen[0].get("inputs_embeds"), torch.Tensor):
            raise MethodError(
                f"{type(model).__name__} does not hand its text decoder embeddings, so none can be varied"
            )
        return seen[0]
