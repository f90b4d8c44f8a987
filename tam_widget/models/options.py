"""Options for ``generate``: accepted, or refused by name before the model runs."""

from __future__ import annotations

import copy
import difflib
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from transformers import GenerationConfig

from tam_widget.errors import GenerationError, TAMError, UnknownOptionError
from tam_widget.models.hooks import without_hooks_after
from tam_widget.models.option_values import check_ids, checked_callables, checked_values

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_options", "refusals_of_generate"]

DEFAULT_NEW_TOKENS = 128
"""Enough for a paragraph; a model that never ends its answer stops in reasonable time."""

_REPLAY = "generate the text yourself and pass it as answer="
_REFUSED = {
    "num_return_sequences": "one answer is explained at a time; call explain() once for each",
    "assistant_early_exit": "an early exit needs a model of text alone; assistant_model works",
    "use_mtp": f"several tokens a step cannot be followed; {_REPLAY}",
    "custom_generate": f"another generate() may return anything; {_REPLAY}",
    "guidance_scale": f"classifier-free guidance runs the model twice a step; {_REPLAY}",
    "token_healing": f"token healing rewrites the prompt; {_REPLAY}",
    "compile_config": "a compiled model does not call the hooks that read its states; leave it out",
    "output_hidden_states": "the hidden states are read anyway; leave it out",
    "output_attentions": "an explanation keeps no attentions; leave it out",
    "output_scores": "the probabilities are kept anyway, as token.candidates; leave it out",
    "output_logits": "the probabilities are kept anyway, as token.candidates; leave it out",
    "return_dict_in_generate": "explain() returns an Explanation; leave it out",
    "is_assistant": "assisted decoding sets it itself; leave it out",
}
_HARMLESS = {"num_return_sequences": {1}, "guidance_scale": {1}}
_RUNTIME = frozenset(
    {
        "logits_processor",
        "stopping_criteria",
        "prefix_allowed_tokens_fn",
        "streamer",
        "assistant_model",
        "assistant_tokenizer",
        "tokenizer",
    }
)
_OUTPUTS = (
    "return_dict_in_generate",
    "output_scores",
    "output_logits",
    "output_attentions",
    "output_hidden_states",
)
_OWN = (
    "images",
    "prompt",
    "video",
    "messages",
    "answer",
    "system",
    "fps",
    "max_new_tokens",
    "image_kwargs",
    "video_kwargs",
    "chat_template_kwargs",
)
_FOLLOWED = ("greedy_search", "sample")
"""Modes in which one sequence grows token by token."""
_REPLAYED = ("beam_search", "beam_sample", "assisted_generation")
"""Modes whose best sequence is fed again once it is known."""


def check_options(model: Any, tokenizer: Any, max_new_tokens: int | None, options: dict[str, Any]) -> dict[str, Any]:
    """Turn a person's keywords into arguments of ``model.generate``, or say which of them cannot be and why.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        Its ``generation_config`` fills what is not given, as in ``generate`` itself.
    tokenizer : transformers.PreTrainedTokenizerBase
        Handed on where ``stop_strings`` needs it and none is given.
    max_new_tokens : int or None
        None: what ``max_length`` says, else what a given ``generation_config`` says, else 128.
    options : dict
        The other keywords.

    Returns
    -------
    dict
        ``generation_config`` and the run-time arguments, ``use_cache`` as it will be, and whether the answer can be
        followed as it grows (``follow``): with beams or assisted decoding it cannot.

    Raises
    ------
    UnknownOptionError
        A keyword that ``generate`` does not know.
    GenerationError
        Several answers, a way of generating that cannot be explained, or a value that ``generate`` refuses, takes for
        another or gets stuck on.
    """
    options = dict(options)
    given = options.pop("generation_config", None)
    if given is not None and not isinstance(given, GenerationConfig):
        raise GenerationError(f"generation_config must be a GenerationConfig, got {type(given).__name__}")
    runtime = checked_callables({name: options.pop(name) for name in _RUNTIME & options.keys()})
    _check_names(model, options)
    if max_new_tokens is None and options.get("max_length") is None and getattr(given, "max_new_tokens", None) is None:
        max_new_tokens = DEFAULT_NEW_TOKENS
    if max_new_tokens is not None:
        options["max_new_tokens"] = max_new_tokens
    config = copy.deepcopy(given) if given is not None else GenerationConfig()
    options = checked_values(options)
    try:
        config.update(**options)
        config.update(**checked_values({name: value for name, value in vars(config).items() if value is not None}))
        effective = copy.deepcopy(config)
        effective.update(**model.generation_config.to_dict(), defaults_only=True, allow_custom_entries=True)
    except (ValueError, TypeError, AttributeError) as error:
        raise GenerationError(f"generate() refuses these options: {error}") from error
    _check_together(effective)
    check_ids(effective, model.config.get_text_config().vocab_size)
    mode = _mode(effective, runtime)
    _refuse(effective, options)
    config.disable_compile = True  # a static cache on CUDA would compile the model, hooks and all
    config.update(**dict.fromkeys(_OUTPUTS, False))  # whatever the model's or the given configuration asks for
    if effective.stop_strings is not None or runtime.get("assistant_tokenizer") is not None:
        runtime["tokenizer"] = runtime.get("tokenizer") or tokenizer
    else:
        runtime.pop("tokenizer", None)
    return {
        "generation_config": config,
        "use_cache": effective.use_cache is not False,
        "follow": mode in _FOLLOWED,
        **runtime,
    }


