"""What is taken of a text decoder's attention while it runs: enough for other readings of the same pass.

Of every layer the rotated queries at the positions that are read, and all keys and values by reference; of the way to
the residual stream what is not linear in them. No further pass, and nothing of the size positions × positions.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch

from tam_widget.models.attention.choice import heard, text_configurations
from tam_widget.models.attention.heads import LayerHeads
from tam_widget.models.attention.masks import earlier
from tam_widget.models.attention.residual import Tracer, passage_of
from tam_widget.models.hooks import without_hooks_after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torch import Tensor, nn
    from torch.utils.hooks import RemovableHandle

__all__ = ["Watch"]

_CHECKED = 8  # rows that a layer's equation is found on
_SOFTMAX = {"full_attention", "sliding_attention", "chunked_attention", "attention"}
_PROJECTIONS = ("o_proj", "out_proj", "dense", "wo", "c_proj")


@dataclass(slots=True, eq=False)
class _Step:
    """One pass: where its positions begin, and which of them are read."""

    number: int
    start: int
    length: int
    rows: list[int]
    masks: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)
    indices: dict[torch.device, Tensor] = field(default_factory=dict)

    def index(self, device: torch.device) -> Tensor:
        if device not in self.indices:
            self.indices[device] = torch.tensor(self.rows, device=device)
        return self.indices[device]


class Watch:
    """Takes what lenses need of one run of a model; what goes wrong is a reason, and never the run's end.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        The model.
    decoder, norm : torch.nn.Module
        Its text decoder and the final norm.
    read : sequence of int
        The positions of the prompt that are read.
    first : int
        From this position on every one is read.

    Attributes
    ----------
    whole_prefix_each_step : bool
        Set to True where the model is given the whole prefix again for every word.
    refusal : str or None
        Why nothing can be made of it.
    positions : list of int
        The positions read, R of them.
    layers : list of LayerHeads
        One for each layer of the decoder.
    final : list of torch.Tensor, each (rows, d)
        What the final norm was given.
    checked : list of int
        Rows at which the layers' equations were found.
    """

    def __init__(self, model: Any, decoder: Any, norm: nn.Module, read: Sequence[int], first: int) -> None:
        self._model, self._decoder, self.norm = model, decoder, norm
        self._read, self._first = sorted(set(read)), first
        self.whole_prefix_each_step = False
        self._thread: int | None = None
        self._start, self._number = 0, 0
        self._step: _Step | None = None
        self._tracing: list[RemovableHandle] = []
        self._part_of: dict[int, Tracer] = {}
        self._layer_of: dict[int, int] = {}
        self._tracers: list[Tracer] = []
        self.refusal = _refusal(model, decoder)
        self.positions: list[int] = []
        self.layers: list[LayerHeads] = []
        self.final: list[Tensor] = []
        self.checked: list[int] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch what the calling thread runs."""
        if self.refusal is not None:
            yield
            return
        self.layers = [LayerHeads() for _ in self._decoder.layers]
        self._thread = threading.get_ident()
        with without_hooks_after(self, tuple(self._decoder.modules())), heard(self._model, self._decoder, self):
            try:
                self.norm.register_forward_pre_hook(self.on_final, with_kwargs=True)
                self._trace()
                yield
            finally:
                self._thread = None

    def _trace(self) -> None:
        """Look at the parts of every layer, until one pass has been seen."""
        for index, layer in enumerate(self._decoder.layers):
            tracer = Tracer()
            self._tracers.append(tracer)
            for part in (layer, *layer.children()):
                self._part_of[id(part)] = tracer
            self._tracing += [
                layer.register_forward_pre_hook(self.on_layer, with_kwargs=True),
                layer.register_forward_hook(self.after_layer),
                *(part.register_forward_hook(self.after_part, with_kwargs=True) for part in layer.children()),
            ]
            self._layer_of.update({id(part): index for part in layer.modules()})

    def take(  # noqa: PLR0917 - what transformers' attention interface has
        self,
        layer: int,
        module: nn.Module,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None,
        output: Tensor,
        options: Mapping[str, Any],
    ) -> None:
        """Keep what one call of an attention was given and returned."""

        def keep() -> None:
            self._take(self.layers[layer], module, query, key, value, mask, output, options)

        self._guarded(keep)

    def _take(  # noqa: PLR0917 - as above
        self,
        heads: LayerHeads,
        module: nn.Module,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None,
        output: Tensor,
        options: Mapping[str, Any],
    ) -> None:
        step = self._step or self._begin(query.shape[2])
        if query.shape[0] != 1 or query.shape[2] != step.length:
            raise ValueError("its layers do not all see the same positions of one sequence")
        if heads.step == step.number:
            raise ValueError("a layer of it attends more than once")
        if heads.attention is None:
            self._meet(heads, module, query, options)
        heads.step = step.number
        first = heads.keys.add(key, value, step.start, step.length)
        if not step.rows:
            return
        rows = slice(None) if len(step.rows) == step.length else step.index(query.device)  # a new word: no copy
        heads.queries.append(query[0].transpose(0, 1)[rows])
        heads.masks.append((None if mask is None else self._rows_of(mask, step, heads, first, key.shape[2]), first))
        returned = output[0].flatten(1)
        if heads.gated is False:
            heads.outputs[1:] = [returned[-1:]]  # the rows of the first pass, and the last one
        else:
            heads.outputs.append(returned[rows])

    def _begin(self, length: int) -> _Step:
        stop = self._start + length
        read = [one for one in self._read if self._start <= one < min(stop, self._first)]
        read += range(max(self._start, self._first), stop)
        if self.whole_prefix_each_step and self._number:
            read = [stop - 1]
        self._step = _Step(self._number, self._start, length, [one - self._start for one in read])
        self.positions += read
        return self._step

    def _meet(self, heads: LayerHeads, module: nn.Module, query: Tensor, options: Mapping[str, Any]) -> None:
        """Learn how an attention makes its scores, the first time it is called."""
        if options.get("position_bias") is not None:
            raise ValueError("its attention adds a bias of its own to the scores")
        projection = next((getattr(module, name) for name in _PROJECTIONS if hasattr(module, name)), None)
        if not isinstance(projection, torch.nn.Module):
            raise ValueError(f"{type(module).__name__} has no output projection that is known")  # noqa: TRY004
        scaling = options.get("scaling")
        heads.scaling = query.shape[-1] ** -0.5 if scaling is None else float(scaling)
        heads.softcap, heads.window = options.get("softcap"), options.get("sliding_window")
        sinks = options.get("s_aux")
        heads.sinks = getattr(module, "sinks", None) if sinks is None else sinks
        causal = options.get("is_causal")
        heads.causal = bool(getattr(module, "is_causal", True) if causal is None else causal)
        projection.register_forward_pre_hook(self.on_projection)
        heads.attention, heads.projection = module, projection

    @staticmethod
    def _rows_of(mask: Tensor, step: _Step, heads: LayerHeads, first: int, count: int) -> Tensor:
        """Return a mask's rows; layers that are given the same mask share them."""
        if not isinstance(mask, torch.Tensor) or mask.ndim not in {2, 4}:
            raise ValueError("its attention is given a mask that cannot be read")
        rows = step.index(mask.device)
        if mask.ndim == 2:  # noqa: PLR2004 - flash attention's: which keys are no padding
            columns = first + torch.arange(mask.shape[-1], device=mask.device)
            seen = earlier(rows + step.start, columns, heads.window, causal=heads.causal)
            return (seen & mask[:1].bool())[None]
        if id(mask) not in step.masks:
            step.masks[id(mask)] = (mask, mask[0][:, rows, :count])
        return step.masks[id(mask)][1]

    def on_projection(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        """Keep what an attention's output projection is given; a hook."""

        def keep() -> None:
            heads = self.layers[self._layer_of[id(module)]]
            if heads.gated is not False and self._step is not None and self._step.rows:
                heads.projected.append(args[0][0][self._step.index(args[0].device)])

        self._guarded(keep)

    def on_layer(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Note what a layer is given, until one pass has been seen; a hook."""

        def keep() -> None:
            given = args[0] if args else kwargs["hidden_states"]
            if given.ndim != 3:  # noqa: PLR2004 - batch, positions, width
                raise ValueError("it has several residual streams")
            step = self._step or self._begin(given.shape[1])
            if step.rows:
                rows = step.index(given.device)
                self._part_of[id(module)].open(given, rows, rows[-_CHECKED:])

        self._guarded(keep)

    def after_part(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """Note what a part of a layer returned, until one pass has been seen; a hook."""

        def keep() -> None:
            tracer = self._part_of[id(module)]
            heads = self.layers[self._layer_of[id(module)]]
            if heads.attention is not None and any(part is heads.attention for part in module.modules()):
                tracer.branch = module
            tracer.call(module, args, kwargs, output)

        self._guarded(keep)

    def after_layer(self, module: nn.Module, _args: Any, output: Any) -> None:
        """Note what a layer returned, until one pass has been seen; a hook."""

        def keep() -> None:
            if self._step is not None and self._step.rows:
                self._part_of[id(module)].close(output[0] if isinstance(output, tuple) else output)

        self._guarded(keep)

    def on_norm(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        """Keep what the norm behind an attention's projection is given; a hook."""

        def keep() -> None:
            if self._step is not None and self._step.rows:
                rows = args[0][0][self._step.index(args[0].device)]
                self.layers[self._layer_of[id(module)]].normed.append(rows)

        self._guarded(keep)

    def on_final(self, _module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Keep what the final norm is given; a hook, and the end of a pass of the decoder."""

        def keep() -> None:
            given = args[0] if args else next(iter(kwargs.values()))
            step = self._step
            if step is None or given.ndim != 3 or given.shape[1] != step.length:  # noqa: PLR2004
                raise ValueError("its final norm is given other positions than its layers")
            if step.rows:
                self.final.append(given[0][step.index(given.device)])
            self._step, self._number = None, self._number + 1
            self._start = 0 if self.whole_prefix_each_step else self._start + step.length
            if step.rows and self._tracing:
                self._settle(len(step.rows))

        self._guarded(keep)

    def _settle(self, count: int) -> None:
        """Find every layer's equation, and look from now on at no more than is needed."""
        for handle in self._tracing:
            handle.remove()
        self._tracing.clear()
        self.checked = list(range(max(0, count - _CHECKED), count))
        for index, (heads, tracer) in enumerate(zip(self.layers, self._tracers, strict=True)):
            try:
                heads.passage = passage_of(tracer)
            except ValueError as error:
                raise ValueError(f"layer {index} is not one of a residual stream: {error}") from error
            if heads.attention is None:
                continue
            if not heads.passage.direct and not heads.passage.normed:
                raise ValueError(f"what becomes of layer {index}'s attention cannot be followed")
            heads.sample = heads.projected[0][-1:]
            heads.gated = not torch.equal(heads.outputs[0].to(heads.projected[0]), heads.projected[0])
            if not heads.gated:
                heads.projected.clear()
            if heads.passage.norm is not None and heads.passage.normed:
                if tracer.branch_rows is None:
                    raise ValueError("what the norm behind its attention is given cannot be followed")
                heads.normed.append(tracer.branch_rows)
                heads.passage.norm.register_forward_pre_hook(self.on_norm)
        self._tracers.clear()
        self._part_of.clear()

    def finish(self, length: int) -> None:
        """Make sure that everything is there of a run over so many positions; else :attr:`refusal` says why not."""
        if self.refusal is not None:
            return
        if not self.layers or self._tracing or (self._start < length and not self.whole_prefix_each_step):
            self._refuse("its layers or its final norm were not called as modules (compiled, or fused?)")
            return
        kinds = getattr(self._decoder.config, "layer_types", None) or [None] * len(self.layers)
        for index, (heads, kind) in enumerate(zip(self.layers, kinds, strict=False)):
            attends = kind in _SOFTMAX if kind is not None else _has_attention(self._decoder.layers[index])
            if heads.attention is None and attends:
                self._refuse(f"layer {index} computes its attention in a way of its own")
                return
            if heads.attention is not None and sum(map(len, heads.queries)) != len(self.positions):
                self._refuse(f"layer {index} has not seen every position that is read")
                return
        if all(heads.attention is None for heads in self.layers):
            self._refuse("none of its layers has softmax attention")

    @property
    def passes(self) -> list[list[int]]:
        """The positions read, a list for each pass that read some."""
        ends = [0]
        for rows in self.final:
            ends.append(ends[-1] + len(rows))
        return [self.positions[start:stop] for start, stop in pairwise(ends)]

    def clear(self) -> None:
        """Let go of queries, keys and values."""
        self.layers, self.final, self._tracers = [], [], []

    def _refuse(self, reason: str) -> None:
        self.refusal = reason
        self.clear()

    def _guarded(self, keep: Callable[[], None]) -> None:
        """Do it for the thread that is watched; keep the reason where it cannot be done."""
        if threading.get_ident() != self._thread or self.refusal is not None:
            return
        try:
            keep()
        except Exception as error:  # noqa: BLE001 - whatever it is, the run goes on, and TAM needs none of it
            self._refuse(str(error) or type(error).__name__)


def _has_attention(layer: nn.Module) -> bool:
    return any("attention" in type(part).__name__.lower() for part in layer.modules())


def _refusal(model: Any, decoder: Any) -> str | None:
    """Return why a model's attention cannot be watched, before it runs."""
    layers = getattr(decoder, "layers", None)
    if not isinstance(layers, torch.nn.ModuleList):
        return "its text decoder has no list of layers"
    if any(getattr(part, "_compiled_call_impl", None) is not None for part in decoder.modules()):
        return "a part of its text decoder is compiled, and shows nothing of what passes"
    choices = {one._attn_implementation for one in text_configurations(model, decoder)}  # noqa: SLF001
    if "eager" not in choices and not decoder._can_set_attn_implementation():  # noqa: SLF001 - no public question
        return f"it computes attention by {min(map(str, choices))!r} and has no other"
    if any("flex" in str(one) for one in choices):
        return "flex_attention has masks of its own; load the model with attn_implementation='sdpa'"
    return None
