"""Which values options for ``generate`` may have: those that it stumbles over, or takes for another, are refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from numbers import Integral, Real
from typing import Any

from tam_widget.errors import GenerationError

__all__ = ["check_ids", "checked_callables", "checked_values"]

_WHOLE = {
    "max_new_tokens": 1,
    "max_length": 1,
    "min_new_tokens": 0,
    "min_length": 0,
    "num_beams": 1,
    "top_k": 0,
    "no_repeat_ngram_size": 0,
    "encoder_no_repeat_ngram_size": 0,
    "prefill_chunk_size": 1,
    "prompt_lookup_num_tokens": 1,
    "max_matching_ngram_size": 1,
    "num_assistant_tokens": 1,
    "assistant_lookbehind": 1,
    "target_lookbehind": 1,
}
"""Options that are whole numbers, and the smallest they may be."""

_POSITIVE = math.nextafter(0.0, 1.0)
_REAL = {
    "temperature": (0.0, math.inf),  # 0 only without sampling, where it says what happens anyway
    "top_p": (0.0, 1.0),
    "min_p": (0.0, 1.0),
    "top_h": (_POSITIVE, 1.0),
    "typical_p": (_POSITIVE, 1.0),
    "epsilon_cutoff": (0.0, 1.0),
    "eta_cutoff": (0.0, 1.0),
    "repetition_penalty": (_POSITIVE, math.inf),
    "encoder_repetition_penalty": (_POSITIVE, math.inf),
    "diversity_penalty": (0.0, math.inf),
    "length_penalty": (-math.inf, math.inf),
    "max_time": (_POSITIVE, math.inf),
    "assistant_confidence_threshold": (0.0, 1.0),
}
"""Options that are numbers, and between which values; never infinite."""

_SWITCHES = ("do_sample", "use_cache", "renormalize_logits", "remove_invalid_values", "low_memory")
_IDS = ("bos_token_id", "pad_token_id", "eos_token_id")
_IDS_TO_SCORE = (
    "forced_bos_token_id",
    "forced_eos_token_id",
    "suppress_tokens",
    "begin_suppress_tokens",
    "bad_words_ids",
    "sequence_bias",
)
"""Token ids whose scores are changed: they must be the model's. Others may be none of it, as -1 for "no end"."""


def checked_values(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with numbers of Python's own kinds.

    Raises
    ------
    GenerationError
        A value of another kind, not finite, or out of range; the message says what would do.
    """
    return {name: value if value is None else _value(name, value) for name, value in options.items()}


def check_ids(config: Any, vocabulary: int) -> None:
    """Refuse token ids that are none.

    Parameters
    ----------
    config : transformers.GenerationConfig
        With everything that is not given filled in.
    vocabulary : int
        How many the model knows.

    Raises
    ------
    GenerationError
        Not an int, or beyond the vocabulary where the token's score is to be changed.
    """
    for name in (*_IDS, *_IDS_TO_SCORE):
        for token in _flat(getattr(config, name, None)):
            if isinstance(token, bool | float) and name == "sequence_bias":
                continue  # the bias itself, where it stands in lists
            if isinstance(token, bool) or not isinstance(token, Integral):
                raise GenerationError(f"{name} must be made of token ids, got {token!r:.100}")
            if name in _IDS_TO_SCORE and not 0 <= int(token) < vocabulary:
                raise GenerationError(f"{name} has the token id {token}; the model knows 0 to {vocabulary - 1}")


def checked_callables(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the objects that ``generate`` calls, where it wants lists of them as lists.

    Raises
    ------
    GenerationError
        One that cannot be called, or a streamer that cannot be written to.
    """
    made = {name: value for name, value in options.items() if value is not None}
    for name in ("logits_processor", "stopping_criteria"):
        if name in made:
            made[name] = _callables(name, made[name])
    allowed = made.get("prefix_allowed_tokens_fn")
    if allowed is not None and not callable(allowed):
        raise GenerationError(f"prefix_allowed_tokens_fn must be a function, got {allowed!r:.100}")
    streamer = made.get("streamer")
    if streamer is not None and not (hasattr(streamer, "put") and hasattr(streamer, "end")):
        raise GenerationError(f"streamer must have put() and end(), as a TextStreamer has, got {streamer!r:.100}")
    for name in ("tokenizer", "assistant_tokenizer"):
        if name in made and not hasattr(made[name], "convert_tokens_to_ids"):
            raise GenerationError(f"{name} must be a tokenizer, got {made[name]!r:.100}")
    return made


def _callables(name: str, given: Any) -> list[Callable[..., Any]]:
    several = list(given) if isinstance(given, Iterable) else [given]
    for one in several:
        if not callable(one):
            raise GenerationError(f"{name} must be a function or a list of them, got {one!r:.100}")
    return several


def _value(name: str, value: Any) -> Any:
    if name in _WHOLE:
        return _whole(name, value)
    if name in _REAL:
        return _real(name, value)
    if name in _SWITCHES and not isinstance(value, bool):
        raise GenerationError(f"{name} must be True or False, got {value!r:.100}")
    if name == "stop_strings":
        strings = [value] if isinstance(value, str) else value
        if not isinstance(strings, list | tuple) or not strings or not all(isinstance(s, str) and s for s in strings):
            raise GenerationError(f"stop_strings must be a string or a list of them, none empty, got {value!r:.100}")
        return list(strings)
    return value


def _whole(name: str, value: Any) -> int:
    least = _WHOLE[name]
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < least:
        kind = "a positive int" if least else "an int of 0 or more"
        raise GenerationError(f"{name} must be {kind}, got {value!r:.100}")
    return int(value)


def _real(name: str, value: Any) -> float:
    low, high = _REAL[name]
    if (
        isinstance(value, bool)
        or not isinstance(value, Real)
        or not math.isfinite(value)
        or not low <= float(value) <= high
    ):
        shown = "above 0" if low == _POSITIVE else f"of {low:g} or more" if low > -math.inf else ""
        if high < math.inf:
            shown = f"{shown}, at most {high:g}"
        raise GenerationError(f"{name} must be a finite number {shown}".rstrip() + f", got {value!r:.100}")
    return float(value)


def _flat(ids: Any) -> Iterator[Any]:
    """Yield every id of a tensor, or of lists in lists; the keys of a mapping."""
    ids = ids.tolist() if hasattr(ids, "tolist") else ids
    if isinstance(ids, list | tuple | set | Mapping):
        for one in ids:
            yield from _flat(one)
    elif ids is not None:
        yield ids