def _check_names(model: Any, options: dict[str, Any]) -> None:
    """Refuse keywords that ``generate`` does not know."""
    known = {
        name
        for config in (GenerationConfig(), model.generation_config)
        for name in vars(config)
        if not name.startswith("_")
    }
    for name in options:
        if name not in known and name not in _REFUSED:
            near = difflib.get_close_matches(name, [*known, *_RUNTIME, *_OWN], n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UnknownOptionError(f"explain() got an unknown keyword {name!r}{hint}")


def _check_together(effective: GenerationConfig) -> None:
    """Refuse values that do not go together, where ``generate`` would go on with one of them."""
    if effective.do_sample and effective.temperature == 0:
        raise GenerationError("temperature=0.0 cannot be sampled with; leave do_sample out to take the likeliest word")
    for least, most in (("min_new_tokens", "max_new_tokens"), ("min_length", "max_length")):
        low, high = getattr(effective, least, None), getattr(effective, most, None)
        if low is not None and high is not None and low > high:
            raise GenerationError(f"{least}={low} is more than {most}={high}")


def _mode(effective: GenerationConfig, runtime: dict[str, Any]) -> str:
    """Return how ``generate`` will go about it."""
    assistant = runtime.get("assistant_model")
    if assistant is not None and not hasattr(assistant, "generate"):
        raise GenerationError(f"assistant_model must be a model, got {assistant!r:.100}")
    mode = str(effective.get_generation_mode(assistant).value)
    if mode not in {*_FOLLOWED, *_REPLAYED}:
        raise GenerationError(f"{mode.replace('_', ' ')} cannot be explained; {_REPLAY}")
    return mode


def _refuse(effective: GenerationConfig, options: dict[str, Any]) -> None:
    """Refuse what would leave no single answer, or one that the model alone did not write."""
    for name, why in _REFUSED.items():
        value = options.get(name, getattr(effective, name, None))
        if value is None or value is False or value in _HARMLESS.get(name, ()):
            continue
        if name in options or not name.startswith(("output_", "return_")):
            raise GenerationError(f"{name}={value!r} cannot be explained: {why}")
    if effective.cache_implementation == "paged":
        raise GenerationError("cache_implementation='paged' cannot be explained: it batches requests; leave it out")


@contextmanager
def refusals_of_generate(model: Any) -> Iterator[None]:
    """Turn what ``generate`` raises before it first calls the model into a :class:`GenerationError`.

    It checks most options only when it has been given the inputs; what is raised later is no matter of options.
    """
    started = _Started()
    with without_hooks_after(started, (model,)):
        model.register_forward_pre_hook(started.note)
        try:
            yield
        except TAMError:
            raise
        except Exception as error:
            if started.is_so:
                raise
            raise GenerationError(f"generate() refuses these options: {error}") from error


class _Started:
    """Whether the model was called by the thread that asks."""

    def __init__(self) -> None:
        self.is_so = False
        self._thread = threading.get_ident()

    def note(self, *_: Any) -> None:
        """Be told of a call."""
        self.is_so = self.is_so or threading.get_ident() == self._thread
