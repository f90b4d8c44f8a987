"""Token Activation Map as a lens: the published method on the states that an explanation keeps."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tam_widget.lenses.interface import KERNEL_SIZE, PUBLISHED, Found, Method
from tam_widget.lenses.seen import Seen
from tam_widget.maps import TextActivations, rank_gaussian_filter

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from tam_widget.models.activations import Activations
    from tam_widget.models.layout import Panel

__all__ = ["TAMLens"]


class TAMLens:
    """Raw activation, estimated causal inference, joint scale, rank Gaussian filter; on the states' device.

    Parameters
    ----------
    activations : Activations
        States and head rows.
    """

    def __init__(self, activations: Activations) -> None:
        self._activations = activations
        self._lock = threading.Lock()
        self._text: TextActivations | None = None
        self._cells = sum(panel.positions.size for panel in activations.panels)
        self._seen = Seen(activations.panels, activations.read_positions)

    @property
    def about(self) -> str:
        """What it shows, in a sentence."""
        return (
            "Token Activation Map: where the vision tokens' last hidden states stand for the word, less what earlier "
            "words explain."
        )

    def read(
        self,
        tokens: Sequence[int],
        class_ids: Sequence[int],
        method: Method = PUBLISHED,
        *,
        weights: Tensor | None = None,
    ) -> Found:
        """Return the maps of some tokens, each explained with a class that has a row.

        Parameters
        ----------
        tokens, class_ids : sequence of int
            Q tokens and vocabulary ids.
        method : Method
            Which parts of it.
        weights : torch.Tensor, shape (T, T), optional
            Weights of the context in the place of its relevance.

        Raises
        ------
        MapMemoryError
            There is not so much memory.
        """
        have, places = self._activations, list(tokens)
        # The parts are what the equations subtract from each other, cell by cell, before the filter.
        kernel_size = method.kernel_size if method.part == "map" else 1
        found = self._of_text().maps(
            tokens=places,
            query_class_ids=[have.row_of[i] for i in class_ids],
            query_keys=[have.key_of[i] for i in class_ids],
            causal_inference=method.causal_inference,
            unseen=self._seen.unseen(places),
            context_weights=None if weights is None else weights[places],
        )
        cells = {"map": found.image, "raw": found.raw, "interference": found.interference}[method.part]
        return Found(_filtered(cells, have.panels, kernel_size), found.text.cpu().numpy())

    def together(self, method: Method) -> int:
        """Return how many maps are made at a time; a wide window takes more memory."""
        return max(1, self._of_text().step * KERNEL_SIZE**2 // max(KERNEL_SIZE, method.kernel_size) ** 2)

    def _of_text(self) -> TextActivations:
        have, cells, length = self._activations, self._cells, len(self._activations.ids)
        with self._lock:
            if self._text is None:
                self._text = TextActivations(
                    have.states,
                    have.rows,
                    [have.row_of[i] for i in have.ids],
                    range(cells, cells + length),
                    [have.key_of[i] for i in have.ids],
                    range(cells),
                )
            return self._text


def _filtered(cells: Tensor, panels: Sequence[Panel], kernel_size: int) -> list[NDArray[np.float32]]:
    """Filter each panel's cells as the rectangle that was seen, and put them in their place."""
    found, done = [], 0
    for panel in panels:
        seen = cells[:, done : done + panel.positions.size].reshape(-1, *panel.positions.shape)
        found.append(panel.spread(rank_gaussian_filter(seen, kernel_size).cpu().numpy()))
        done += panel.positions.size
    return found
