"""Run the model once and keep what the maps need: every position's last hidden state, and how likely each word was.

A forward hook on the text decoder's final norm reads the states as they pass; they never leave the model's device,
and nothing of the size positions × vocabulary is kept. Whether the hook sits in the right place is checked at run
time: what the output head was given must be what the hook saw.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import torch

from tam_widget.errors import CaptureError, UnsupportedModelError
from tam_widget.models.choices import Choices, choices_of, gathered
from tam_widget.models.families import family_of
from tam_widget.models.hooks import without_hooks_after
from tam_widget.models.inputs.answer_inputs import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor, nn

    from tam_widget.models.attention.watch import Watch

__all__ = [
    "Capture",
    "alone",
    "decoder_of",
    "extended",
    "generate",
    "input_device",
    "last_position",
    "on_device",
    "readable_parts",
    "replay",
]

_LOCKS: WeakKeyDictionary[nn.Module, threading.RLock] = WeakKeyDictionary()
_LOCKS_GUARD = threading.Lock()


@dataclass(frozen=True, slots=True, eq=False)
class Capture:
    """One run of the model.

    Attributes
    ----------
    ids : tuple of int
        Prompt and answer, L + n tokens.
    states : torch.Tensor, shape (L + n − 1, d)
        The last hidden state of every position but the last, which predicts nothing; the model's dtype and device.
    said : tuple of int
        The positions of the tokens that were chosen: the n answer tokens'; before them those of earlier answers, where
        they were asked for.
    choices : Choices
        One step for each of them.
    """

    ids: tuple[int, ...]
    states: Tensor
    said: tuple[int, ...]
    choices: Choices


@dataclass(slots=True, eq=False)
class _Recorder:
    """What the hooks write into; one run, one thread."""

    whole_prefix_each_step: bool = False
    rows: Tensor | None = None  # the positions that the head will be given; None: the last ones
    thread: int | None = field(default_factory=threading.get_ident)  # None: it is done
    states: list[Tensor] = field(default_factory=list)
    norm_tails: list[Tensor] = field(default_factory=list)
    head_inputs: list[Tensor] = field(default_factory=list)
    logits: Tensor | None = None
    steps: list[tuple[Tensor, ...]] = field(default_factory=list)

    def on_norm(self, _module: nn.Module, _args: Any, output: Any) -> None:
        if threading.get_ident() != self.thread:
            return
        hidden = (output[0] if isinstance(output, tuple) else output).detach()
        if self.states and self.whole_prefix_each_step:
            hidden = hidden[:, -1:].clone()  # a view would keep the whole prefix alive, once a step
        self.states.append(hidden)

    def on_head(self, _module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if threading.get_ident() != self.thread or not self.states:
            return
        given = (args[0] if args else next(iter(kwargs.values()))).detach()
        states = self.states[-1]
        if self.rows is not None and given.shape[1] == len(self.rows) < states.shape[1]:
            tail = states[:, self.rows.to(states.device)]
        else:
            given = given[:, -states.shape[1] :]
            tail = states[:, -given.shape[1] :]
        self.head_inputs.append(given)
        self.norm_tails.append(tail)

    def on_model(self, _module: nn.Module, _args: Any, output: Any) -> None:
        if threading.get_ident() == self.thread:
            self.logits = output.logits[0]

    def on_token(self, input_ids: Tensor, _scores: Any, **_: Any) -> Tensor:
        """Look at each new token with the logits that led to it. It is a stopping criterion that never stops."""
        if self.logits is not None:
            self.steps.append(choices_of(self.logits[-1:], input_ids[0, -1:]))
            self.logits = None
        return torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)


def generate(
    model: Any,
    inputs: Mapping[str, Any],
    *,
    use_cache: bool = True,
    follow: bool = True,
    answer_inputs: Mapping[str, int] = TEXT,
    watch: Watch | None = None,
    **options: Any,
) -> Capture:
    """Let the model answer, and capture the run.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        A decoder-only model with vision.
    inputs : mapping
        The processor's output, batch of one, on any device; what is no tensor is left out.
    use_cache : bool
        Whether ``generate`` will keep keys and values; without them every step feeds the whole prefix again.
    follow : bool
        False where the answer does not grow token by token in one sequence (beams, assisted decoding): it is replayed
        once it is known.
    answer_inputs : mapping of str to int
        As for :func:`replay`.
    watch : Watch, optional
        Takes what other lenses need of the run that is captured.
    **options
        For ``model.generate``; checked by :func:`tam_widget.models.options.check_options` before.

    Raises
    ------
    CaptureError
        The states that were read are not the ones behind the words.
    """
    length = int(inputs["input_ids"].shape[1])
    if not follow:
        with alone(model):
            sequence = _sequence(model.generate(**on_device(model, inputs), **options))
        return replay(model, inputs, sequence[0, length:].tolist(), answer_inputs=answer_inputs, watch=watch)
    recorder = _Recorder(whole_prefix_each_step=not use_cache)
    if watch is not None:
        watch.whole_prefix_each_step = not use_cache
    if getattr(decoder_of(model).config, "num_kv_shared_layers", 0):
        options["logits_to_keep"] = last_position(model)
    criteria = [*(options.pop("stopping_criteria", None) or ()), recorder.on_token]
    with _recording(model, recorder, watch):
        sequence = _sequence(model.generate(**on_device(model, inputs), stopping_criteria=criteria, **options))
    ids = tuple(sequence[0].tolist())
    said, steps = len(ids) - length, len(recorder.steps)
    # On MPS, generate() learns one step late that the answer has ended, and takes that step back.
    undone = steps - said
    if undone not in {0, 1}:
        raise CaptureError(f"{said} tokens were generated in {steps} steps; one for each was expected")
    states = _checked_states(recorder, len(ids) - 1 + undone)
    if watch is not None:
        watch.finish(len(ids) - 1 + undone)
    return Capture(ids, states[: len(ids) - 1], tuple(range(length, len(ids))), gathered(recorder.steps[:said]))


def _sequence(generated: Any) -> Tensor:
    """Return the ids alone, where a configuration has ``generate`` return more beside them."""
    ids: Tensor = getattr(generated, "sequences", generated)
    return ids


def replay(
    model: Any,
    inputs: Mapping[str, Any],
    answer: Sequence[int],
    *,
    earlier: Sequence[int] = (),
    answer_inputs: Mapping[str, int] = TEXT,
    watch: Watch | None = None,
) -> Capture:
    """Feed the prompt and a given answer in one forward pass, and capture it.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        A decoder-only model with vision.
    inputs : mapping
        The processor's output for the prompt alone, batch of one, on any device; what is no tensor is left out.
    answer : sequence of int
        The answer's token ids, n ≥ 1 of them.
    earlier : sequence of int
        Positions of tokens in the prompt whose choices are wanted as well: earlier answers.
    answer_inputs : mapping of str to int
        What the answer's tokens have in inputs that grow with them, of :func:`answer_inputs
        <tam_widget.models.inputs.answer_inputs.answer_inputs>`; those that the model is not given are passed over.
    watch : Watch, optional
        Takes what other lenses need of the pass.

    Raises
    ------
    CaptureError
        The states that were read are not the ones behind the words.
    """
    prompt = inputs["input_ids"][0].tolist()
    ids = (*prompt, *answer)
    said = (*earlier, *range(len(prompt), len(ids)))
    recorder = _Recorder(rows=torch.tensor(said) - 1)
    whole = on_device(model, extended(inputs, answer, answer_inputs))
    keep = torch.tensor(said, device=whole["input_ids"].device) - 1
    with _recording(model, recorder, watch), torch.no_grad():
        model(**whole, logits_to_keep=keep, use_cache=False, return_dict=True)
    if recorder.logits is None:
        raise CaptureError(f"{type(model).__name__} returned no logits")
    logits = recorder.logits
    if len(logits) == len(ids):  # a model without logits_to_keep
        logits = logits[keep.to(logits.device)]
    steps = choices_of(logits, torch.tensor([ids[position] for position in said]))
    states = _checked_states(recorder, len(ids))[:-1]
    if watch is not None:
        watch.finish(len(ids))
    return Capture(ids, states, said, gathered([steps]))


def input_device(model: Any) -> torch.device:
    """Return the device where the model wants its inputs.

    An offloaded model's weights lie on the meta device between calls; accelerate's hooks know where it computes.
    """
    for module in model.modules():
        device = getattr(getattr(module, "_hf_hook", None), "execution_device", None)
        if device is not None:
            return torch.device(f"cuda:{device}" if isinstance(device, int) else device)
    return torch.device(model.device)


def last_position(model: Any) -> Tensor:
    """Return what ``logits_to_keep`` is for the last position's logits, with every position's states.

    Asked for them by a number, Gemma 4 leaves the others out of its layers that share keys.
    """
    return torch.tensor([-1], device=input_device(model))


@contextmanager
def alone(model: Any) -> Iterator[None]:
    """Have the model to ourselves, in evaluation mode; leave it as it was, whatever happens."""
    with _lock_of(model):
        training = [module for module in model.modules() if module.training]
        try:
            model.eval()
            yield
        finally:
            try:
                _wake(training)
            finally:  # once more: Ctrl-C may have come in between, and it does not come twice in a microsecond
                _wake(training)


def _wake(modules: Sequence[nn.Module]) -> None:
    for module in modules:
        module.training = True  # module.train() would also wake the parts that were asleep


@contextmanager
def _recording(model: Any, recorder: _Recorder, watch: Watch | None) -> Iterator[None]:
    """Set the hooks, and take them away again, whatever happens."""
    norm, head = readable_parts(model)
    watching = nullcontext() if watch is None else watch.watching()
    with alone(model), watching, without_hooks_after(recorder, (norm, head, model)):
        try:
            norm.register_forward_hook(recorder.on_norm)
            head.register_forward_pre_hook(recorder.on_head, with_kwargs=True)
            model.register_forward_hook(recorder.on_model)
            yield
        finally:
            recorder.thread = None


def _lock_of(model: nn.Module) -> threading.RLock:
    with _LOCKS_GUARD:
        return _LOCKS.setdefault(model, threading.RLock())


def readable_parts(model: Any) -> tuple[nn.Module, nn.Module]:
    """Return the text decoder's final norm and the output head, which the states are read between.

    Raises
    ------
    UnsupportedModelError
        The model has no such parts.
    """
    own = family_of(model.config).final_norm
    decoder = model.get_decoder() if hasattr(model, "get_decoder") else None
    norm = _final_norm(decoder, own)
    if norm is None:
        norm = _final_norm(getattr(decoder, "model", None), own)  # Llama 4 hides its decoder one level deeper
    head: nn.Module | None = model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None
    if norm is None or head is None:
        missing = "output head" if norm is not None else f"final norm {own!r}" if own else "final norm"
        raise UnsupportedModelError(
            f"{type(model).__name__} has no text decoder with a final norm and an output head (there is no {missing}), "
            "so its last hidden states cannot be read; where its norm has another name, "
            f"tam_widget.register_family({model.config.model_type!r}, ..., final_norm=...) can say it"
        )
    return norm, head


def decoder_of(model: Any) -> Any:
    """Return the part of a model that turns embeddings into the last hidden states: it owns the final norm."""
    norm, _ = readable_parts(model)
    return next(module for module in model.modules() if any(child is norm for child in module.children()))


def _final_norm(decoder: Any, own: str | None) -> nn.Module | None:
    if isinstance(decoder, torch.nn.Module):
        for name in (own,) if own else ("norm", "embedding_norm", "final_layernorm"):
            with suppress(AttributeError):
                return decoder.get_submodule(name)
    return None


def on_device(model: Any, inputs: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return what the model takes of the processor's output: its tensors, without the labels that it would learn."""
    device = input_device(model)
    dtype = model.dtype
    return {
        name: value.to(device=device, dtype=dtype if value.is_floating_point() else None)
        for name, value in inputs.items()
        if isinstance(value, torch.Tensor) and name != "labels"
    }


def extended(inputs: Mapping[str, Any], answer: Sequence[int], answer_inputs: Mapping[str, int]) -> dict[str, Any]:
    """Append the answer to the prompt, and to each input that grows with it."""
    whole = dict(inputs)
    tails = {name: [value] * len(answer) for name, value in answer_inputs.items()}
    for name, tail in {**tails, "input_ids": list(answer)}.items():
        if name in inputs:
            whole[name] = torch.cat([inputs[name], inputs[name].new_tensor([tail])], dim=1)
    return whole


def _checked_states(recorder: _Recorder, length: int) -> Tensor:
    """Join the states, after making sure that they are the ones behind the logits."""
    if not recorder.states or not recorder.head_inputs:
        part = "final norm" if not recorder.states else "output head"
        raise CaptureError(
            f"the model ran without calling its {part} as a module (compiled, or a fused head?), so nothing was read"
        )
    states = torch.cat(recorder.states, dim=1)
    if tuple(states.shape[:2]) != (1, length):
        raise CaptureError(
            f"hidden states of shape {tuple(states.shape)} were read where {length} positions of one sequence were due"
        )
    seen = torch.cat(recorder.norm_tails, dim=1)
    given = torch.cat(recorder.head_inputs, dim=1).to(seen.device)
    if not torch.isfinite(states).all():
        raise CaptureError(
            f"the model's hidden states overflow in {states.dtype}; load it with dtype=torch.bfloat16 or torch.float32"
        )
    if seen.shape != given.shape or not torch.equal(seen.float(), given.float()):
        raise CaptureError(
            "the output head was not given what the final norm returned, so the hidden states are not those behind the "
            "model's words; another version of transformers may help"
        )
    return states[0]
