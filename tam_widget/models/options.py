"""Options for ``generate``: accepted, or refused by name before the model runs."""

from __future__ import annotations

import copy
import difflib
from typing import Any

from transformers import GenerationConfig

from tam_widget.errors import GenerationError, UnknownOptionError

__all__ = ["check_options"]

DEFAULT_NEW_TOKENS = 128
"""Enough for a paragraph; a model that never ends its answer stops in reasonable time."""

_REPLAY = "generate the text yourself and pass it as answer="
_SEVERAL = f"leaves no single sequence to follow while it grows; {_REPLAY}"
_REFUSED = {
    "num_return_sequences": "one answer is explained at a time; call explain() once for each",
    "assistant_model": f"assisted decoding {_SEVERAL}",
    "prompt_lookup_num_tokens": f"assisted decoding {_SEVERAL}",
    "assistant_early_exit": f"assisted decoding {_SEVERAL}",
    "use_mtp": f"assisted decoding {_SEVERAL}",
    "custom_generate": f"another generate() {_SEVERAL}",
    "guidance_scale": f"classifier-free guidance runs the model twice a step; {_REPLAY}",
    "token_healing": f"token healing rewrites the prompt; {_REPLAY}",
    "compile_config": "a compiled model does not call the hooks that read its states; leave it out",
    "output_hidden_states": "the hidden states are read anyway; leave it out",
    "output_attentions": "an explanation keeps no attentions; leave it out",
    "output_scores": "the probabilities are kept anyway, as token.candidates; leave it out",
    "output_logits": "the probabilities are kept anyway, as token.candidates; leave it out",
    "return_dict_in_generate": "explain() returns an Explanation; leave it out",
}
_HARMLESS = {"num_return_sequences": {1}, "guidance_scale": {1}}
_RUNTIME = frozenset({"logits_processor", "stopping_criteria", "prefix_allowed_tokens_fn", "streamer"})
_OWN = ("images", "prompt", "answer", "system", "max_new_tokens")


def check_options(model: Any, tokenizer: Any, max_new_tokens: int | None, options: dict[str, Any]) -> dict[str, Any]:
    """Turn a person's keywords into arguments of ``model.generate``, or say which of them cannot be and why.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        Its ``generation_config`` fills what is not given, as in ``generate`` itself.
    tokenizer : transformers.PreTrainedTokenizerBase
        Handed on where ``stop_strings`` needs it.
    max_new_tokens : int or None
        None: what ``max_length`` says, else what a given ``generation_config`` says, else 128.
    options : dict
        The other keywords.

    Returns
    -------
    dict
        ``generation_config`` and the run-time arguments, and ``use_cache`` as it will be.

    Raises
    ------
    UnknownOptionError
        A keyword that ``generate`` does not know.
    GenerationError
        Beams, several answers, assisted decoding, or a value that ``generate`` refuses.
    """
    options = dict(options)
    given = options.pop("generation_config", None)
    if given is not None and not isinstance(given, GenerationConfig):
        raise GenerationError(f"generation_config must be a GenerationConfig, got {type(given).__name__}")
    runtime = {name: options.pop(name) for name in _RUNTIME & options.keys()}
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
    if max_new_tokens is None and options.get("max_length") is None and getattr(given, "max_new_tokens", None) is None:
        max_new_tokens = DEFAULT_NEW_TOKENS
    if max_new_tokens is not None:
        if isinstance(max_new_tokens, bool) or not isinstance(max_new_tokens, int) or max_new_tokens < 1:
            raise GenerationError(f"max_new_tokens must be a positive int, got {max_new_tokens!r}")
        options["max_new_tokens"] = max_new_tokens
    config = copy.deepcopy(given) if given is not None else GenerationConfig()
    effective = copy.deepcopy(config)
    try:
        config.update(**options)
        effective.update(**options)
        effective.update(**model.generation_config.to_dict(), defaults_only=True, allow_custom_entries=True)
    except (ValueError, TypeError) as error:
        raise GenerationError(f"generate() refuses these options: {error}") from error
    _refuse(effective, options)
    config.disable_compile = True  # a static cache on CUDA would compile the model, hooks and all
    if effective.stop_strings is not None:
        runtime["tokenizer"] = tokenizer
    return {"generation_config": config, "use_cache": effective.use_cache is not False, **runtime}


def _refuse(effective: GenerationConfig, options: dict[str, Any]) -> None:
    """Refuse what would leave no single sequence whose states can be read as it grows."""
    for name, why in _REFUSED.items():
        value = options.get(name, getattr(effective, name, None))
        if value is None or value is False or value in _HARMLESS.get(name, ()):
            continue
        if name in options or not name.startswith(("output_", "return_")):
            raise GenerationError(f"{name}={value!r} cannot be explained: {why}")
    beams = effective.num_beams or 1
    mode = str(effective.get_generation_mode().value)
    if beams > 1 or mode not in {"greedy_search", "sample"}:
        origin = (
            ""
            if "num_beams" in options or beams == 1
            else " (from the model's own generation_config; pass num_beams=1)"
        )
        found = f"num_beams={beams}" if beams > 1 else mode.replace("_", " ")
        raise GenerationError(f"{found}{origin} cannot be explained: it {_SEVERAL}")
    if effective.cache_implementation == "paged":
        raise GenerationError("cache_implementation='paged' cannot be explained: it batches requests; leave it out")
